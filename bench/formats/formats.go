// Package formats measures how fast files are read: text, Parquet and ORC, cold and out of the page cache, against
// DuckDB and pyarrow where they have the format. Every measurement is the CPU time (user and system) of one
// thread, because that is what machines that others use at the same time leave comparable; wall clock is kept beside it.
package formats

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/orc"
)

// Sample is what one run took.
type Sample struct{ CPU, Wall time.Duration }

// measure runs f.
func measure(f func() error) (Sample, error) {
	cpu, start := cpuTime(), time.Now()
	err := f()
	return Sample{cpuTime() - cpu, time.Since(start)}, err
}

// cpuTime is the time that this process has computed.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Columns of TPC-H's lineitem.
var lineitem = strings.Fields("l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode l_comment")

// allColumns reads every column of a table.
func allColumns(table string) string {
	items := make([]string, len(lineitem))
	for i, c := range lineitem {
		items[i] = "max(" + c + ")"
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + table
}

// Data is a folder of the files that are read, and the engine that reads them.
type Data struct {
	Dir    string
	Tables string // TPC-H as Parquet, a folder a table
	db     *basalt.DB
}

// Open makes what is missing in dir of the data set in tables, by our own writers, and opens an engine with one worker.
func Open(ctx context.Context, tables, dir string) (*Data, error) {
	db, err := basalt.Open("", basalt.Options{Workers: 1, Logger: slog.New(slog.DiscardHandler), Settings: map[string]string{"enable_page_cache": "0", "parallel_pipeline_task_num": "1"}})
	if err != nil {
		return nil, err
	}
	d := &Data{Dir: dir, Tables: tables, db: db}
	if err := d.prepare(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return d, nil
}

// Close ends the engine.
func (d *Data) Close() error { return d.db.Close() }

// Text is the path of lineitem as text.
func (d *Data) Text(ending string) string { return filepath.Join(d.Dir, "lineitem."+ending) }

// ORC is the folder of a table as ORC.
func (d *Data) ORC(codec, table string) string { return filepath.Join(d.Dir, "orc_"+codec, table) }

func (d *Data) prepare(ctx context.Context) error {
	if err := os.MkdirAll(d.Dir, 0o777); err != nil {
		return err
	}
	for ending, format := range map[string]string{"csv": `CSV_WITH_NAMES PROPERTIES("column_separator" = ",", "enclose" = "\""%s)`, "json": "JSON PROPERTIES(%s)"} {
		path := d.Text(ending)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		size := `"max_file_size" = "2GB"`
		if ending == "csv" {
			size = ", " + size
		}
		// A quarter of the orders: text files grow large.
		if err := d.write(ctx, "lineitem", " WHERE l_orderkey % 4 = 1", filepath.Join(d.Dir, "part_"), fmt.Sprintf(format, size)); err != nil {
			return err
		}
		made, _ := filepath.Glob(filepath.Join(d.Dir, "part_*"))
		if len(made) != 1 {
			return fmt.Errorf("%d files of lineitem as %s: use a smaller scale factor", len(made), ending)
		}
		if err := os.Rename(made[0], path); err != nil {
			return err
		}
	}
	for _, codec := range []string{"zstd", "zlib"} {
		for _, table := range tpchgen.Tables() {
			if err := d.folder(ctx, d.ORC(codec, table), table, fmt.Sprintf(`ORC PROPERTIES("compress_type" = "%s")`, codec)); err != nil {
				return err
			}
		}
	}
	return d.folder(ctx, d.zstdParquet(), "lineitem", `PARQUET PROPERTIES("compress_type" = "zstd")`)
}

// zstdParquet is the folder of lineitem as Parquet with zstd; the generator's files have snappy.
func (d *Data) zstdParquet() string { return filepath.Join(d.Dir, "parquet_zstd", "lineitem") }

// folder writes a table's folder unless it is there.
func (d *Data) folder(ctx context.Context, dir, table, format string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	tmp := dir + ".tmp"
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return err
	}
	if err := d.write(ctx, table, "", filepath.Join(tmp, "f_"), format); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

func (d *Data) write(ctx context.Context, table, where, prefix, format string) error {
	return d.run(ctx, "SELECT * FROM '"+filepath.Join(d.Tables, table)+"'"+where+" INTO OUTFILE 'file://"+prefix+"' FORMAT AS "+format)
}

// run runs a statement and drops its rows.
func (d *Data) run(ctx context.Context, statements ...string) error {
	s := d.db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for _, text := range statements {
		rows, err := s.Query(ctx, text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		for {
			b, err := rows.NextBatch(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
			if b == nil {
				break
			}
		}
		if err := rows.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Query measures a statement; the ones before it only set the stage.
func (d *Data) Query(ctx context.Context, text string, before ...string) (Sample, error) {
	s := d.db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for _, b := range before {
		if _, err := s.Query(ctx, b); err != nil {
			return Sample{}, err
		}
	}
	return measure(func() error {
		rows, err := s.Query(ctx, text)
		if err != nil {
			return err
		}
		defer rows.Close()
		for {
			b, err := rows.NextBatch(ctx)
			if err != nil || b == nil {
				return err
			}
		}
	})
}

// ScanORC measures a scan of all columns of lineitem below the engine.
func (d *Data) ScanORC(ctx context.Context, codec string) (Sample, error) {
	paths, err := filepath.Glob(filepath.Join(d.ORC(codec, "lineitem"), "*.orc"))
	if err != nil {
		return Sample{}, err
	}
	return measure(func() error {
		src, err := orc.NewSource(storage.OSFS{}, paths, nil)
		if err != nil {
			return err
		}
		req := &storage.ScanRequest{Limit: -1, BatchRows: vector.BatchRows}
		for i := range src.Columns() {
			req.Columns = append(req.Columns, i)
		}
		splits, err := src.Splits(ctx, req)
		if err != nil {
			return err
		}
		for _, sp := range splits {
			if err := drain(ctx, src, sp, req); err != nil {
				return err
			}
		}
		return nil
	})
}

func drain(ctx context.Context, src storage.Source, sp storage.Split, req *storage.ScanRequest) error {
	r, err := src.Open(ctx, sp, req)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		if b, err := r.Next(ctx); err != nil || b == nil {
			return err
		}
	}
}

// Databases makes one database of external tables for each format that TPC-H runs on.
func (d *Data) Databases(ctx context.Context) error {
	for _, name := range []string{"parquet", "zstd", "zlib"} {
		if err := d.run(ctx, "CREATE DATABASE IF NOT EXISTS tpch_"+name); err != nil {
			return err
		}
		for _, table := range tpchgen.Tables() {
			dir := filepath.Join(d.Tables, table)
			if name != "parquet" {
				dir = d.ORC(name, table)
			}
			if err := d.run(ctx, fmt.Sprintf("CREATE EXTERNAL TABLE IF NOT EXISTS tpch_%s.%s LOCATION '%s'", name, table, dir)); err != nil {
				return err
			}
		}
	}
	return d.run(ctx, "CREATE DATABASE IF NOT EXISTS tpch_parquet_zstd",
		fmt.Sprintf("CREATE EXTERNAL TABLE IF NOT EXISTS tpch_parquet_zstd.lineitem LOCATION '%s'", d.zstdParquet()))
}

// TPCH measures a query of TPC-H on tables of a format; cached leaves the page cache on.
func (d *Data) TPCH(ctx context.Context, format string, n int, cached bool) (Sample, error) {
	before := []string{"USE tpch_" + format}
	if cached {
		before = append(before, "SET enable_page_cache = 1")
	}
	return d.Query(ctx, tpch.Query(n), before...)
}
