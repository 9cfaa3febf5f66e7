package catalog

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/statistics"

	"go.etcd.io/bbolt"
)

// Statistics are what ANALYZE found out about a table. Immutable.
type Statistics struct {
	Rows    int64     // of the table when it was last analyzed
	Updated time.Time // when
	Columns []ColumnStatistics
}

// ColumnStatistics are those of one column, as of Updated.
type ColumnStatistics struct {
	ColumnID int32
	Rows     int64 // of the table
	Sampled  int64 // rows that were looked at
	Origin   storage.Origin
	Updated  time.Time
	Distinct int64   // -1: unknown
	Nulls    int64   // -1: unknown
	AvgBytes float64 // 0: unknown
	// Values are as valueText writes them.
	Min, Max  *string       `json:",omitempty"`
	Common    []CommonValue `json:",omitempty"`
	Histogram []string      `json:",omitempty"`
}

// CommonValue is a frequent value and its fraction of the rows that are not NULL.
type CommonValue struct {
	Value    string
	Fraction float64
}

// Column finds the statistics of a column; nil when it was not analyzed.
func (s *Statistics) Column(id int32) *ColumnStatistics {
	if s == nil {
		return nil
	}
	for i := range s.Columns {
		if s.Columns[i].ColumnID == id {
			return &s.Columns[i]
		}
	}
	return nil
}

// With is s with other statistics of some columns.
func (s *Statistics) With(rows int64, now time.Time, cols []ColumnStatistics) *Statistics {
	out := &Statistics{Rows: rows, Updated: now}
	replaced := map[int32]bool{}
	for _, c := range cols {
		replaced[c.ColumnID] = true
	}
	if s != nil {
		for _, c := range s.Columns {
			if !replaced[c.ColumnID] {
				out.Columns = append(out.Columns, c)
			}
		}
	}
	out.Columns = append(out.Columns, cols...)
	return out
}

// Without is s without some columns; nil when none is left.
func (s *Statistics) Without(drop func(id int32) bool) *Statistics {
	if s == nil {
		return nil
	}
	out := &Statistics{Rows: s.Rows, Updated: s.Updated}
	for _, c := range s.Columns {
		if !drop(c.ColumnID) {
			out.Columns = append(out.Columns, c)
		}
	}
	if len(out.Columns) == 0 {
		return nil
	}
	return out
}

// AnalyzedColumn turns collected statistics into the stored form.
func AnalyzedColumn(id int32, rows, sampled int64, now time.Time, s *storage.ColumnStats) ColumnStatistics {
	out := ColumnStatistics{
		ColumnID: id, Rows: rows, Sampled: sampled, Origin: s.Origin, Updated: now, Distinct: s.Distinct, Nulls: s.Nulls, AvgBytes: s.AvgBytes,
	}
	if s.Min != nil && s.Max != nil {
		lo, ok1 := valueText(*s.Min)
		hi, ok2 := valueText(*s.Max)
		if ok1 && ok2 {
			out.Min, out.Max = &lo, &hi
		}
	}
	for _, c := range s.Common {
		if text, ok := valueText(c.Value); ok {
			out.Common = append(out.Common, CommonValue{text, c.Fraction})
		}
	}
	for _, v := range s.Histogram {
		text, ok := valueText(v)
		if !ok {
			out.Histogram = nil
			break
		}
		out.Histogram = append(out.Histogram, text)
	}
	return out
}

// Stats are the statistics in the planner's form.
func (c *ColumnStatistics) Stats(t sqltype.Type) storage.ColumnStats {
	out := storage.ColumnStats{Distinct: c.Distinct, Nulls: c.Nulls, AvgBytes: c.AvgBytes, Origin: c.Origin}
	if c.Min != nil && c.Max != nil {
		lo, ok1 := parseValue(t, *c.Min)
		hi, ok2 := parseValue(t, *c.Max)
		if ok1 && ok2 {
			out.Min, out.Max = &lo, &hi
		}
	}
	for _, x := range c.Common {
		if v, ok := parseValue(t, x.Value); ok {
			out.Common = append(out.Common, storage.CommonValue{Value: v, Fraction: x.Fraction})
		}
	}
	for _, x := range c.Histogram {
		v, ok := parseValue(t, x)
		if !ok {
			out.Histogram = nil
			break
		}
		out.Histogram = append(out.Histogram, v)
	}
	return out
}

// PlannerStats are the analyzed statistics by position of t.Columns, and the rows they are of; nil without any.
// Columns that were not analyzed have Distinct and Nulls -1.
func (t *Table) PlannerStats() *storage.Stats {
	if t.Statistics == nil {
		return nil
	}
	out := &storage.Stats{Rows: t.Statistics.Rows, Bytes: -1, Columns: make([]storage.ColumnStats, len(t.Columns))}
	for i, c := range t.Columns {
		out.Columns[i] = storage.ColumnStats{Distinct: -1, Nulls: -1}
		if s := t.Statistics.Column(c.ID); s != nil {
			out.Columns[i] = s.Stats(c.Type)
			if s.Rows > 0 && s.Nulls > 0 && s.Rows != out.Rows { // counts as of one number of rows
				out.Columns[i].Nulls = int64(float64(s.Nulls) / float64(s.Rows) * float64(out.Rows))
			}
		}
	}
	return out
}

