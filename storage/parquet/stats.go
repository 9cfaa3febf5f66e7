package parquet

import (
	"math"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/widen"
)

// rangeOf is what the statistics of a column chunk tell, in the leaf's type.
func (f *File) rangeOf(l *leaf, group int) storage.Range {
	g := &f.meta.groups[group]
	c := &g.chunks[l.index]
	r := storage.Range{Nulls: -1, Rows: g.rows, HasNaN: true}
	s := &c.stats
	if s.nulls >= 0 && s.nulls <= g.rows && !(s.nulls == 0 && f.wrongNullCounts()) {
		r.Nulls = s.nulls
	}
	if !l.optional {
		r.Nulls = 0
	}
	order := int8(orderUnknown)
	if l.index < len(f.meta.orders) {
		order = f.meta.orders[l.index]
	}
	lo, hi := s.minValue, s.maxValue
	switch {
	case order == orderType && lo != nil && hi != nil:
	case l.oldStatistics():
		if lo == nil || hi == nil {
			lo, hi = s.min, s.max // deprecated: compared as signed, right for these types
		}
	default:
		lo, hi = nil, nil
	}
	if lo != nil && hi != nil {
		r.Min, r.Max = l.bounds(lo, hi)
	}
	r.HasNaN = l.Type.IsFloat() && s.nans != 0
	return r
}

// wrongNullCounts reports a writer that says 0 nulls where there are some: Arrow's C++
// library up to 5 did for dictionary arrays.
func (f *File) wrongNullCounts() bool {
	version, ok := strings.CutPrefix(f.meta.createdBy, "parquet-cpp")
	version = strings.TrimPrefix(version, "-arrow")
	version, ok2 := strings.CutPrefix(version, " version ")
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return ok && ok2 && err == nil && n <= 5
}

// oldStatistics reports whether the deprecated min and max order as the type does.
func (l *leaf) oldStatistics() bool {
	switch l.elem.typ {
	case physBoolean, physFloat, physDouble:
		return true
	case physInt32, physInt64:
		switch l.conv {
		case convUint8To16, convUint16To32, convUint32To64, convUint64To128:
			return false
		}
		return true
	}
	return false
}

// bounds decodes a minimum and a maximum; nil where they cannot be used: of a wrong
// width, contradicting each other, NaN, or of a type whose order is not ours.
func (l *leaf) bounds(lo, hi []byte) (minimum, maximum *vector.Value) {
	a, ok1 := l.bound(lo)
	b, ok2 := l.bound(hi)
	if !ok1 || !ok2 || a.Compare(b) > 0 {
		return nil, nil
	}
	if l.Type.IsFloat() {
		if a.F != a.F || b.F != b.F {
			return nil, nil
		}
		if a.F == 0 { // -0 may be among the values, whatever the sign here
			a.F = math.Copysign(0, -1)
		}
		if b.F == 0 {
			b.F = 0
		}
	}
	return &a, &b
}

// bound decodes one bound, which is PLAIN without the length prefix of byte arrays.
func (l *leaf) bound(p []byte) (vector.Value, bool) {
	v := vector.Value{Type: l.Type}
	if !l.flat() || l.broken != "" || l.conv == convInt96 || l.conv == convUUID {
		return v, false // the order of INT96 is undefined
	}
	if l.elem.typ == physByteArray {
		if l.conv.fromStrings() {
			var ok bool
			v.I, ok = bigEndianInt(p)
			return v, ok && len(p) > 0
		}
		v.S = string(p)
		return v, true
	}
	if len(p) != l.storedWidth() {
		return v, false
	}
	if l.conv == convFixedBytes {
		v.S = string(p)
		return v, true
	}
	if l.conv == convInt32To8 || l.conv == convInt32To16 || l.conv == convUint8To16 || l.conv == convUint16To32 {
		wide := int64(int32(uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24))
		if !narrowFits(l.conv, wide) {
			return v, false
		}
	}
	one := &vector.Vector{Type: l.Type, Len: 1, Data: alignedBytes(max(l.Type.Physical().Size(), 1))}
	if err := convertFixed(l.conv, l.storedWidth(), one.Data, p, 1); err != nil {
		return v, false
	}
	return one.Value(0), true
}

// narrowFits reports whether a stored 32-bit value is of the narrow type at all.
func narrowFits(c conversion, x int64) bool {
	switch c {
	case convInt32To8:
		return x >= math.MinInt8 && x <= math.MaxInt8
	case convInt32To16:
		return x >= math.MinInt16 && x <= math.MaxInt16
	case convUint8To16:
		return x >= 0 && x <= math.MaxUint8
	}
	return x >= 0 && x <= math.MaxUint16
}

