package optimize_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// row is one row of a plan: values by column id, those of outer rows included.
type row map[expr.ColumnID]vector.Value

// evalError is an error of the user's that evaluation met.
type evalError string

// evaluator computes logical plans row by row, dependent joins by the book. It is slow and obvious.
type evaluator struct{ data map[string]table }

func (ev *evaluator) rows(n logical.Node, outer row) []row {
	switch n := n.(type) {
	case *logical.Scan:
		return ev.scan(n, outer)
	case *logical.Filter:
		return slices.DeleteFunc(ev.rows(n.Input, outer), func(r row) bool { return !ev.all(n.Conds, r) })
	case *logical.Project:
		in := ev.rows(n.Input, outer)
		for i, r := range in {
			out := maps.Clone(outer)
			if out == nil {
				out = row{}
			}
			for j, e := range n.Exprs {
				out[n.Cols[j].ID] = ev.value(e, r)
			}
			in[i] = out
		}
		return in
	case *logical.Join:
		right := ev.rows(n.RightInput, outer)
		return ev.join(n, ev.rows(n.LeftInput, outer), func(row) []row { return right })
	case *logical.Apply:
		j := &logical.Join{Kind: n.Kind, LeftInput: n.LeftInput, RightInput: n.RightInput, On: n.On, MarkColumn: n.MarkColumn, FromMarkKey: n.FromMarkKey}
		return ev.join(j, ev.rows(n.LeftInput, outer), func(r row) []row { return ev.rows(n.RightInput, r) })
	case *logical.Aggregate:
		return ev.aggregate(n, outer)
	case *logical.Distinct:
		return unique(n.Columns(), ev.rows(n.Input, outer))
	case *logical.Sort:
		return ev.rows(n.Input, outer)
	case *logical.SetOp:
		return ev.setOp(n, outer)
	case *logical.Values:
		var out []row
		for _, exprs := range n.Rows {
			r := merged(outer, nil)
			for i := range n.Cols {
				r[n.Cols[i].ID] = ev.value(exprs[i], outer)
			}
			out = append(out, r)
		}
		return out
	case *logical.CTERef:
		out := ev.rows(n.CTE.Plan, outer)
		for i, r := range out {
			o := merged(outer, nil)
			for j, c := range n.CTE.Plan.Columns() {
				o[n.Cols[j].ID] = r[c.ID]
			}
			out[i] = o
		}
		return out
	}
	panic(fmt.Sprintf("%T", n))
}

func (ev *evaluator) scan(n *logical.Scan, outer row) []row {
	var out []row
	for _, values := range ev.data[n.Table] {
		r := merged(outer, nil)
		for i, o := range n.Ordinal {
			r[n.Cols[i].ID] = values[o]
		}
		if ev.all(n.Filter, r) {
			out = append(out, r)
		}
	}
	return out
}

func merged(a, b row) row {
	out := make(row, len(a)+len(b))
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// truth of a conjunction: 1, 0, or -1 for NULL.
func (ev *evaluator) truth(conds []expr.Expr, r row) int {
	t := 1
	for _, c := range conds {
		v := ev.value(c, r)
		switch {
		case !v.Null && !v.IsTrue():
			return 0
		case v.Null:
			t = -1
		}
	}
	return t
}

func (ev *evaluator) all(conds []expr.Expr, r row) bool { return ev.truth(conds, r) == 1 }

func (ev *evaluator) join(n *logical.Join, left []row, right func(row) []row) []row {
	var out []row
	nulls := func(cols []expr.Column) row {
		r := row{}
		for _, c := range cols {
			r[c.ID] = vector.NullOf(c.T)
		}
		return r
	}
	matched := map[int]bool{}
	var last []row
	for _, l := range left {
		last = right(l)
		var hits []row
		mark := 0
		for i, r := range last {
			both := merged(l, r)
			if n.Kind == logical.Mark || n.Kind == logical.NullAwareAnti {
				if !ev.all(n.On[n.FromMarkKey:], both) {
					continue
				}
				switch ev.truth(n.On[:n.FromMarkKey], both) {
				case 1:
					mark = 1
				case -1:
					if mark == 0 {
						mark = -1
					}
				}
				continue
			}
			if ev.all(n.On, both) {
				hits = append(hits, both)
				matched[i] = true
			}
		}
		switch n.Kind {
		case logical.Inner, logical.Right:
			out = append(out, hits...)
		case logical.Semi:
			if len(hits) > 0 {
				out = append(out, l)
			}
		case logical.Anti:
			if len(hits) == 0 {
				out = append(out, l)
			}
		case logical.NullAwareAnti:
			if mark == 0 {
				out = append(out, l)
			}
		case logical.Mark:
			v := vector.BoolValue(mark == 1)
			if mark < 0 {
				v = vector.NullOf(sqltype.T(sqltype.Boolean))
			}
			out = append(out, merged(l, row{n.MarkColumn.ID: v}))
		case logical.Left, logical.Full, logical.Single:
			if n.Kind == logical.Single && len(hits) > 1 {
				panic(evalError("more than one row"))
			}
			out = append(out, hits...)
			if len(hits) == 0 {
				out = append(out, merged(l, nulls(n.RightInput.Columns())))
			}
		}
	}
	if n.Kind == logical.Right || n.Kind == logical.Full {
		for i, r := range right(nil) {
			if !matched[i] {
				out = append(out, merged(r, nulls(n.LeftInput.Columns())))
			}
		}
	}
	return out
}

// value computes e for a row, calls by folding them.
func (ev *evaluator) value(e expr.Expr, r row) vector.Value {
	switch e := e.(type) {
	case *expr.Literal:
		return e.Value
	case *expr.Column:
		v, ok := r[e.ID]
		if !ok {
			panic(fmt.Sprintf("no column %s#%d", e.Name, e.ID))
		}
		return v
	case *expr.Call:
		args := make([]expr.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = expr.Lit(ev.value(a, r))
		}
		f, err := expr.Fold(&expr.Call{Fn: e.Fn, Args: args}, &function.Context{})
		if err != nil {
			panic(evalError(err.Error()))
		}
		return f.(*expr.Literal).Value
	}
	panic(fmt.Sprintf("%T", e))
}

// key is the text of a row's columns; NULLs are alike.
func key(values []vector.Value) string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = v.Text()
	}
	return strings.Join(s, "\x00")
}

