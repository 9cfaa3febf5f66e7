package executor

import (
	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// aggInput holds what the aggregates of one stream read from a batch.
type aggInput struct {
	// plain computes the arguments of all aggregates without a filter together, so that
	// what they share is computed once; at says where each one's arguments start.
	plain    *eval.Set
	aggs     []aggArgs
	values   [][]*vector.Vector // by aggregate; in any form, see args
	selected [][]int32          // by aggregate with a filter: the rows that pass
	flat     flattener

	// A DISTINCT stream has its arguments in any form, and one filter.
	keyExprs []*rowExpr
	keyArgs  []*vector.Vector
	filter   *eval.Predicate
	filtered []int32
}

// aggArgs are the arguments, then the sort keys, of one aggregate.
type aggArgs struct {
	first, n int        // in aggInput.plain
	exprs    []*rowExpr // with a filter
	filter   *eval.Predicate
}

func newAggInput(a *hashAggregate, s *aggStream) (*aggInput, error) {
	in := &aggInput{}
	fc := a.rt.Functions
	var err error
	if s.distinct {
		if in.keyExprs, err = compileRowExprs(s.args, fc); err != nil {
			return nil, err
		}
		in.filter, err = compileFilter(s.filter, fc)
		return in, err
	}
	in.aggs = make([]aggArgs, len(s.aggs))
	in.values = make([][]*vector.Vector, len(s.aggs))
	in.selected = make([][]int32, len(s.aggs))
	var plain []expr.Expr
	for i, at := range s.aggs {
		g := a.aggs[at]
		args := append([]expr.Expr(nil), g.Args...)
		for _, k := range g.OrderBy {
			args = append(args, k.Expr)
		}
		if g.Filter == nil {
			in.aggs[i] = aggArgs{first: len(plain), n: len(args)}
			plain = append(plain, args...)
			continue
		}
		if in.aggs[i].exprs, err = compileRowExprs(args, fc); err != nil {
			return nil, err
		}
		if in.aggs[i].filter, err = compileFilter(g.Filter, fc); err != nil {
			return nil, err
		}
	}
	if in.plain, err = eval.CompileAll(plain, fc); err != nil {
		return nil, err
	}
	for i, at := range s.aggs {
		if g := a.aggs[at]; g.Fn.Narrow && g.Filter == nil && len(g.OrderBy) == 0 {
			in.plain.AllowNarrow(in.aggs[i].first)
		}
	}
	return in, nil
}

func compileFilter(e expr.Expr, fc *function.Context) (*eval.Predicate, error) {
	if e == nil {
		return nil, nil
	}
	return eval.CompilePredicate([]expr.Expr{e}, fc)
}

// hasFilter reports whether aggregate i sees only the rows selected[i].
func (in *aggInput) hasFilter(i int) bool { return in.aggs != nil && in.aggs[i].filter != nil }

// eval computes all arguments and filters over b.
func (in *aggInput) eval(b *vector.Batch) (err error) {
	if in.keyExprs != nil {
		if in.filter != nil {
			if in.filtered, err = in.filter.Select(b.Cols, b.Len, b.Sel); err != nil {
				return err
			}
			if len(in.filtered) == 0 {
				in.filtered = []int32{} // nil would be all rows
			}
			b = &vector.Batch{Cols: b.Cols, Len: b.Len, Sel: in.filtered}
		}
		in.keyArgs, err = evalAll(in.keyExprs, b, false, in.keyArgs)
		return err
	}
	vals, err := in.plain.Eval(b.Cols, b.Len, b.Sel)
	if err != nil {
		return err
	}
	in.flat.next()
	for i := range in.aggs {
		g := &in.aggs[i]
		if g.filter == nil {
			in.values[i] = in.values[i][:0]
			in.values[i] = append(in.values[i], vals[g.first:g.first+g.n]...)
			continue
		}
		if in.selected[i], err = g.filter.Select(b.Cols, b.Len, b.Sel); err != nil {
			return err
		}
		if len(in.selected[i]) == 0 {
			in.selected[i] = []int32{}
		}
		live := &vector.Batch{Cols: b.Cols, Len: b.Len, Sel: in.selected[i]}
		if in.values[i], err = evalAll(g.exprs, live, true, in.values[i]); err != nil {
			return err
		}
	}
	return nil
}

// args are the arguments of aggregate i, flat or constant. sel is the batch's.
func (in *aggInput) args(i int, sel []int32) []*vector.Vector {
	for k, v := range in.values[i] {
		in.values[i][k] = in.flat.flatten(v, sel)
	}
	return in.values[i]
}

// flattener decodes dictionary vectors of a batch, each once.
type flattener struct {
	from, to []*vector.Vector
	n        int
}

func (f *flattener) next() { f.n = 0 }

func (f *flattener) flatten(v *vector.Vector, sel []int32) *vector.Vector {
	if v.Form != vector.Dictionary {
		return v
	}
	for i, x := range f.from[:f.n] {
		if x == v {
			return f.to[i]
		}
	}
	if f.n == len(f.from) {
		f.from, f.to = append(f.from, nil), append(f.to, &vector.Vector{})
	}
	f.from[f.n] = v
	f.n++
	return v.FlattenInPlace(sel, f.to[f.n-1])
}