// lookup is the pruning view of row group g of file k.
func (s *Source) lookup(k, g int) func(int) storage.Range {
	f, m := s.files[k], s.mapping[k]
	return func(column int) storage.Range {
		at := m[column].leaf
		if m[column].bad != nil {
			return storage.Range{Nulls: -1, Rows: f.meta.groups[g].rows, HasNaN: true}
		}
		if at < 0 {
			rows := f.meta.groups[g].rows
			return storage.Range{Nulls: rows, Rows: rows}
		}
		l := &f.leaves[at]
		if !l.flat() {
			return storage.Range{Nulls: -1, Rows: f.meta.groups[g].rows}
		}
		r := f.rangeOf(l, g)
		if m[column].cast {
			to := s.columns[column].Type
			if !lossless(l.Type, to) {
				return storage.Range{Nulls: -1, Rows: r.Rows, HasNaN: true}
			}
			r.Min, r.Max = widen.Bound(r.Min, l.Type, to), widen.Bound(r.Max, l.Type, to)
		}
		return r
	}
}

// mayMatch reports whether row group g of file k can hold rows for the request.
func (s *Source) mayMatch(k, g int, prune []storage.Predicate) bool {
	if len(prune) == 0 {
		return true
	}
	lookup := s.lookup(k, g)
	for i := range prune {
		if !prune[i].MayMatch(lookup) {
			return false
		}
	}
	return true
}

// mergeStats sums up the statistics of all row groups. One group without a bound makes
// the bound unknown; a count of nulls is believed when every group has one.
func (s *Source) mergeStats() *storage.Stats {
	out := &storage.Stats{Columns: make([]storage.ColumnStats, len(s.columns))}
	for _, f := range s.files {
		out.Rows += f.meta.rows
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
	var rows, bytes int64
	for k, f := range s.files {
		m := s.mapping[k][i]
		if m.bad != nil {
			st.Nulls, known = -1, false
			continue
		}
		if m.leaf < 0 {
			if st.Nulls >= 0 {
				st.Nulls += f.meta.rows
			}
			continue
		}
		merged := f.mergedColumns()[m.leaf]
		rows += f.meta.rows
		bytes += merged.bytes
		if merged.nulls < 0 || st.Nulls < 0 || !lossless(f.leaves[m.leaf].Type, s.columns[i].Type) {
			st.Nulls = -1
		} else {
			st.Nulls += merged.nulls
		}
		if merged.empty {
			continue // no value, no bound
		}
		from, to := f.leaves[m.leaf].Type, s.columns[i].Type
		lo, hi := widen.Bound(merged.min, from, to), widen.Bound(merged.max, from, to)
		if lo == nil || hi == nil {
			known = false
			continue
		}
		if first || lo.Compare(*st.Min) < 0 {
			st.Min = lo
		}
		if first || hi.Compare(*st.Max) > 0 {
			st.Max = hi
		}
		first = false
	}
	if !known {
		st.Min, st.Max = nil, nil
	}
	st.Distinct = s.estimateDistinct(i, &st, rows)
	if s.columns[i].Type.Physical() != sqltype.PhysString {
		st.AvgBytes = float64(s.columns[i].Type.Physical().Size())
	} else if rows > 0 {
		st.AvgBytes = max(1, float64(bytes)/float64(rows)-4) // PLAIN has four bytes of length
		if at := s.mapping[0][i].leaf; at >= 0 && s.files[0].dicts.widths[at] > 0 {
			st.AvgBytes = s.files[0].dicts.widths[at]
		}
	}
	return st
}

// mergedColumn is what a file's row groups tell together of a column, in the file's type.
type mergedColumn struct {
	min, max *vector.Value // nil: unknown in some row group
	nulls    int64         // -1: unknown
	bytes    int64         // of pages before compression
	empty    bool          // no values at all
}

// mergedColumns merges the row groups' statistics, once a file: tables of many row groups
// are planned again and again.
func (f *File) mergedColumns() []mergedColumn {
	f.merged.once.Do(func() {
		f.merged.columns = make([]mergedColumn, len(f.leaves))
		for i := range f.leaves {
			f.merged.columns[i] = f.mergeGroups(&f.leaves[i])
		}
	})
	return f.merged.columns
}

func (f *File) mergeGroups(l *leaf) mergedColumn {
	out := mergedColumn{empty: true}
	known := l.flat()
	for g := range f.meta.groups {
		r := storage.Range{Nulls: -1, Rows: f.meta.groups[g].rows}
		if l.flat() {
			r = f.rangeOf(l, g)
			out.bytes += max(0, f.meta.groups[g].chunks[l.index].uncompressed)
		}
		if r.Rows == 0 {
			continue
		}
		if r.Nulls < 0 || out.nulls < 0 {
			out.nulls = -1
		} else {
			out.nulls += r.Nulls
		}
		if r.Nulls == r.Rows {
			continue
		}
		out.empty = false
		if r.Min == nil || r.Max == nil {
			known = false
			continue
		}
		if out.min == nil || r.Min.Compare(*out.min) < 0 {
			out.min = r.Min
		}
		if out.max == nil || r.Max.Compare(*out.max) > 0 {
			out.max = r.Max
		}
	}
	if !known {
		out.min, out.max = nil, nil
	}
	return out
}
