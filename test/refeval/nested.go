package refeval

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// elements are the values of an array that is not NULL.
func elements(a vector.Value) Row {
	t := a.Type.Nested.Elems[0]
	e := vector.DecodeElements(t, []byte(a.S))
	out := make(Row, e.N)
	for i := range out {
		v := vector.New(t, 1)
		e.StoreTo(i, v, 0)
		out[i] = v.Value(0)
	}
	return out
}

// arrayOf is an array of type t.
func arrayOf(t sqltype.Type, items Row) vector.Value {
	v := vector.New(t.Nested.Elems[0], len(items))
	for i, x := range items {
		v.SetValue(i, retype(x, v.Type))
	}
	return vector.Value{Type: t, S: string(vector.AppendElements(nil, v, 0, v.Len))}
}

// nestedCall computes calls that make arrays or take them; ok is false for others.
func nestedCall(x *expr.Call, e *env) (vector.Value, bool) {
	if l := expr.LambdaOf(x); l != nil {
		return higher(x, l, e), true
	}
	switch x.Fn.Name {
	case "array":
		var items Row
		for _, a := range x.Args {
			items = append(items, scalar(a, e))
		}
		return arrayOf(x.Fn.Result, items), true
	case "size":
		a := scalar(x.Args[0], e)
		if a.Null {
			return vector.NullOf(x.Fn.Result), true
		}
		return vector.IntValue(x.Fn.Result, int64(len(elements(a)))), true
	case "element_at":
		a, at := scalar(x.Args[0], e), scalar(x.Args[1], e)
		if a.Null || at.Null {
			return vector.NullOf(x.Fn.Result), true
		}
		items, k := elements(a), int(at.Int64())
		if k < 0 {
			k += len(items) + 1
		}
		if k < 1 || k > len(items) {
			return vector.NullOf(x.Fn.Result), true
		}
		return items[k-1], true
	}
	return vector.Value{}, false
}

// higher applies a lambda to each element of the arrays.
func higher(x *expr.Call, l *expr.Lambda, e *env) vector.Value {
	var lists []Row
	for _, a := range x.Args[1:] {
		v := scalar(a, e)
		if v.Null {
			return vector.NullOf(x.Fn.Result)
		}
		lists = append(lists, elements(v))
	}
	var captured Row
	for _, c := range l.Captured {
		captured = append(captured, scalar(c, e))
	}
	results := make(Row, len(lists[0]))
	for i := range results {
		var fields Row
		for _, list := range lists {
			fields = append(fields, list[i])
		}
		results[i] = scalar(l.Body, &env{fields: append(fields, captured...)})
	}
	yes := slices.IndexFunc(results, vector.Value.IsTrue)
	null := slices.ContainsFunc(results, func(v vector.Value) bool { return v.Null })
	switch x.Fn.Name {
	case "array_map":
		return arrayOf(x.Fn.Result, results)
	case "array_filter":
		var kept Row
		for i, r := range results {
			if r.IsTrue() {
				kept = append(kept, lists[0][i])
			}
		}
		return arrayOf(x.Fn.Result, kept)
	case "any_match":
		if yes < 0 && null {
			return vector.NullOf(x.Fn.Result)
		}
		return vector.BoolValue(yes >= 0)
	case "array_first":
		if yes < 0 {
			return vector.NullOf(x.Fn.Result)
		}
		return lists[0][yes]
	}
	fail("no evaluation of %s with a lambda", x.Fn.Name)
	return vector.Value{}
}

// unnest repeats rows for what a table function gives.
func unnest(n *logical.Unnest, e *env) []Row {
	in := n.Input.Columns()
	var out []Row
	for _, r := range eval(n.Input, e) {
		inner := e.with(in, r)
		var args Row
		for _, a := range n.Args {
			args = append(args, scalar(a, inner))
		}
		made := generated(n, args)
		if len(made) == 0 && n.Outer {
			var nulls Row
			for _, t := range n.Fn.Result {
				nulls = append(nulls, vector.NullOf(t))
			}
			made = []Row{nulls}
		}
		for _, m := range made {
			row := slices.Clone(r)
			for _, k := range n.Ordinal {
				row = append(row, m[k])
			}
			out = append(out, row)
		}
	}
	return out
}

func generated(n *logical.Unnest, args Row) (out []Row) {
	for _, a := range args {
		if a.Null {
			return nil
		}
	}
	switch name := strings.TrimSuffix(n.Fn.Name, "_outer"); name {
	case "explode", "posexplode", "unnest":
		for i, v := range elements(args[0]) {
			if name == "posexplode" {
				out = append(out, Row{vector.IntValue(n.Fn.Result[0], int64(i)), v})
			} else {
				out = append(out, Row{v})
			}
		}
	case "explode_split":
		for _, s := range strings.Split(args[0].S, args[1].S) {
			out = append(out, Row{vector.StringValue(n.Fn.Result[0], s)})
		}
	case "explode_numbers":
		for i := range args[0].Int64() {
			out = append(out, Row{vector.IntValue(n.Fn.Result[0], i)})
		}
	default:
		fail("no evaluation of %s", name)
	}
	return out
}