// FileStats are the statistics of one file, by position of cols.
func FileStats(f *DataFile, cols []Column) *storage.Stats {
	out := &storage.Stats{Rows: f.Rows, Bytes: f.Bytes, Columns: make([]storage.ColumnStats, len(cols))}
	for i, c := range cols {
		out.Columns[i] = storage.ColumnStats{Distinct: -1, Nulls: f.Rows, Origin: storage.OriginFiles} // a column added later: NULLs
		for k := range f.Columns {
			if f.Columns[k].ColumnID == c.ID {
				out.Columns[i] = f.Columns[k].stats(c.Type)
			}
		}
	}
	return out
}

// FileColumn is what is kept of a column of a file that was written.
func FileColumn(id int32, st *storage.ColumnStats) FileColumnStats {
	out := FileColumnStats{ColumnID: id, Nulls: st.Nulls, AvgBytes: st.AvgBytes}
	if st.Sketch != nil {
		out.Sketch = st.Sketch.AppendBinary(nil)
	}
	if st.Min != nil && st.Max != nil {
		lo, ok1 := valueText(*st.Min)
		hi, ok2 := valueText(*st.Max)
		if ok1 && ok2 {
			out.Min, out.Max, out.Form = &lo, &hi, formOf(st.Min.Type)
		}
	}
	return out
}

// formOf tells types apart whose stored values mean different things: the bounds of a column that was
// DATE say nothing when it is DATETIME. Integers are alike, and so are strings; 0 is no form.
func formOf(t sqltype.Type) uint16 {
	switch {
	case t.IsInteger():
		return 1
	case t.Physical() == sqltype.PhysString:
		return 2
	}
	return uint16(t.Kind)<<8 | uint16(t.Scale)
}

// Range is what is known of column c in the file, for pruning. A column that the file lacks is
// unknown.
func (f *DataFile) Range(c *Column) storage.Range {
	r := storage.Range{Nulls: -1, Rows: f.Rows, HasNaN: c.Type.IsFloat()}
	for k := range f.Columns {
		s := &f.Columns[k]
		if s.ColumnID != c.ID {
			continue
		}
		r.Nulls = s.Nulls
		if s.Min != nil && s.Max != nil && s.Form == formOf(c.Type) {
			lo, ok1 := parseValue(c.Type, *s.Min)
			hi, ok2 := parseValue(c.Type, *s.Max)
			if ok1 && ok2 {
				r.Min, r.Max = &lo, &hi
			}
		}
	}
	return r
}

func (s *FileColumnStats) stats(t sqltype.Type) storage.ColumnStats {
	out := storage.ColumnStats{Distinct: -1, Nulls: s.Nulls, AvgBytes: s.AvgBytes, Origin: storage.OriginFiles}
	if len(s.Sketch) > 0 {
		if sk, err := hll.Decode(s.Sketch); err == nil {
			out.Sketch, out.Distinct = sk, sk.Estimate()
		}
	}
	return out
}

// WrittenStats are the distinct values, NULLs and widths that were collected when the given files of t were written, by
// position of t.Columns; unknown where one of the files has none.
func (t *Table) WrittenStats(keep func(f *DataFile) bool) *storage.Stats {
	var parts []*storage.Stats
	for i := range t.Files {
		if f := &t.Files[i]; keep == nil || keep(f) {
			parts = append(parts, FileStats(f, t.Columns))
		}
	}
	return statistics.Merge(len(t.Columns), parts)
}

// valueText is a stored value: integers and unscaled decimals in digits, floats in full, strings as they are. Strings that
// are not UTF-8 have none.
func valueText(v vector.Value) (string, bool) {
	switch v.Type.Physical() {
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		return strconv.FormatFloat(v.F, 'g', -1, 64), true
	case sqltype.PhysString:
		return v.S, utf8.ValidString(v.S)
	}
	return string(int128.AppendDecimal(nil, v.I, 0)), true
}

func parseValue(t sqltype.Type, text string) (vector.Value, bool) {
	v := vector.Value{Type: t}
	switch t.Physical() {
	case sqltype.PhysFloat32, sqltype.PhysFloat64:
		f, err := strconv.ParseFloat(text, 64)
		v.F = f
		return v, err == nil
	case sqltype.PhysString:
		v.S = text
		return v, true
	}
	x, ok := int128.Parse(text)
	v.I = x
	return v, ok
}

// SetStatistics replaces the statistics of a table; nil removes them. The table is found by id, as by SetFiles.
func (tx *Tx) SetStatistics(database string, id int64, s *Statistics) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	for name, t := range d.tables {
		if t.ID != id {
			continue
		}
		next := *t
		next.Source, next.Statistics = nil, s
		d.tables[name] = &next
		tx.ops = append(tx.ops, putStatistics(&next))
		return nil
	}
	return sqlerr.New(sqlerr.UnknownTable, "Table %d of database '%s' was dropped meanwhile", id, database)
}

// StoreStatistics stores the statistics of a table that ChangeTable changed.
func (tx *Tx) StoreStatistics(t *Table) { tx.ops = append(tx.ops, putStatistics(t)) }

// The store's bucket statistics: id (8 bytes, big endian) -> Statistics. Older stores have none.
var bucketStatistics = []byte("statistics")

func putStatistics(t *Table) storeOp {
	if t.Statistics == nil {
		return dropStatistics(t)
	}
	return putJSON(bucketStatistics, idKey(t.ID), t.Statistics)
}

func dropStatistics(t *Table) storeOp { return del(bucketStatistics, idKey(t.ID)) }

func loadStatistics(tx *bbolt.Tx, t *Table) error {
	b := tx.Bucket(bucketStatistics)
	if b == nil {
		return nil
	}
	data := b.Get(idKey(t.ID))
	if data == nil {
		return nil
	}
	t.Statistics = &Statistics{}
	return json.Unmarshal(data, t.Statistics)
}
