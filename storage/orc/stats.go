package orc

import (
	"math"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// Fixes of writer versions below which statistics are not believed.
const (
	fixedHive8732 = 1 // maxima, and bounds of strings
	fixedOrc135   = 6 // bounds of timestamps
)

// rangeOf is what encoded statistics tell of rows rows of a top-level column, in the file's
// type. Absent statistics, and those that the writer is known to get wrong, are unknown.
func (f *File) rangeOf(c *fileColumn, raw []byte, rows int64) storage.Range {
	r := storage.Range{Nulls: -1, Rows: rows, HasNaN: c.Type.IsFloat()}
	if raw == nil {
		return r
	}
	values, hasValues, hasNull := int64(0), false, -1
	var lo, hi vector.Value
	known := false
	m := message{b: raw}
	for m.next() {
		switch m.field {
		case 1:
			values, hasValues = int64(m.uint()), true
		case 2, 3, 4, 5, 6, 7, 9:
			if f.trusted(c) {
				lo, hi, known = f.bounds(c, m.field, m.bytes(), values, &r)
			}
		case 10:
			hasNull = int(m.uint() & 1)
		}
	}
	if m.err != nil {
		return storage.Range{Nulls: -1, Rows: rows, HasNaN: c.Type.IsFloat()}
	}
	switch {
	case !hasValues || values < 0 || values > rows:
	case hasNull == 0 && values == rows:
		r.Nulls = 0
	case values < rows && hasNull != 0:
		r.Nulls = rows - values
	}
	if known && lo.Compare(hi) <= 0 {
		r.Min, r.Max = &lo, &hi
	}
	return r
}

// trusted reports whether bounds of the column can be believed.
func (f *File) trusted(c *fileColumn) bool {
	t := &f.tail
	x := &f.types[c.id]
	switch {
	case c.unsupported != "" || x.kind == kindChar:
		return false // bounds of CHAR are padded, and ordered with the padding
	case t.writer == writerJava && t.writerVersion < fixedHive8732:
		return false
	case x.kind == kindTimestamp || x.kind == kindTimestampInstant:
		return t.writerVersion >= fixedOrc135
	case x.kind == kindDecimal:
		if x.precision == 0 || t.writer == writerJava && t.writerVersion == fixedOrc135 && x.precision <= sqltype.MaxShortDecimal {
			return false
		}
	}
	return true
}

// Fields of ColumnStatistics.
const (
	statsInt       = 2
	statsDouble    = 3
	statsString    = 4
	statsBucket    = 5
	statsDecimal   = 6
	statsDate      = 7
	statsBinary    = 8
	statsTimestamp = 9
)

// bounds decodes the bounds of one kind of statistics; ok is false where there are none.
func (f *File) bounds(c *fileColumn, field int, b []byte, values int64, r *storage.Range) (lo, hi vector.Value, ok bool) {
	lo.Type, hi.Type = c.Type, c.Type
	kind := f.types[c.id].kind
	switch {
	case field == statsInt && kind >= kindByte && kind <= kindLong:
		a, z, ok := sintBounds(b)
		width := uint(64 - 8*c.Type.Physical().Size())
		if a<<width>>width != a || z<<width>>width != z {
			return lo, hi, false
		}
		lo.I, hi.I = int128.FromInt64(a), int128.FromInt64(z)
		return lo, hi, ok
	case field == statsDate && kind == kindDate:
		a, z, ok := sintBounds(b)
		if a != int64(int32(a)) || z != int64(int32(z)) {
			return lo, hi, false
		}
		days := []int32{int32(a), int32(z)}
		if f.tail.calendar == calendarHybrid {
			rebaseDates(days)
		}
		lo.I, hi.I = int128.FromInt64(int64(days[0])), int128.FromInt64(int64(days[1]))
		return lo, hi, ok
	case field == statsDouble && c.Type.IsFloat():
		return doubleBounds(b, lo, hi, r)
	case field == statsString && (kind == kindString || kind == kindVarchar):
		return stringBounds(b, lo, hi)
	case field == statsBucket && kind == kindBoolean:
		m := message{b: b}
		var counts []uint64
		for m.next() {
			if m.field == 1 {
				counts = m.uints(counts)
			}
		}
		if len(counts) == 0 || values <= 0 {
			return lo, hi, false
		}
		if counts[0] >= uint64(values) {
			lo.I.Lo = 1
		}
		if counts[0] > 0 {
			hi.I.Lo = 1
		}
		return lo, hi, m.err == nil
	case field == statsDecimal && kind == kindDecimal:
		return decimalBounds(b, lo, hi)
	case field == statsTimestamp && (kind == kindTimestamp || kind == kindTimestampInstant):
		return timestampBounds(b, lo, hi)
	}
	return lo, hi, false
}

func sintBounds(b []byte) (lo, hi int64, ok bool) {
	m := message{b: b}
	seen := 0
	for m.next() {
		switch m.field {
		case 1:
			lo = m.sint()
			seen |= 1
		case 2:
			hi = m.sint()
			seen |= 2
		}
	}
	return lo, hi, seen == 3 && m.err == nil
}

func doubleBounds(b []byte, lo, hi vector.Value, r *storage.Range) (vector.Value, vector.Value, bool) {
	m := message{b: b}
	seen, sum := 0, math.NaN()
	for m.next() {
		switch m.field {
		case 1:
			lo.F = m.double()
			seen |= 1
		case 2:
			hi.F = m.double()
			seen |= 2
		case 3:
			sum = m.double()
		}
	}
	if m.err != nil || seen != 3 || sum != sum || lo.F != lo.F || hi.F != hi.F {
		return lo, hi, false // a NaN among the values makes the sum NaN
	}
	r.HasNaN = false
	return lo, hi, true
}

func stringBounds(b []byte, lo, hi vector.Value) (vector.Value, vector.Value, bool) {
	m := message{b: b}
	seen := 0
	for m.next() {
		switch m.field {
		case 1, 4: // the value, or a shorter bound of a long one
			lo.S = m.text()
			seen |= 1
		case 2, 5:
			hi.S = m.text()
			seen |= 2
		}
	}
	return lo, hi, m.err == nil && seen == 3
}

func decimalBounds(b []byte, lo, hi vector.Value) (vector.Value, vector.Value, bool) {
	m := message{b: b}
	ok1, ok2 := false, false
	for m.next() {
		switch m.field {
		case 1:
			lo.I, ok1 = parseDecimal(string(m.bytes()), lo.Type)
		case 2:
			hi.I, ok2 = parseDecimal(string(m.bytes()), hi.Type)
		}
	}
	return lo, hi, m.err == nil && ok1 && ok2
}

// parseDecimal reads plain decimal text exactly, at the scale of t.
func parseDecimal(s string, t sqltype.Type) (int128.Int, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	scale := int(t.Scale)
	for len(fraction) > scale {
		if fraction[len(fraction)-1] != '0' {
			return int128.Int{}, false
		}
		fraction = fraction[:len(fraction)-1]
	}
	if whole == "" || whole == "-" {
		whole += "0"
	}
	return int128.Parse(whole + fraction + strings.Repeat("0", scale-len(fraction)))
}

// timestampBounds are in milliseconds; what is finer is rounded outwards.
func timestampBounds(b []byte, lo, hi vector.Value) (vector.Value, vector.Value, bool) {
	m := message{b: b}
	seen := 0
	var a, z int64
	for m.next() {
		switch m.field {
		case 3:
			a = m.sint()
			seen |= 1
		case 4:
			z = m.sint()
			seen |= 2
		}
	}
	const limit = math.MaxInt64/1000 - 1
	if m.err != nil || seen != 3 || a < -limit || a > limit || z < -limit || z > limit {
		return lo, hi, false
	}
	lo.I, hi.I = int128.FromInt64(a*1000), int128.FromInt64(z*1000+999)
	return lo, hi, true
}

// stripeStatistics are the encoded ColumnStatistics of all stripes, by stripe and column.
type stripeStatistics struct {
	once sync.Once
	list [][][]byte
}

// stripeStats decodes the stripe statistics, once. What is malformed is absent.
func (f *File) stripeStats() [][][]byte {
	f.perStripe.once.Do(func() {
		b, err := expandAll(f.tail.codec, f.tail.block, f.tail.statsBytes)
		if err != nil {
			return
		}
		m := message{b: b}
		for m.next() {
			if m.field != 1 {
				continue
			}
			var cols [][]byte
			x := message{b: m.bytes()}
			for x.next() {
				if x.field == 1 {
					cols = append(cols, x.bytes())
				}
			}
			f.perStripe.list = append(f.perStripe.list, cols)
		}
		if m.err != nil || len(f.perStripe.list) != len(f.stripes) {
			f.perStripe.list = nil
		}
	})
	return f.perStripe.list
}

// statsAt is list[id], nil where there is none.
func statsAt(list [][]byte, id uint32) []byte {
	if int(id) < len(list) {
		return list[id]
	}
	return nil
}

// lookup is the pruning view of rows of file k, of which stats gives the encoded
// statistics by column id.
func (s *Source) lookup(k int, rows int64, stats func(id uint32) []byte) func(int) storage.Range {
	f, m := s.files[k], s.mapping[k]
	return func(column int) storage.Range {
		at := m[column].column
		if m[column].bad != nil {
			return storage.Range{Nulls: -1, Rows: rows, HasNaN: true}
		}
		if at < 0 {
			return storage.Range{Nulls: rows, Rows: rows}
		}
		c := &f.columns[at]
		r := f.rangeOf(c, stats(c.id), rows)
		if m[column].cast {
			to := s.columns[column].Type
			if !widen.Ordered(c.Type, to) { // bad text becomes NULL
				return storage.Range{Nulls: -1, Rows: rows, HasNaN: true}
			}
			r.Min, r.Max = widen.Bound(r.Min, c.Type, to), widen.Bound(r.Max, c.Type, to)
			r.HasNaN = r.HasNaN && to.IsFloat()
		}
		return r
	}
}

func mayMatch(prune []storage.Predicate, lookup func(int) storage.Range) bool {
	for i := range prune {
		if !prune[i].MayMatch(lookup) {
			return false
		}
	}
	return true
}

// stripeLookup is the pruning view of the stripes of file k.
func (s *Source) stripeLookup(k int, used bool) func(stripe int) func(int) storage.Range {
	f := s.files[k]
	var list [][][]byte
	if used {
		list = f.stripeStats()
	}
	return func(stripe int) func(int) storage.Range {
		var cols [][]byte
		if stripe < len(list) {
			cols = list[stripe]
		}
		return s.lookup(k, f.stripes[stripe].rows, func(id uint32) []byte { return statsAt(cols, id) })
	}
}

// fileLookup is the pruning view of the whole of file k.
func (s *Source) fileLookup(k int) func(int) storage.Range {
	f := s.files[k]
	return s.lookup(k, f.rows, func(id uint32) []byte { return f.fileStat(id) })
}

// fileStat are the file's statistics of a column; the footer's count of rows must be right
// for them to be.
func (f *File) fileStat(id uint32) []byte {
	if f.tail.rows != f.rows {
		return nil
	}
	return statsAt(f.tail.fileStats, id)
}

// mergeStats sums up the statistics of all files. One file without a bound makes the bound
// unknown.
func (s *Source) mergeStats() *storage.Stats {
	out := &storage.Stats{Columns: make([]storage.ColumnStats, len(s.columns))}
	for _, f := range s.files {
		out.Rows += f.rows
		out.Bytes += f.info.Size
	}
	for i := range s.columns {
		out.Columns[i] = s.mergeColumn(i)
	}
	return out
}

func (s *Source) mergeColumn(i int) storage.ColumnStats {
	st := storage.ColumnStats{Distinct: -1}
	first, known := true, true
	var rows, text int64
	for k, f := range s.files {
		if f.rows == 0 {
			continue
		}
		r := s.fileLookup(k)(i)
		rows += f.rows
		if r.Nulls < 0 || st.Nulls < 0 {
			st.Nulls = -1
		} else {
			st.Nulls += r.Nulls
		}
		if r.Nulls == r.Rows {
			continue // no value, no bound
		}
		if at := s.mapping[k][i].column; at >= 0 {
			text += textBytes(f.fileStat(f.columns[at].id))
		}
		if r.Min == nil || r.Max == nil {
			known = false
			continue
		}
		if first || r.Min.Compare(*st.Min) < 0 {
			st.Min = r.Min
		}
		if first || r.Max.Compare(*st.Max) > 0 {
			st.Max = r.Max
		}
		first = false
	}
	if !known {
		st.Min, st.Max = nil, nil
	}
	t := s.columns[i].Type
	st.Distinct = s.estimateDistinct(i, &st, rows)
	if t.Physical() != sqltype.PhysString {
		st.AvgBytes = float64(t.Physical().Size())
	} else if rows > 0 && text > 0 {
		st.AvgBytes = max(1, float64(text)/float64(rows))
	}
	return st
}

// textBytes is the total length of a column's strings, 0 where it is unknown.
func textBytes(raw []byte) int64 {
	m := message{b: raw}
	for m.next() {
		if m.field != statsString && m.field != statsBinary {
			continue
		}
		sum := 3
		if m.field == statsBinary {
			sum = 1
		}
		x := message{b: m.bytes()}
		for x.next() {
			if x.field == sum {
				return max(0, x.sint())
			}
		}
	}
	return 0
}

// estimateDistinct estimates the distinct values of a table's column: from the dictionary
// size of the first file's largest stripe, and from the width of an integer range.
func (s *Source) estimateDistinct(column int, st *storage.ColumnStats, rows int64) int64 {
	best := int64(-1)
	if t := s.columns[column].Type; st.Min != nil && st.Max != nil && (t.IsInteger() || t.Kind == sqltype.Date || t.Kind == sqltype.Boolean) {
		if d, ok := st.Max.I.SubOK(st.Min.I); ok && d.Less(int128.FromInt64(rows)) {
			best = int64(d.Lo) + 1
		} else {
			best = rows
		}
	}
	for k, f := range s.files {
		at := s.mapping[k][column].column
		if at < 0 || len(f.stripes) == 0 {
			continue
		}
		n, stripeRows := f.dictionarySize(f.columns[at].id)
		if n <= 0 || stripeRows == 0 {
			return best
		}
		if n > stripeRows/10 { // values hardly repeat within the stripe: new ones come with rows
			n = int64(float64(n) / float64(stripeRows) * float64(rows))
		}
		if best < 0 || n < best {
			best = n
		}
		return best
	}
	return best
}

// dictionarySize is the number of entries of a column's dictionary in the largest stripe,
// 0 without one, and the stripe's rows. It reads that stripe's footer.
func (f *File) dictionarySize(id uint32) (entries, rows int64) {
	largest := 0
	for i := range f.stripes {
		if f.stripes[i].rows > f.stripes[largest].rows {
			largest = i
		}
	}
	footer := f.footers[largest].Load()
	if footer == nil {
		file, err := f.open()
		if err != nil {
			return 0, 0 // estimates only: the scan will report it
		}
		defer file.Close()
		if footer, err = f.stripeFooter(file, largest); err != nil {
			return 0, 0
		}
	}
	e := footer.encodings[id]
	if e.kind != encDictionary && e.kind != encDictionaryV2 {
		return 0, f.stripes[largest].rows
	}
	return int64(min(e.dictSize, 1<<40)), f.stripes[largest].rows
}