func keyOf(cols []expr.Column, r row) string {
	values := make([]vector.Value, len(cols))
	for i, c := range cols {
		values[i] = r[c.ID]
	}
	return key(values)
}

func unique(cols []expr.Column, in []row) []row {
	seen := map[string]bool{}
	return slices.DeleteFunc(in, func(r row) bool {
		k := keyOf(cols, r)
		was := seen[k]
		seen[k] = true
		return was
	})
}

func (ev *evaluator) aggregate(n *logical.Aggregate, outer row) []row {
	groups := map[string][]row{}
	var order []string
	if len(n.Groups) == 0 {
		groups[""], order = nil, []string{""}
	}
	for _, r := range ev.rows(n.Input, outer) {
		values := make([]vector.Value, len(n.Groups))
		for i, g := range n.Groups {
			values[i] = ev.value(g, r)
		}
		k := key(values)
		if _, ok := groups[k]; !ok {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	var out []row
	for _, k := range order {
		r := merged(outer, nil)
		for i, g := range n.Groups {
			r[n.Cols[i].ID] = ev.value(g, groups[k][0])
		}
		for i, a := range n.Aggs {
			r[n.Cols[len(n.Groups)+i].ID] = ev.aggregateValue(a, groups[k], outer)
		}
		out = append(out, r)
	}
	return out
}

func (ev *evaluator) aggregateValue(a *expr.Aggregate, rows []row, outer row) vector.Value {
	var in [][]vector.Value
	seen := map[string]bool{}
	for _, r := range rows {
		if a.Filter != nil && !ev.value(a.Filter, r).IsTrue() {
			continue
		}
		values := make([]vector.Value, len(a.Args))
		null := false
		for i, arg := range a.Args {
			values[i] = ev.value(arg, r)
			null = null || values[i].Null
		}
		if k := key(values); a.Distinct && (seen[k] || null) {
			continue
		} else {
			seen[k] = true
		}
		in = append(in, values)
	}
	args := make([]*vector.Vector, len(a.Args))
	for i := range args {
		args[i] = vector.New(a.Args[i].Type(), len(in))
		for j, values := range in {
			args[i].SetValue(j, values[i])
		}
	}
	if a.Fn.Name == "count" && a.Distinct {
		return vector.IntValue(a.Fn.Result, int64(len(in)))
	}
	acc, err := a.Fn.NewAccumulator(&function.Context{}, make([]*vector.Value, len(args)))
	if err != nil {
		panic(evalError(err.Error()))
	}
	acc.Grow(1)
	if len(in) > 0 {
		if err := acc.Update(make([]uint32, len(in)), args, nil); err != nil {
			panic(evalError(err.Error()))
		}
	}
	out := vector.New(a.Fn.Result, 1)
	if err := acc.Finish(0, out); err != nil {
		panic(evalError(err.Error()))
	}
	return out.Value(0)
}

func (ev *evaluator) setOp(n *logical.SetOp, outer row) []row {
	inputs := make([][]row, len(n.Inputs))
	for i, in := range n.Inputs {
		for _, r := range ev.rows(in, outer) {
			o := merged(outer, nil)
			for j, c := range in.Columns() {
				v := r[c.ID]
				v.Type = n.Cols[j].T
				o[n.Cols[j].ID] = v
			}
			inputs[i] = append(inputs[i], o)
		}
	}
	if n.Kind == logical.Union {
		all := slices.Concat(inputs...)
		if n.All {
			return all
		}
		return unique(n.Cols, all)
	}
	right := map[string]int{}
	for _, r := range inputs[1] {
		right[keyOf(n.Cols, r)]++
	}
	left := inputs[0]
	if !n.All {
		left = unique(n.Cols, left)
	}
	return slices.DeleteFunc(left, func(r row) bool {
		k := keyOf(n.Cols, r)
		has := right[k] > 0
		if n.All {
			right[k]--
		}
		return has != (n.Kind == logical.Intersect)
	})
}
