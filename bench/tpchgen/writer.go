package tpchgen

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// tableWriter writes one file. Write reads the chunk only during the call. Close
// finishes the file under its final name; Abort removes what was written. One of the
// two ends the writer.
type tableWriter interface {
	Write(c *chunk) error
	Close() error
	Abort()
}

// newTableWriter opens a writer of t's rows at path, with row groups of groupRows rows.
type newTableWriter func(t *table, path string, groupRows int) (tableWriter, error)

// parquetWriter writes snappy-compressed Parquet with statistics and page indexes.
// Columns are optional, as the usual exporters write them, though no value is null.
type parquetWriter struct {
	table     *table
	path      string
	file      *os.File
	buf       *bufio.Writer
	w         *parquet.GenericWriter[any]
	columns   []*parquet.ColumnWriter
	groupRows int
	inGroup   int
	values    []parquet.Value
}

func newParquetWriter(t *table, path string, groupRows int) (tableWriter, error) {
	file, err := os.Create(unfinished(path))
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", t.name, err)
	}
	buf := bufio.NewWriterSize(file, 1<<20)
	w := parquet.NewGenericWriter[any](buf,
		parquetSchema(t),
		parquet.Compression(&parquet.Snappy),
		parquet.DataPageVersion(1),
		parquet.DataPageStatistics(true),
		parquet.CreatedBy("basalt tpchgen", "1", ""),
	)
	return &parquetWriter{
		table: t, path: path, file: file, buf: buf, w: w,
		columns: w.ColumnWriters(), groupRows: groupRows,
	}, nil
}

// unfinished is the name of a file while it is being written: readers of the folder
// skip names that begin with an underscore.
func unfinished(path string) string {
	return filepath.Join(filepath.Dir(path), "_"+filepath.Base(path))
}

func (p *parquetWriter) Write(c *chunk) error {
	for lo := 0; lo < c.rows; {
		hi := min(c.rows, lo+p.groupRows-p.inGroup)
		for i, col := range p.table.columns {
			p.toValues(i, col.kind, &c.columns[i], lo, hi)
			if _, err := p.columns[i].WriteRowValues(p.values); err != nil {
				return fmt.Errorf("writing %s.%s: %w", p.table.name, col.name, err)
			}
		}
		p.inGroup += hi - lo
		lo = hi
		if p.inGroup == p.groupRows {
			if err := p.w.Flush(); err != nil {
				return fmt.Errorf("writing %s: %w", p.table.name, err)
			}
			p.inGroup = 0
		}
	}
	return nil
}

// toValues puts rows [lo, hi) of v into p.values.
func (p *parquetWriter) toValues(col int, k kind, v *vector, lo, hi int) {
	p.values = p.values[:0]
	switch k {
	case kindInt32, kindDate:
		for _, x := range v.i32[lo:hi] {
			p.values = append(p.values, parquet.Int32Value(x).Level(0, 1, col))
		}
	case kindInt64, kindDecimal:
		for _, x := range v.i64[lo:hi] {
			p.values = append(p.values, parquet.Int64Value(x).Level(0, 1, col))
		}
	case kindText:
		for _, x := range v.text[lo:hi] {
			p.values = append(p.values, parquet.ByteArrayValue(x).Level(0, 1, col))
		}
	}
}

func (p *parquetWriter) Close() error {
	err := p.w.Close()
	if err == nil {
		err = p.buf.Flush()
	}
	if closeErr := p.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(p.file.Name(), p.path)
	}
	if err != nil {
		os.Remove(p.file.Name())
		return fmt.Errorf("finishing %s: %w", p.path, err)
	}
	return nil
}

func (p *parquetWriter) Abort() {
	p.file.Close()
	os.Remove(p.file.Name())
}

// orderedGroup is a Parquet group that keeps its columns in the order of the table;
// the library's own sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g *orderedGroup) Fields() []parquet.Field { return g.fields }

func parquetSchema(t *table) *parquet.Schema {
	group := parquet.Group{}
	for _, c := range t.columns {
		group[c.name] = parquet.Optional(parquetNode(c))
	}
	byName := map[string]parquet.Field{}
	for _, f := range group.Fields() {
		byName[f.Name()] = f
	}
	ordered := &orderedGroup{Group: group}
	for _, c := range t.columns {
		ordered.fields = append(ordered.fields, byName[c.name])
	}
	return parquet.NewSchema(t.name, ordered)
}

func parquetNode(c column) parquet.Node {
	var n parquet.Node
	switch c.kind {
	case kindInt32:
		n = parquet.Leaf(parquet.Int32Type)
	case kindInt64:
		n = parquet.Leaf(parquet.Int64Type)
	case kindDecimal:
		n = parquet.Decimal(2, 15, parquet.Int64Type)
	case kindDate:
		n = parquet.Date()
	case kindText:
		n = parquet.String()
	}
	if c.dict {
		return parquet.Encoded(n, &parquet.RLEDictionary)
	}
	return parquet.Encoded(n, &parquet.Plain)
}
