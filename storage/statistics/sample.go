package statistics

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

const (
	commonLimit   = 100 // frequent values kept of a column
	histogramSize = 100 // ranges of a histogram
	commonFactor  = 1.5 // how much more frequent than the average a value must be
	longestText   = 64  // strings are cut to so many bytes, as bounds and samples only
)

// sample is a uniform sample of the rows seen, by reservoir. Its generator starts the same every time, so that
// the same rows give the same statistics.
//
// Source: Li, Reservoir-sampling algorithms of time complexity O(n(1+log(N/n))), 1994 (algorithm L).
type sample struct {
	size int
	cols [][]vector.Value // one a column, of rows() values
	seen int64
	kept int
	next int64 // the row to take next
	w    float64
	rng  *rand.Rand
}

func newSample(size, cols int) *sample {
	s := &sample{size: size, cols: make([][]vector.Value, cols), rng: rand.New(rand.NewPCG(1, 2)), w: 1}
	s.w = math.Exp(math.Log(s.rng.Float64()) / float64(size))
	return s
}

func (s *sample) add(b *vector.Batch, wanted func(col int) bool) {
	n := b.NumRows()
	for s.next < s.seen+int64(n) {
		row, slot := b.Row(int(s.next-s.seen)), s.kept
		if s.kept == s.size {
			slot = s.rng.IntN(s.size)
		} else {
			s.kept++
		}
		for i := range s.cols {
			if !wanted(i) {
				continue
			}
			x := b.Cols[i].Value(row)
			if len(x.S) > longestText {
				x.S = x.S[:longestText]
			}
			if slot == len(s.cols[i]) {
				s.cols[i] = append(s.cols[i], x)
			} else {
				s.cols[i][slot] = x
			}
		}
		s.next++
		if s.kept == s.size {
			s.next += int64(math.Log(s.rng.Float64()) / math.Log1p(-s.w))
			s.w *= math.Exp(math.Log(s.rng.Float64()) / float64(s.size))
		}
	}
	s.seen += int64(n)
}

// merge takes of both samples as many rows as they stand for.
func (s *sample) merge(o *sample) {
	all := s.seen + o.seen
	if all == 0 {
		return
	}
	mine, theirs := s.kept, o.kept
	if mine+theirs > s.size {
		share := func(seen int64, kept int) int { return min(kept, int(float64(s.size)*float64(seen)/float64(all))) }
		mine, theirs = share(s.seen, s.kept), share(o.seen, o.kept)
	}
	s.shuffle()
	o.shuffle()
	for i := range s.cols {
		if len(s.cols[i]) > 0 || len(o.cols[i]) > 0 {
			s.cols[i] = append(s.cols[i][:min(mine, len(s.cols[i]))], o.cols[i][:min(theirs, len(o.cols[i]))]...)
		}
	}
	s.kept, s.seen = mine+theirs, all
	s.next = math.MaxInt64 // no row is taken after a merge
}

// shuffle puts the rows in any order: a reservoir that was never full holds them in the order they came.
func (s *sample) shuffle() {
	s.rng.Shuffle(s.kept, func(a, b int) {
		for i := range s.cols {
			if len(s.cols[i]) > 0 {
				s.cols[i][a], s.cols[i][b] = s.cols[i][b], s.cols[i][a]
			}
		}
	})
}

// run is one value of a sorted sample and how often it occurs.
type run struct {
	at, n int
}

// sorted are the values of a column without NULLs, ascending, and their runs.
func (s *sample) sorted(col int) ([]vector.Value, []run) {
	vals := make([]vector.Value, 0, len(s.cols[col]))
	for _, v := range s.cols[col] {
		if !v.Null {
			vals = append(vals, v)
		}
	}
	slices.SortFunc(vals, vector.Value.Compare)
	var runs []run
	for i := range vals {
		if i > 0 && vals[i].Compare(vals[i-1]) == 0 {
			runs[len(runs)-1].n++
		} else {
			runs = append(runs, run{i, 1})
		}
	}
	return vals, runs
}

// describe fills in the frequent values and the histogram. filled is the number of rows seen that are not NULL.
func (s *sample) describe(col int, st *storage.ColumnStats, filled int64) {
	vals, runs := s.sorted(col)
	if len(vals) < 2 || filled == 0 {
		return
	}
	whole := int64(len(vals)) == filled
	average := float64(len(vals)) / float64(max(st.Distinct, int64(len(runs))))
	var common []run
	for _, r := range runs {
		if len(vals[r.at].S) == longestText { // maybe cut
			continue
		}
		if whole && len(runs) <= commonLimit || r.n >= 3 && float64(r.n) > commonFactor*average {
			common = append(common, r)
		}
	}
	if !whole && len(common) < len(runs) && len(runs) <= commonLimit && int64(len(runs)) >= st.Distinct && longest(vals) < longestText {
		common = slices.Clone(runs) // all values there are
	}
	slices.SortStableFunc(common, func(a, b run) int { return b.n - a.n })
	common = common[:min(len(common), commonLimit)]
	taken := map[int]bool{}
	for _, r := range common {
		st.Common = append(st.Common, storage.CommonValue{Value: vals[r.at], Fraction: float64(r.n) / float64(len(vals))})
		taken[r.at] = true
	}
	var rest []vector.Value
	for _, r := range runs {
		if !taken[r.at] {
			rest = append(rest, vals[r.at:r.at+r.n]...)
		}
	}
	st.Histogram = bounds(rest)
}

func longest(vals []vector.Value) int {
	n := 0
	for _, v := range vals {
		n = max(n, len(v.S))
	}
	return n
}

// bounds cuts sorted values into ranges of equal numbers.
func bounds(vals []vector.Value) []vector.Value {
	n := min(histogramSize, len(vals)/4)
	if n < 2 {
		return nil
	}
	out := make([]vector.Value, 0, n+1)
	for i := range n {
		out = append(out, vals[i*len(vals)/n])
	}
	return append(out, vals[len(vals)-1])
}

// distinct estimates the distinct values among total ones from those in the sample.
//
// Source: Haas and Stokes, Estimating the number of classes in a finite population, 1998 (Duj1).
func (s *sample) distinct(col int, total int64) int64 {
	vals, runs := s.sorted(col)
	once := 0
	for _, r := range runs {
		if r.n == 1 {
			once++
		}
	}
	n, d, f1 := float64(len(vals)), float64(len(runs)), float64(once)
	if n == 0 {
		return 0
	}
	return int64(n * d / (n - f1 + f1*n/math.Max(float64(total), n)))
}
