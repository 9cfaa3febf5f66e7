package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

// duckDB is one in-memory database with a view for every table folder. All statements
// go over one connection.
type duckDB struct {
	db      *sql.DB
	conn    *sql.Conn
	version string
}

// openDuckDB makes a view of each table: tables gives the pattern of its files by name.
func openDuckDB(ctx context.Context, tables map[string]string, threads int) (*duckDB, error) {
	db, err := sql.Open("duckdb", "?threads="+strconv.Itoa(threads))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	d := &duckDB{db: db, conn: conn}
	for name, files := range tables {
		view := fmt.Sprintf(`create view "%s" as select * from read_parquet('%s', hive_partitioning = false)`, name, strings.ReplaceAll(files, "'", "''"))
		if _, err := conn.ExecContext(ctx, view); err != nil {
			return nil, fmt.Errorf("making the view of %s: %w", name, err)
		}
	}
	if err := conn.QueryRowContext(ctx, "select version()").Scan(&d.version); err != nil {
		return nil, err
	}
	return d, nil
}

// folderTables takes every folder below data for a table.
func folderTables(data string, tables map[string]string) error {
	folders, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("reading the data folder: %w", err)
	}
	for _, f := range folders {
		if f.IsDir() {
			tables[f.Name()] = filepath.Join(data, f.Name(), "*.parquet")
		}
	}
	return nil
}

func (d *duckDB) close() {
	d.conn.Close()
	d.db.Close()
}

func (d *duckDB) answer(ctx context.Context, r request) answer {
	a, err := d.run(ctx, r.SQL)
	if err != nil {
		return answer{Error: err.Error(), Query: r.Query, Rows: [][]*string{}}
	}
	a.Query = r.Query
	return a
}

// run executes one statement. The values are turned into text after the clock has
// stopped.
func (d *duckDB) run(ctx context.Context, text string) (answer, error) {
	start := time.Now()
	var (
		columns, types []string
		raw            [][]driver.Value
	)
	err := d.conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, text, nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns = rows.Columns()
		for i := range columns {
			types = append(types, rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i))
		}
		for {
			row := make([]driver.Value, len(columns))
			if err := rows.Next(row); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			raw = append(raw, row)
		}
	})
	if err != nil {
		return answer{}, err
	}
	a := answer{
		Millis:  float64(time.Since(start).Microseconds()) / 1000,
		Columns: columns, Types: types, Rows: make([][]*string, len(raw)),
	}
	for i, row := range raw {
		a.Rows[i] = make([]*string, len(row))
		for c, v := range row {
			if v == nil {
				continue
			}
			s, err := formatValue(v, types[c])
			if err != nil {
				return answer{}, fmt.Errorf("column %s: %w", columns[c], err)
			}
			a.Rows[i][c] = &s
		}
	}
	return a, nil
}

// formatValue writes one value: decimals exactly, doubles with ten significant digits, dates
// and times in the ISO form.
func formatValue(v driver.Value, typeName string) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), nil
	case *big.Int:
		return v.String(), nil
	case float32:
		return formatDouble(float64(v)), nil
	case float64:
		return formatDouble(v), nil
	case duckdb.Decimal:
		return formatDecimal(v.Value, int(v.Scale)), nil
	case time.Time:
		if typeName == "DATE" {
			return v.Format(time.DateOnly), nil
		}
		return v.Format("2006-01-02 15:04:05.999999"), nil
	default:
		return "", fmt.Errorf("no text form for a value of type %s (%T)", typeName, v)
	}
}

func formatDouble(f float64) string {
	return strconv.FormatFloat(f, 'g', 10, 64)
}

func formatDecimal(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
