package executor

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// windowCall computes one call with OVER over batches of whole partitions. One driver uses it.
type windowCall struct {
	w      *expr.Window
	rt     *Runtime
	args   []*rowExpr
	filter *rowExpr
	frame  frameFinder
	consts []*vector.Value

	distinct *distinctRows
	vals     []*vector.Vector
	rows     []int32
	live     []int32
	number   []uint32
	groups   []uint32
	nulls    notNull
	carries  bool // of a node that streams; see reach
	carried  carried
	total    int64 // rows of the only partition, where that is known before; else 0
}

func newWindowCall(w *expr.Window, rt *Runtime) (*windowCall, error) {
	c := &windowCall{w: w, rt: rt, consts: constsOf(w.Args), frame: frameFinder{frame: &w.Frame, peers: w.Peers}}
	var err error
	if c.args, err = compileRowExprs(w.Args, rt.Functions); err != nil {
		return nil, err
	}
	for _, x := range []struct {
		from expr.Expr
		to   **rowExpr
	}{{w.Filter, &c.filter}, {w.Frame.Key, &c.frame.key}, {w.Frame.Start.Value, &c.frame.start}, {w.Frame.End.Value, &c.frame.end}} {
		if x.from == nil {
			continue
		}
		if *x.to, err = compileRowExpr(x.from, rt.Functions); err != nil {
			return nil, err
		}
	}
	if w.Distinct {
		if c.distinct, err = newDistinctRows(w.Args); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// compute is the call's value for every row, in memory of its own.
func (c *windowCall) compute(r *windowRows, in *vector.Batch) (*vector.Vector, error) {
	switch k := c.w.Fn.Kind; k {
	case function.RowNumber:
		return c.rowNumber(r), nil
	case function.Rank, function.DenseRank, function.PercentRank, function.CumeDist:
		return c.rank(r), nil
	case function.Ntile:
		return c.ntile(r), nil
	case function.Lag, function.Lead:
		return c.shift(r, in)
	case function.FirstValue, function.LastValue, function.NthValue:
		return c.frameValue(r, in)
	case function.WindowAggregate:
		return c.aggregate(r, in)
	}
	panic(invariant.Failed("window function %s", c.w.Fn.Name))
}

func (c *windowCall) rowNumber(r *windowRows) *vector.Vector {
	out := vector.New(c.w.Type(), r.n)
	vals, parts := vector.Values[int64](out), r.partitions()
	for p, s := range parts[:len(parts)-1] {
		for i, row := int64(1), vals[s:parts[p+1]]; len(row) > 0; i, row = i+1, row[1:] {
			row[0] = i
		}
	}
	return out
}

// rank gives the functions of the groups of peers.
func (c *windowCall) rank(r *windowRows) *vector.Vector {
	out := vector.New(c.w.Type(), r.n)
	parts, peers := r.partitions(), r.peers(c.w.Peers)
	g := 0
	for p, s := range parts[:len(parts)-1] {
		e := parts[p+1]
		for first := g; peers[g] < e; g++ {
			lo, hi := peers[g], peers[g+1]
			switch c.w.Fn.Kind {
			case function.Rank:
				fillRange(out, lo, hi, int64(lo-s+1))
			case function.DenseRank:
				fillRange(out, lo, hi, int64(g-first+1))
			case function.PercentRank:
				x := 0.0
				if e-s > 1 {
					x = float64(lo-s) / float64(e-s-1)
				}
				fillRange(out, lo, hi, x)
			case function.CumeDist:
				fillRange(out, lo, hi, float64(hi-s)/float64(e-s))
			}
		}
	}
	return out
}

func fillRange[T vector.Fixed](out *vector.Vector, lo, hi int32, x T) {
	vals := vector.Values[T](out)[lo:hi]
	for i := range vals {
		vals[i] = x
	}
}

// ntile deals the rows of a partition to buckets whose sizes differ by one at most, larger ones first.
func (c *windowCall) ntile(r *windowRows) *vector.Vector {
	out := vector.New(c.w.Type(), r.n)
	vals, parts := vector.Values[int64](out), r.partitions()
	buckets := int64(1)
	if v := c.consts[0]; v != nil && !v.Null {
		buckets = v.Int64()
	}
	for p, s := range parts[:len(parts)-1] {
		rows := int64(parts[p+1] - s)
		for i := range rows {
			vals[int64(s)+i] = bucketOf(i, rows, buckets)
		}
	}
	return out
}

// bucketOf is the bucket of row i of rows, from 1.
func bucketOf(i, rows, buckets int64) int64 {
	size, larger := rows/buckets, rows%buckets
	if inLarger := larger * (size + 1); i >= inLarger {
		return larger + (i-inLarger)/size + 1
	}
	return i/(size+1) + 1
}
