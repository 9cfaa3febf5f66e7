// Package statistics collects and merges the statistics of columns that the planner estimates with: counts,
// bounds, distinct values, and from a sample of rows the most frequent values and a histogram.
package statistics

import (
	"cmp"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Options choose what a Collector gathers beside rows, nulls, widths and distinct values.
type Options struct {
	// Sample is the number of rows that are kept for frequent values and histograms; 0: none.
	Sample int
	// Bounds asks for minima and maxima.
	Bounds bool
	// Precision of the sketches; 0: hll.FilePrecision.
	Precision int
	// Only, when set, are the columns to look at, by position; the others stay unknown.
	Only map[int]bool
}

// Collector gathers the statistics of rows as they pass. One goroutine uses it; collectors of
// several goroutines are merged.
type Collector struct {
	cols   []column
	rows   int64
	sample *sample
}

// column is what is gathered of one column.
type column struct {
	t       sqltype.Type
	skip    bool // not asked for, or of a nested type
	bounded bool
	nulls   int64
	bytes   int64
	sketch  *hll.Sketch
	min     *vector.Value
	max     *vector.Value
	hashes  []uint64
	used    []bool
	rows    []int32
}

// NewCollector makes a collector for batches of these columns.
func NewCollector(cols []storage.Column, o Options) *Collector {
	c := &Collector{cols: make([]column, len(cols))}
	for i, s := range cols {
		k := &c.cols[i]
		k.t, k.bounded = s.Type, o.Bounds
		k.skip = s.Type.Kind >= sqltype.Array || o.Only != nil && !o.Only[i]
		k.sketch = hll.New(cmp.Or(o.Precision, hll.FilePrecision))
	}
	if o.Sample > 0 {
		c.sample = newSample(o.Sample, len(cols))
	}
	return c
}

// Rows is the number of rows seen.
func (c *Collector) Rows() int64 { return c.rows }

// Add looks at the live rows of b, which stays the caller's.
func (c *Collector) Add(b *vector.Batch) {
	n := b.NumRows()
	if n == 0 {
		return
	}
	for i := range c.cols {
		if k := &c.cols[i]; !k.skip {
			k.add(b.Cols[i], b.Sel, n)
		}
	}
	if c.sample != nil {
		c.sample.add(b, func(i int) bool { return !c.cols[i].skip })
	}
	c.rows += int64(n)
}

// add hashes the values of rows sel of v (nil: all n).
func (k *column) add(v *vector.Vector, sel []int32, n int) {
	switch {
	case v.Form == vector.Constant:
		if v.IsNull(0) {
			k.nulls += int64(n)
			return
		}
		k.flat(v, []int32{0}, int64(n))
	case v.Form == vector.Dictionary:
		k.dictionary(v, sel, n)
	default:
		if v.Valid != nil {
			sel = k.filled(v, sel, n)
			if len(sel) == 0 {
				return
			}
		}
		k.flat(v, sel, 1)
	}
}

// filled are the rows that are not NULL; the others are counted.
func (k *column) filled(v *vector.Vector, sel []int32, n int) []int32 {
	out := k.rows[:0]
	for r := range n {
		i := r
		if sel != nil {
			i = int(sel[r])
		}
		if v.IsNull(i) {
			k.nulls++
		} else {
			out = append(out, int32(i))
		}
	}
	k.rows = out
	return out
}

// dictionary looks at each entry that rows use once.
func (k *column) dictionary(v *vector.Vector, sel []int32, n int) {
	size := v.Dict.Len
	if size > 2*n { // few of the entries are used: marking them costs more than hashing the rows
		if rows := k.filled(v, sel, n); len(rows) > 0 {
			k.flat(vector.CopyOf(v, rows), nil, 1)
		}
		return
	}
	if cap(k.used) < size {
		k.used = make([]bool, size)
	}
	used := k.used[:size]
	clear(used)
	text := k.t.Physical() == sqltype.PhysString
	var views []vector.View
	if text {
		views = vector.Values[vector.View](v.Dict)
	}
	for r := range n {
		i := r
		if sel != nil {
			i = int(sel[r])
		}
		if v.IsNull(i) {
			k.nulls++
			continue
		}
		code := v.Codes[i]
		used[code] = true
		if text {
			k.bytes += int64(views[code].Len())
		}
	}
	entries := make([]int32, 0, size)
	for i, u := range used {
		if u {
			entries = append(entries, int32(i))
		}
	}
	if len(entries) > 0 {
		k.flat(v.Dict, entries, 0)
	}
}

// flat hashes rows of a flat (or constant) vector without nulls; each stands for weight rows, of which 0
// means that widths were counted already.
func (k *column) flat(v *vector.Vector, sel []int32, weight int64) {
	k.hashes = k.hashes[:0]
	switch k.t.Physical() {
	case sqltype.PhysBool:
		eachOf(k, vector.Values[bool](v), sel, hashBool, lessBool, func(x bool) int128.Int { return int128.FromInt64(int64(bit(x))) })
	case sqltype.PhysInt8:
		eachOf(k, vector.Values[int8](v), sel, hashInt[int8], lessOrdered[int8], wide[int8])
	case sqltype.PhysInt16:
		eachOf(k, vector.Values[int16](v), sel, hashInt[int16], lessOrdered[int16], wide[int16])
	case sqltype.PhysInt32:
		eachOf(k, vector.Values[int32](v), sel, hashInt[int32], lessOrdered[int32], wide[int32])
	case sqltype.PhysInt64:
		k.int64s(vector.Values[int64](v), sel)
	case sqltype.PhysInt128:
		eachOf(k, vector.Values[int128.Int](v), sel, func(x int128.Int) uint64 { return hll.Hash128(x.Hi, x.Lo) }, int128.Int.Less,
			func(x int128.Int) int128.Int { return x })
	case sqltype.PhysFloat32:
		floats(k, vector.Values[float32](v), sel)
	case sqltype.PhysFloat64:
		floats(k, vector.Values[float64](v), sel)
	case sqltype.PhysString:
		k.strings(v, sel, weight)
	default:
		k.skip = true
		return
	}
	k.sketch.AddAll(k.hashes)
}

func bit(x bool) uint8 {
	if x {
		return 1
	}
	return 0
}

func hashBool(x bool) uint64 { return hll.Hash64(uint64(bit(x))) }

func lessBool(a, b bool) bool { return !a && b }

type integer interface {
	int8 | int16 | int32 | int64
}

func hashInt[T integer](x T) uint64 { return hll.Hash64(uint64(int64(x))) }

func lessOrdered[T integer](a, b T) bool { return a < b }

func wide[T integer](x T) int128.Int { return int128.FromInt64(int64(x)) }

// eachOf is the loop for types that are rare or narrow.
func eachOf[T any](k *column, vals []T, sel []int32, hash func(T) uint64, less func(a, b T) bool, toInt func(T) int128.Int) {
	n := len(vals)
	if sel != nil {
		n = len(sel)
	}
	if n == 0 {
		return
	}
	at := func(r int) T {
		if sel != nil {
			return vals[sel[r]]
		}
		return vals[r]
	}
	lo := at(0)
	hi := lo
	for r := range n {
		x := at(r)
		k.hashes = append(k.hashes, hash(x))
		if less(x, lo) {
			lo = x
		} else if less(hi, x) {
			hi = x
		}
	}
	if k.bounded {
		k.bound(vector.Value{Type: k.t, I: toInt(lo)}, vector.Value{Type: k.t, I: toInt(hi)})
	}
}

// int64s is the loop of keys, decimals and times.
func (k *column) int64s(vals []int64, sel []int32) {
	if len(vals) == 0 {
		return
	}
	lo, hi := vals[0], vals[0]
	if sel == nil {
		for _, x := range vals {
			k.hashes = append(k.hashes, hll.Hash64(uint64(x)))
			lo, hi = min(lo, x), max(hi, x)
		}
	} else {
		lo, hi = vals[sel[0]], vals[sel[0]]
		for _, i := range sel {
			x := vals[i]
			k.hashes = append(k.hashes, hll.Hash64(uint64(x)))
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if k.bounded {
		k.bound(vector.IntValue(k.t, lo), vector.IntValue(k.t, hi))
	}
}

// floats leaves NaN out of the bounds.
func floats[T float32 | float64](k *column, vals []T, sel []int32) {
	var lo, hi T
	seen := false
	each := func(x T) {
		k.hashes = append(k.hashes, hll.HashFloat(float64(x)))
		switch {
		case x != x:
		case !seen:
			lo, hi, seen = x, x, true
		default:
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if sel == nil {
		for _, x := range vals {
			each(x)
		}
	}
	for _, i := range sel {
		each(vals[i])
	}
	if k.bounded && seen {
		k.bound(vector.Value{Type: k.t, F: float64(lo)}, vector.Value{Type: k.t, F: float64(hi)})
	}
}

func (k *column) strings(v *vector.Vector, sel []int32, weight int64) {
	views := vector.Values[vector.View](v)
	var lo, hi *vector.View
	each := func(x *vector.View) {
		k.hashes = append(k.hashes, hll.HashBytes(x.Bytes(v.Bufs)))
		k.bytes += weight * int64(x.Len())
		if !k.bounded {
			return
		}
		if lo == nil || vector.ViewCompare(x, v.Bufs, lo, v.Bufs) < 0 {
			lo = x
		}
		if hi == nil || vector.ViewCompare(x, v.Bufs, hi, v.Bufs) > 0 {
			hi = x
		}
	}
	if sel == nil {
		for i := range views {
			each(&views[i])
		}
	}
	for _, i := range sel {
		each(&views[i])
	}
	if k.bounded && lo != nil {
		k.bound(vector.StringValue(k.t, string(lo.Bytes(v.Bufs))), vector.StringValue(k.t, string(hi.Bytes(v.Bufs))))
	}
}

func (k *column) bound(lo, hi vector.Value) {
	if k.min == nil || lo.Compare(*k.min) < 0 {
		k.min = &lo
	}
	if k.max == nil || hi.Compare(*k.max) > 0 {
		k.max = &hi
	}
}

// Merge adds what o saw of other rows of the same columns; o is not used after it.
func (c *Collector) Merge(o *Collector) {
	for i := range c.cols {
		k, x := &c.cols[i], &o.cols[i]
		k.nulls += x.nulls
		k.bytes += x.bytes
		k.sketch.Merge(x.sketch)
		if x.min != nil {
			k.bound(*x.min, *x.max)
		}
	}
	if c.sample != nil && o.sample != nil {
		c.sample.merge(o.sample)
	}
	c.rows += o.rows
}

// Stats is what was seen. total is the number of rows of the table when only a part of them was
// shown to the collector, else Rows(): counts are scaled up to it.
func (c *Collector) Stats(total int64) *storage.Stats {
	total = max(total, c.rows)
	scale := 1.0
	origin := storage.OriginAnalyzed
	if c.rows > 0 && total > c.rows {
		scale, origin = float64(total)/float64(c.rows), storage.OriginSample
	}
	out := &storage.Stats{Rows: total, Bytes: -1, Columns: make([]storage.ColumnStats, len(c.cols))}
	for i := range c.cols {
		k, s := &c.cols[i], &out.Columns[i]
		*s = storage.ColumnStats{Nulls: -1, Distinct: -1, Origin: origin}
		if k.skip || c.rows == 0 && total > 0 {
			continue
		}
		s.Min, s.Max, s.Sketch = k.min, k.max, k.sketch
		s.Nulls = int64(float64(k.nulls) * scale)
		s.Distinct = k.sketch.Estimate()
		filled := c.rows - k.nulls
		s.AvgBytes = float64(k.t.Physical().Size())
		if k.t.Physical() == sqltype.PhysString {
			s.AvgBytes = float64(k.bytes) / float64(max(filled, 1))
		}
		if c.sample != nil {
			c.sample.describe(i, s, filled)
		}
		if origin == storage.OriginSample {
			s.Sketch = nil
			if c.sample != nil {
				s.Distinct = max(s.Distinct, c.sample.distinct(i, int64(float64(filled)*scale)))
			}
		}
		s.Distinct = min(s.Distinct, total-s.Nulls)
	}
	return out
}
