package lower

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// prunePredicate is what metadata can test of cond: something that is true of every row for which
// cond is true. Only constants of the column's own type take part; a cast around the column
// hides it.
func prunePredicate(n *logical.Scan, cond expr.Expr) (storage.Predicate, bool) {
	p := pruner{scan: n}
	return p.predicate(cond)
}

type pruner struct{ scan *logical.Scan }

var pruneOps = map[string]storage.Op{
	"=": storage.OpEq, "<=>": storage.OpEq, "<>": storage.OpNe, "<": storage.OpLt, "<=": storage.OpLe,
	">": storage.OpGt, ">=": storage.OpGe,
}

var flipped = map[string]string{"=": "=", "<>": "<>", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

var negated = map[string]string{"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

func (p pruner) predicate(e expr.Expr) (storage.Predicate, bool) {
	c, ok := e.(*expr.Call)
	if !ok {
		return storage.Predicate{}, false
	}
	switch c.Fn.Name {
	case "and":
		return p.all(c.Args)
	case "or":
		return p.any(c.Args)
	case "not":
		return p.not(c.Args[0])
	case "is_null", "is_not_null":
		col, _, ok := p.column(c.Args[0])
		op := storage.OpIsNull
		if c.Fn.Name == "is_not_null" {
			op = storage.OpIsNotNull
		}
		return storage.Predicate{Op: op, Column: col}, ok
	case "in":
		return p.in(c)
	case "like":
		return p.like(c)
	}
	return p.compare(c, c.Fn.Name)
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
		a, b, name = b, a, flipped[name]
	}
	ordinal, col, ok := p.column(a)
	if !ok {
		return storage.Predicate{}, false
	}
	v, ok := p.constant(col, b)
	if !ok {
		return storage.Predicate{}, false
	}
	return storage.Predicate{Op: pruneOps[name], Column: ordinal, Values: []vector.Value{v}}, true
}

// not handles a negated comparison, which NULL fails as well.
func (p pruner) not(e expr.Expr) (storage.Predicate, bool) {
	c, ok := e.(*expr.Call)
	if !ok {
		return storage.Predicate{}, false
	}
	if name, ok := negated[c.Fn.Name]; ok {
		return p.compare(c, name)
	}
	if c.Fn.Name == "is_null" {
		col, _, ok := p.column(c.Args[0])
		return storage.Predicate{Op: storage.OpIsNotNull, Column: col}, ok
	}
	return storage.Predicate{}, false
}

func (p pruner) in(c *expr.Call) (storage.Predicate, bool) {
	ordinal, col, ok := p.column(c.Args[0])
	if !ok {
		return storage.Predicate{}, false
	}
	var values []vector.Value
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
func (p pruner) all(args []expr.Expr) (storage.Predicate, bool) {
	out := storage.Predicate{Op: storage.OpAnd}
	for _, a := range args {
		if q, ok := p.predicate(a); ok {
			out.Children = append(out.Children, q)
		}
	}
	if len(out.Children) == 1 {
		return out.Children[0], true
	}
	return out, len(out.Children) > 0
}

// any needs every branch.
func (p pruner) any(args []expr.Expr) (storage.Predicate, bool) {
	out := storage.Predicate{Op: storage.OpOr}
	for _, a := range args {
		q, ok := p.predicate(a)
		if !ok {
			return storage.Predicate{}, false
		}
		out.Children = append(out.Children, q)
	}
	return out, len(out.Children) > 0
}
