package executor

import (
	"slices"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/sorting"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// topNFilter is the threshold of a running top-N as a filter of its first sort key: rows that
// sort behind the worst of the rows that are kept so far need not be read. It moves
// while the query runs.
type topNFilter struct {
	threshold *atomic.Pointer[[]byte] // an encoded key; nil before enough rows were seen
	key       sorting.Column
	only      bool // there is no second key: equal rows may go as well
}

// now is the test of the threshold at this moment, nil while everything passes. Tests of one threshold
// are equal but not the same; at tells whether it moved.
func (f *topNFilter) now() (t *rangeTest, at *[]byte) {
	at = f.threshold.Load()
	if at == nil {
		return nil, nil
	}
	v, ok := sorting.First(f.key, *at)
	if !ok {
		return nil, at
	}
	t = &rangeTest{typ: f.key.Type, null: f.key.NullsFirst}
	switch {
	case v.Null && f.key.NullsFirst: // NULLs alone are enough
		t.none, t.null = true, !f.only
	case v.Null:
		return nil, at // only some NULLs, which come last, can go
	case f.key.Desc:
		t.lo, t.above = &v, f.only
	default:
		t.hi, t.below = &v, f.only
	}
	return t, at
}

// scanTopN is a topNFilter at a scan.
type scanTopN struct {
	f      *topNFilter
	column int
	count  *filterCounters
	use    scanFilter // only its statistics
}

func newScanTopN(f *topNFilter, column int, count *filterCounters) *scanTopN {
	return &scanTopN{f: f, column: column, count: count}
}

func (s *scanTopN) filter() storage.Filter {
	return storage.Filter{Columns: []int{s.column}, New: func() (storage.FilterFunc, error) {
		r := &topNReader{s: s}
		if n := s.use.readers.Add(1); n%retryReaders != 0 && s.use.seen.Load() >= dropTrials*filterTrial && useless(s.use.seen.Load(), s.use.passed.Load()) {
			r.dropped = true
			s.count.off.Add(1)
		}
		return r.filter, nil
	}}
}

// prune is the threshold in the language of metadata.
func (s *scanTopN) prune() []storage.Predicate {
	t, _ := s.f.now()
	if t == nil {
		return nil
	}
	p := storage.Predicate{Column: s.column}
	switch {
	case t.none:
		p.Op = storage.OpIn
	case t.lo != nil:
		p.Op, p.Values = storage.OpGe, []vector.Value{*t.lo}
		if t.above {
			p.Op = storage.OpGt
		}
	default:
		p.Op, p.Values = storage.OpLe, []vector.Value{*t.hi}
		if t.below {
			p.Op = storage.OpLt
		}
	}
	if t.null {
		p = storage.Predicate{Op: storage.OpOr, Column: s.column, Children: []storage.Predicate{p, {Op: storage.OpIsNull, Column: s.column}}}
	}
	return []storage.Predicate{p}
}

// order sorts splits so that the best values come first and the threshold is soon a good one.
func (s *scanTopN) order(src storage.BoundedSource, splits []storage.Split) {
	type ranked struct {
		split storage.Split
		r     storage.Range
	}
	list := make([]ranked, len(splits))
	for i, sp := range splits {
		list[i] = ranked{sp, src.SplitRange(sp, s.column)}
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		switch {
		case a.r.Min == nil || a.r.Max == nil || b.r.Min == nil || b.r.Max == nil:
			return boolOrder(b.r.Min != nil && b.r.Max != nil, a.r.Min != nil && a.r.Max != nil)
		case s.f.key.Desc:
			return b.r.Max.Compare(*a.r.Max)
		}
		return a.r.Min.Compare(*b.r.Min)
	})
	for i := range list {
		splits[i] = list[i].split
	}
}

// boolOrder puts b before a when only b is true.
func boolOrder(b, a bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return 1
	}
	return -1
}

// skips reports whether a split has nothing before the threshold.
func (s *scanTopN) skips(src storage.BoundedSource, split storage.Split) bool {
	for _, p := range s.prune() {
		if !p.MayMatch(func(int) storage.Range { return src.SplitRange(split, s.column) }) {
			s.count.splits.Add(1)
			s.count.input.Add(split.Rows())
			s.count.dropped.Add(split.Rows())
			return true
		}
	}
	return false
}

// topNReader is the filter of one reader.
type topNReader struct {
	s            *scanTopN
	at           *[]byte // the threshold that t is of
	t            *rangeTest
	out          []int32
	flat         vector.Vector
	seen, passed int
	dropped      bool
	dict         *vector.Vector
	pass         []bool
}

// filter is a storage.FilterFunc.
func (r *topNReader) filter(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
	if at := r.s.f.threshold.Load(); at != r.at {
		r.t, r.at = r.s.f.now()
		r.dict = nil
	}
	rows := live(n, sel)
	if cap(r.out) < rows {
		r.out = make([]int32, rows)
	}
	if r.dropped || r.t == nil {
		return r.all(n, sel), nil
	}
	v := cols[0]
	out := r.out[:0]
	switch v.Form {
	case vector.Constant:
		if v.IsNull(0) && r.t.null || !v.IsNull(0) && r.t.passes(v.Value(0)) {
			out = r.all(n, sel)
		}
	case vector.Dictionary:
		out = r.byDictionary(v, n, sel, out)
	case vector.Flat:
		out = r.t.test(v, n, sel, out)
	default:
		panic(invariant.Failed("vector form %d", v.Form))
	}
	r.learn(rows, len(out))
	return out, nil
}

func (r *topNReader) all(n int, sel []int32) []int32 {
	if sel != nil {
		return append(r.out[:0], sel...)
	}
	out := r.out[:n]
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

func (r *topNReader) byDictionary(v *vector.Vector, n int, sel, out []int32) []int32 {
	const dear = 4 // dictionaries of so many times the rows cost more than the rows
	if r.dict != v.Dict && v.Dict.Len > dear*live(n, sel) {
		return r.t.test(v.FlattenInPlace(sel, &r.flat), n, sel, out)
	}
	if r.dict != v.Dict {
		r.dict, r.pass = v.Dict, make([]bool, v.Dict.Len)
		for _, i := range r.t.test(v.Dict, v.Dict.Len, nil, make([]int32, 0, v.Dict.Len)) {
			r.pass[i] = true
		}
	}
	eachRow(live(n, sel), sel, func(row int) {
		if v.Valid.Get(row) && r.pass[v.Codes[row]] || r.t.null && !v.Valid.Get(row) {
			out = append(out, int32(row))
		}
	})
	return out
}

func (r *topNReader) learn(rows, passed int) {
	r.s.count.input.Add(int64(rows))
	r.s.count.dropped.Add(int64(rows - passed))
	r.seen += rows
	r.passed += passed
	if r.seen < filterTrial {
		return
	}
	r.s.use.seen.Add(int64(r.seen))
	r.s.use.passed.Add(int64(r.passed))
	if useless(int64(r.seen), int64(r.passed)) {
		r.dropped = true
		r.s.count.off.Add(1)
	}
	r.seen, r.passed = 0, 0
}
