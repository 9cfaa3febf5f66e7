// Package refeval is the reference evaluator: it walks a bound, unoptimized plan row by
// row with scalar values. It is slow and obvious on purpose and shares no kernel, no hash
// table and no vector with the engine, so that the two agree only when both are right.
package refeval

import (
	"context"
	"fmt"
	"sort"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Row is one row of scalar values.
type Row []vector.Value

// env gives the values of columns: those of the current row and, under Apply, of the rows
// around it. The zero env knows no column.
type env struct {
	cols   []expr.Column
	row    Row
	up     *env
	fields Row // in the body of a lambda: its parameters and captured values
}

func (e *env) with(cols []expr.Column, row Row) *env { return &env{cols: cols, row: row, up: e} }

func (e *env) lookup(id expr.ColumnID) (vector.Value, bool) {
	for ; e != nil; e = e.up {
		for i := range e.cols {
			if e.cols[i].ID == id {
				return e.row[i], true
			}
		}
	}
	return vector.Value{}, false
}

// pairs and calls bound the work of one query: rows that nested subqueries and joins try, and functions that are called.
var pairs, calls int

const (
	maxPairs = 3_000_000
	maxCalls = 2_000_000
)

// ErrTooSlow is a query whose evaluation by trying everything takes too long.
var ErrTooSlow = fmt.Errorf("too many pairs of rows or calls")

// Rows evaluates a plan. The error says what is not known here, that the work is too much
// (ErrTooSlow), or is an error of the query (ErrMoreThanOne). Not for concurrent use.
func Rows(n logical.Node) (rows []Row, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	pairs, calls = 0, 0
	return eval(n, nil), nil
}

func fail(format string, args ...any) { panic(fmt.Errorf("refeval: "+format, args...)) }

func eval(n logical.Node, e *env) []Row {
	switch n := n.(type) {
	case *logical.Scan:
		return scan(n, e)
	case *logical.Filter:
		return filterRows(eval(n.Input, e), n.Input.Columns(), n.Conds, e)
	case *logical.Project:
		var out []Row
		in := n.Input.Columns()
		for _, r := range eval(n.Input, e) {
			inner := e.with(in, r)
			row := make(Row, len(n.Exprs))
			for i, x := range n.Exprs {
				row[i] = scalar(x, inner)
			}
			out = append(out, row)
		}
		return out
	case *logical.Join:
		right := eval(n.RightInput, e)
		return join(joinSpec{n.Kind, n.LeftInput.Columns(), n.RightInput.Columns(), n.On, n.MarkNullOK}, eval(n.LeftInput, e), func(Row) []Row { return right }, e)
	case *logical.Apply:
		return apply(n, e)
	case *logical.Unnest:
		return unnest(n, e)
	case *logical.Window:
		return window(n, e)
	case *logical.Aggregate:
		return aggregate(n, e)
	case *logical.Distinct:
		return distinct(eval(n.Input, e))
	case *logical.Sort:
		rows := sortRows(eval(n.Input, e), n.Input.Columns(), n.Keys, e)
		return limit(rows, n.Limit, n.Offset)
	case *logical.Limit:
		return limit(eval(n.Input, e), n.Count, n.Offset)
	case *logical.SetOp:
		return setOp(n, e)
	case *logical.Values:
		var out []Row
		for _, r := range n.Rows {
			row := make(Row, len(r))
			for i, x := range r {
				row[i] = scalar(x, e)
			}
			out = append(out, row)
		}
		return out
	case *logical.CTERef:
		return eval(n.CTE.Plan, e)
	}
	fail("no evaluation of %T", n)
	return nil
}

// apply evaluates the right side for each left row, once for rows that give it the same
// values.
func apply(n *logical.Apply, e *env) []Row {
	left := n.LeftInput.Columns()
	free := logical.FreeColumns(n.RightInput)
	known := map[string][]Row{}
	right := func(l Row) []Row {
		var used Row
		for i, c := range left {
			if free.Has(c.ID) {
				used = append(used, l[i])
			}
		}
		k := key(used)
		rows, ok := known[k]
		if !ok {
			rows = eval(n.RightInput, e.with(left, l))
			known[k] = rows
		}
		return rows
	}
	return join(joinSpec{n.Kind, left, n.RightInput.Columns(), n.On, n.MarkNullOK}, eval(n.LeftInput, e), right, e)
}

// scan reads all rows through the source, without filters.
func scan(n *logical.Scan, e *env) []Row {
	ctx := context.Background()
	req := &storage.ScanRequest{Columns: n.Ordinal, Limit: -1}
	splits, err := n.Source.Splits(ctx, req)
	if err != nil {
		panic(err)
	}
	var out []Row
	for _, s := range splits {
		r, err := n.Source.Open(ctx, s, req)
		if err != nil {
			panic(err)
		}
		for {
			b, err := r.Next(ctx)
			if err != nil {
				panic(err)
			}
			if b == nil {
				break
			}
			for i := range b.NumRows() {
				row := make(Row, len(b.Cols))
				for c := range b.Cols {
					row[c] = b.Cols[c].Value(b.Row(i))
				}
				out = append(out, row)
			}
		}
		r.Close()
	}
	return filterRows(out, n.Cols, n.Filter, e)
}

func filterRows(rows []Row, cols []expr.Column, conds []expr.Expr, e *env) []Row {
	var out []Row
	for _, r := range rows {
		if all(conds, e.with(cols, r)) {
			out = append(out, r)
		}
	}
	return out
}

// all reports whether every condition is true.
func all(conds []expr.Expr, e *env) bool {
	for _, c := range conds {
		if !scalar(c, e).IsTrue() {
			return false
		}
	}
	return true
}

type joinSpec struct {
	kind        logical.JoinKind
	left, right []expr.Column
	on          []expr.Expr
	markNullOK  bool
}

func nulls(cols []expr.Column) Row {
	out := make(Row, len(cols))
	for i, c := range cols {
		out[i] = vector.NullOf(c.T)
	}
	return out
}

func concat(a, b Row) Row { return append(append(Row{}, a...), b...) }

// join tries every pair.
func join(s joinSpec, left []Row, rightOf func(Row) []Row, e *env) []Row {
	var out []Row
	matchedRight := map[int]bool{}
	for _, l := range left {
		inner := e.with(s.left, l)
		right := rightOf(l)
		matches, unknown := 0, false
		var single Row
		for i, r := range right {
			if pairs++; pairs > maxPairs {
				panic(ErrTooSlow)
			}
			pair := inner.with(s.right, r)
			truth := conjunction(s.on, pair)
			if truth.Null {
				unknown = true
			}
			if !truth.IsTrue() {
				continue
			}
			matches++
			matchedRight[i] = true
			single = r
			switch s.kind {
			case logical.Inner, logical.Left, logical.Right, logical.Full:
				out = append(out, concat(l, r))
			}
		}
		switch s.kind {
		case logical.Left, logical.Full:
			if matches == 0 {
				out = append(out, concat(l, nulls(s.right)))
			}
		case logical.Semi:
			if matches > 0 {
				out = append(out, l)
			}
		case logical.Anti:
			if matches == 0 {
				out = append(out, l)
			}
		case logical.NullAwareAnti:
			if matches == 0 && !unknown {
				out = append(out, l)
			}
		case logical.Mark:
			mark := vector.BoolValue(matches > 0)
			if matches == 0 && unknown && !s.markNullOK {
				mark = vector.NullOf(mark.Type)
			}
			out = append(out, concat(l, Row{mark}))
		case logical.Single:
			switch {
			case matches > 1:
				panic(ErrMoreThanOne)
			case matches == 0:
				single = nulls(s.right)
			}
			out = append(out, concat(l, single))
		}
	}
	if s.kind == logical.Right || s.kind == logical.Full {
		for i, r := range rightOf(nil) {
			if !matchedRight[i] {
				out = append(out, concat(nulls(s.left), r))
			}
		}
	}
	return out
}

// ErrMoreThanOne is a scalar subquery with several rows.
var ErrMoreThanOne = fmt.Errorf("subquery returns more than 1 row")

// conjunction is the three-valued AND of conditions.
func conjunction(conds []expr.Expr, e *env) vector.Value {
	out := vector.BoolValue(true)
	for _, c := range conds {
		v := scalar(c, e)
		if !v.Null && !v.IsTrue() {
			return v
		}
		if v.Null {
			out = vector.NullOf(out.Type)
		}
	}
	return out
}

// key is a text under which equal rows, NULLs included, are the same.
func key(r Row) string {
	s := ""
	for _, v := range r {
		switch {
		case v.Null:
			s += "N|"
		case v.Type.IsFloat():
			f := v.F
			if f == 0 {
				f = 0
			}
			s += fmt.Sprintf("f%v|", f)
		case v.Type.Physical() == sqltype.PhysString:
			s += fmt.Sprintf("%q|", v.S)
		default:
			s += v.I.String() + "|"
		}
	}
	return s
}

func distinct(rows []Row) []Row {
	seen := map[string]bool{}
	var out []Row
	for _, r := range rows {
		if k := key(r); !seen[k] {
			seen[k] = true
			out = append(out, r)
		}
	}
	return out
}

func limit(rows []Row, count, offset int64) []Row {
	if offset >= int64(len(rows)) {
		return nil
	}
	rows = rows[offset:]
	if count >= 0 && count < int64(len(rows)) {
		rows = rows[:count]
	}
	return rows
}

func sortRows(rows []Row, cols []expr.Column, keys []expr.SortKey, e *env) []Row {
	type item struct{ row, keys Row }
	items := make([]item, len(rows))
	for i, r := range rows {
		inner := e.with(cols, r)
		items[i].row = r
		for _, k := range keys {
			items[i].keys = append(items[i].keys, scalar(k.Expr, inner))
		}
	}
	sort.SliceStable(items, func(i, j int) bool {
		for k := range keys {
			a, b := items[i].keys[k], items[j].keys[k]
			switch {
			case a.Null && b.Null:
				continue
			case a.Null:
				return keys[k].NullsFirst
			case b.Null:
				return !keys[k].NullsFirst
			}
			if c := a.Compare(b); c != 0 {
				return (c < 0) != keys[k].Desc
			}
		}
		return false
	})
	out := make([]Row, len(items))
	for i := range items {
		out[i] = items[i].row
	}
	return out
}

func setOp(n *logical.SetOp, e *env) []Row {
	var sides [][]Row
	for _, in := range n.Inputs {
		sides = append(sides, eval(in, e))
	}
	if n.Kind == logical.Union {
		var out []Row
		for _, s := range sides {
			out = append(out, s...)
		}
		if !n.All {
			out = distinct(out)
		}
		return out
	}
	count := map[string]int{}
	for _, r := range sides[1] {
		count[key(r)]++
	}
	left := sides[0]
	if !n.All {
		left = distinct(left)
	}
	var out []Row
	for _, r := range left {
		k := key(r)
		found := count[k] > 0
		if n.All && found {
			count[k]--
		}
		if found == (n.Kind == logical.Intersect) {
			out = append(out, r)
		}
	}
	return out
}

func aggregate(n *logical.Aggregate, e *env) []Row {
	in := n.Input.Columns()
	rows := eval(n.Input, e)
	sets := n.Sets
	if sets == nil {
		set := make([]int, len(n.Groups))
		for i := range set {
			set[i] = i
		}
		sets = [][]int{set}
	}
	var out []Row
	for _, set := range sets {
		groups := map[string][]*env{}
		keys := map[string]Row{}
		var order []string
		id := int64(1)<<len(n.Groups) - 1
		for _, g := range set {
			id &^= 1 << (len(n.Groups) - 1 - g)
		}
		for _, r := range rows {
			inner := e.with(in, r)
			k := make(Row, len(n.Groups))
			for i, g := range n.Groups {
				k[i] = vector.NullOf(g.Type())
			}
			for _, g := range set {
				k[g] = scalar(n.Groups[g], inner)
			}
			text := key(k)
			if _, ok := groups[text]; !ok {
				order = append(order, text)
				keys[text] = k
			}
			groups[text] = append(groups[text], inner)
		}
		if n.Sets == nil && len(set) == 0 && len(rows) == 0 { // with several sets, no rows give no rows, as in Doris and MySQL
			order = []string{""}
			groups[""] = nil
			keys[""] = nulls(n.Cols[:len(n.Groups)])
		}
		for _, text := range order {
			row := append(Row{}, keys[text]...)
			for _, a := range n.Aggs {
				row = append(row, aggregateOf(a, groups[text]))
			}
			if n.GroupingID != nil {
				row = append(row, vector.Value{Type: sqltype.T(sqltype.BigInt), I: int128.FromInt64(id)})
			}
			out = append(out, row)
		}
	}
	return out
}
