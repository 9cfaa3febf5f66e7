package optimize

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// PrunePredicate is what metadata can test of cond, a condition on n's columns: something that is true of every row
// for which cond is true. Constants are of the column's own type. Functions that never fall as
// their argument rises (date_trunc, year, casts) are turned into ranges of the column.
func PrunePredicate(n *logical.Scan, cond expr.Expr) (storage.Predicate, bool) {
	p := pruner{n}
	return p.predicate(cond)
}

type pruner struct{ scan *logical.Scan }

// maxInverses bounds the constants of a list over a function: each takes a search.
const maxInverses = 64

// maxExcluded bounds the constants of NOT IN.
const maxExcluded = 1000

var pruneOps = map[string]storage.Op{
	"=": storage.OpEq, "<=>": storage.OpEq, "<>": storage.OpNe, "<": storage.OpLt, "<=": storage.OpLe,
	">": storage.OpGt, ">=": storage.OpGe,
}

var negatedOp = map[string]string{"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

func (p pruner) predicate(e expr.Expr) (storage.Predicate, bool) {
	if col, ok := e.(*expr.Column); ok {
		return p.flag(col, true)
	}
	c, ok := e.(*expr.Call)
	if !ok {
		return storage.Predicate{}, false
	}
	switch c.Fn.Name {
	case "and":
		return p.all(c.Args, p.predicate)
	case "or":
		return p.any(c.Args, p.predicate)
	case "not":
		return p.not(c.Args[0])
	case "is_true":
		return p.predicate(c.Args[0])
	case "is_null", "is_not_null":
		return p.null(c.Args[0], c.Fn.Name == "is_null")
	case "in":
		return p.in(c)
	case "like":
		return p.like(c)
	}
	return p.compare(c, c.Fn.Name)
}

// flag is a BOOLEAN column used as a condition.
func (p pruner) flag(col *expr.Column, want bool) (storage.Predicate, bool) {
	ordinal, _, ok := p.column(col)
	return storage.Predicate{Op: storage.OpEq, Column: ordinal, Values: []vector.Value{vector.BoolValue(want)}}, ok && col.T.Kind == sqltype.Boolean
}

func (p pruner) null(e expr.Expr, want bool) (storage.Predicate, bool) {
	col, _, ok := p.column(e)
	op := storage.OpIsNotNull
	if want {
		op = storage.OpIsNull
	}
	return storage.Predicate{Op: op, Column: col}, ok
}

// column is the source ordinal of a bare column.
func (p pruner) column(e expr.Expr) (ordinal int, col *expr.Column, ok bool) {
	col, ok = e.(*expr.Column)
	if !ok {
		return 0, nil, false
	}
	for i, c := range p.scan.Cols {
		if c.ID == col.ID {
			return p.scan.Ordinal[i], col, true
		}
	}
	return 0, nil, false
}

func (p pruner) constant(col *expr.Column, e expr.Expr) (vector.Value, bool) {
	lit, ok := e.(*expr.Literal)
	if !ok || lit.Value.Null {
		return vector.Value{}, false
	}
	v := lit.Value
	if v.Type.Kind != col.T.Kind || v.Type.Scale != col.T.Scale || v.Type.Physical() != col.T.Physical() {
		if !v.Type.IsString() || !col.T.IsString() {
			return vector.Value{}, false
		}
	}
	v.Type = col.T
	return v, true
}

func (p pruner) compare(c *expr.Call, name string) (storage.Predicate, bool) {
	if _, ok := pruneOps[name]; !ok || len(c.Args) != 2 {
		return storage.Predicate{}, false
	}
	a, b := c.Args[0], c.Args[1]
	if _, ok := a.(*expr.Literal); ok {
		a, b, name = b, a, flippedOp[name]
	}
	ordinal, col, ok := p.column(a)
	if !ok {
		lit, isLit := b.(*expr.Literal)
		if !isLit || lit.Value.Null {
			return storage.Predicate{}, false
		}
		if q, ok := p.beginning(a, name, lit.Value); ok {
			return q, true
		}
		return p.mapped(a, name, lit.Value)
	}
	if lit, isLit := b.(*expr.Literal); isLit && lit.Value.Null && name == "<=>" {
		return storage.Predicate{Op: storage.OpIsNull, Column: ordinal}, true
	}
	v, ok := p.constant(col, b)
	if !ok {
		return storage.Predicate{}, false
	}
	return storage.Predicate{Op: pruneOps[name], Column: ordinal, Values: []vector.Value{v}}, true
}

// not moves a negation down to comparisons, which NULL fails as well.
func (p pruner) not(e expr.Expr) (storage.Predicate, bool) {
	if col, ok := e.(*expr.Column); ok {
		return p.flag(col, false)
	}
	c, ok := e.(*expr.Call)
	if !ok {
		return storage.Predicate{}, false
	}
	switch c.Fn.Name {
	case "and":
		return p.any(c.Args, p.not)
	case "or":
		return p.all(c.Args, p.not)
	case "not":
		return p.predicate(c.Args[0])
	case "is_null", "is_not_null":
		return p.null(c.Args[0], c.Fn.Name == "is_not_null")
	case "in":
		return p.notIn(c)
	}
	if name, ok := negatedOp[c.Fn.Name]; ok && !c.Args[0].Type().IsFloat() {
		return p.compare(c, name)
	}
	return storage.Predicate{}, false
}

func (p pruner) in(c *expr.Call) (storage.Predicate, bool) {
	ordinal, col, ok := p.column(c.Args[0])
	if !ok {
		return p.mappedIn(c)
	}
	values := make([]vector.Value, 0, len(c.Args)-1)
	for _, a := range c.Args[1:] {
		if lit, ok := a.(*expr.Literal); ok && lit.Value.Null {
			continue // x IN (…, NULL) is never true by the NULL
		}
		v, ok := p.constant(col, a)
		if !ok {
			return storage.Predicate{}, false
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return storage.Predicate{}, false
	}
	slices.SortFunc(values, vector.Value.Compare)
	values = slices.CompactFunc(values, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
	return storage.Predicate{Op: storage.OpIn, Column: ordinal, Values: values}, true
}

// notIn excludes each constant. (A NULL among them makes the condition never true: then anything may be tested.)
func (p pruner) notIn(c *expr.Call) (storage.Predicate, bool) {
	in, ok := p.in(c)
	if !ok || in.Op != storage.OpIn || len(in.Values) > maxExcluded {
		return storage.Predicate{}, false
	}
	out := storage.Predicate{Op: storage.OpAnd}
	for i := range in.Values {
		out.Children = append(out.Children, storage.Predicate{Op: storage.OpNe, Column: in.Column, Values: in.Values[i : i+1]})
	}
	return out, true
}

// like takes the fixed start of a pattern.
func (p pruner) like(c *expr.Call) (storage.Predicate, bool) {
	ordinal, col, ok := p.column(c.Args[0])
	if !ok || len(c.Args) != 2 || !col.T.IsString() {
		return storage.Predicate{}, false
	}
	v, ok := p.constant(col, c.Args[1])
	if !ok {
		return storage.Predicate{}, false
	}
	end := strings.IndexAny(v.S, `%_\`)
	op := storage.OpPrefix
	switch {
	case end == 0:
		return storage.Predicate{}, false
	case end > 0:
		v.S = v.S[:end]
	default:
		op = storage.OpEq
	}
	return storage.Predicate{Op: op, Column: ordinal, Values: []vector.Value{v}}, true
}

// all keeps the conjuncts that can be tested; leaving some out only prunes less.
func (p pruner) all(args []expr.Expr, f func(expr.Expr) (storage.Predicate, bool)) (storage.Predicate, bool) {
	out := storage.Predicate{Op: storage.OpAnd}
	for _, a := range args {
		if q, ok := f(a); ok {
			out.Children = append(out.Children, q)
		}
	}
	if len(out.Children) == 1 {
		return out.Children[0], true
	}
	return out, len(out.Children) > 0
}

// any needs every branch.
func (p pruner) any(args []expr.Expr, f func(expr.Expr) (storage.Predicate, bool)) (storage.Predicate, bool) {
	out := storage.Predicate{Op: storage.OpOr}
	for _, a := range args {
		q, ok := f(a)
		if !ok {
			return storage.Predicate{}, false
		}
		out.Children = append(out.Children, q)
	}
	return out, len(out.Children) > 0
}

// beginning reads comparisons of the first n characters of a text: substr(dt, 1, 7) = '2024-01'.
func (p pruner) beginning(e expr.Expr, op string, v vector.Value) (storage.Predicate, bool) {
	c, ok := e.(*expr.Call)
	if !ok || !v.Type.IsString() {
		return storage.Predicate{}, false
	}
	count := c.Args[len(c.Args)-1]
	switch c.Fn.Name {
	case "left":
	case "substr", "substring", "mid":
		if len(c.Args) != 3 || !isNumber(c.Args[1], 1) {
			return storage.Predicate{}, false
		}
	default:
		return storage.Predicate{}, false
	}
	ordinal, col, ok := p.column(c.Args[0])
	n, isLit := count.(*expr.Literal)
	if !ok || !isLit || n.Value.Null || !n.Value.Type.IsInteger() || !col.T.IsString() {
		return storage.Predicate{}, false
	}
	v.Type = col.T
	leaf := func(op storage.Op, s string) (storage.Predicate, bool) {
		v.S = s
		return storage.Predicate{Op: op, Column: ordinal, Values: []vector.Value{v}}, true
	}
	long := int64(utf8.RuneCountInString(v.S)) > n.Value.Int64()
	switch {
	case op == "=" && !long && v.S != "":
		return leaf(storage.OpPrefix, v.S)
	case op == ">" || op == ">=": // a text is not below its beginning
		return leaf(storage.OpGe, v.S)
	case op == "<" && !long:
		return leaf(storage.OpLt, v.S)
	case (op == "<" || op == "<=") && v.S != "" && v.S[len(v.S)-1] < 0x7f: // whatever follows the beginning
		return leaf(storage.OpLt, v.S[:len(v.S)-1]+string([]byte{v.S[len(v.S)-1] + 1}))
	}
	return storage.Predicate{}, false
}

func isNumber(e expr.Expr, n int64) bool {
	lit, ok := e.(*expr.Literal)
	return ok && !lit.Value.Null && lit.Value.Type.IsInteger() && lit.Value.Int64() == n
}

// mapped is a comparison of a monotone function of a column with a constant, as a range of the column.
func (p pruner) mapped(e expr.Expr, op string, v vector.Value) (storage.Predicate, bool) {
	inv, ok := inverseOf(e)
	if !ok || op == "<>" {
		return storage.Predicate{}, false
	}
	return p.image(inv, op, v)
}

func (p pruner) image(inv *inverse, op string, v vector.Value) (storage.Predicate, bool) {
	ordinal, _, ok := p.column(inv.col)
	if !ok {
		return storage.Predicate{}, false
	}
	leaf := func(op storage.Op, x int64) storage.Predicate {
		return storage.Predicate{Op: op, Column: ordinal, Values: []vector.Value{inv.argument(x)}}
	}
	nothing := storage.Predicate{Op: storage.OpOr} // of no branches
	first, noFirst, ok := inv.from(v, false)
	if !ok {
		return storage.Predicate{}, false
	}
	past, noPast, ok := inv.from(v, true)
	if !ok {
		return storage.Predicate{}, false
	}
	below := func(x int64, none bool) storage.Predicate {
		if none {
			return leaf(storage.OpLe, inv.hi)
		}
		return leaf(storage.OpLt, x)
	}
	switch op {
	case "<":
		return below(first, noFirst), true
	case "<=":
		return below(past, noPast), true
	case ">":
		if noPast {
			return nothing, true
		}
		return leaf(storage.OpGe, past), true
	case ">=":
		if noFirst {
			return nothing, true
		}
		return leaf(storage.OpGe, first), true
	}
	if noFirst || !noPast && past == first {
		return nothing, true
	}
	return storage.Predicate{Op: storage.OpAnd, Children: []storage.Predicate{leaf(storage.OpGe, first), below(past, noPast)}}, true
}

// mappedIn is a list over a function: an OR of ranges.
func (p pruner) mappedIn(c *expr.Call) (storage.Predicate, bool) {
	if len(c.Args)-1 > maxInverses {
		return storage.Predicate{}, false
	}
	out := storage.Predicate{Op: storage.OpOr}
	inv, isMonotone := inverseOf(c.Args[0])
	for _, a := range c.Args[1:] {
		lit, ok := a.(*expr.Literal)
		if !ok {
			return storage.Predicate{}, false
		}
		if lit.Value.Null {
			continue
		}
		q, ok := p.beginning(c.Args[0], "=", lit.Value)
		if !ok && isMonotone {
			q, ok = p.image(inv, "=", lit.Value)
		}
		if !ok {
			return storage.Predicate{}, false
		}
		out.Children = append(out.Children, q)
	}
	return out, len(out.Children) > 0
}
