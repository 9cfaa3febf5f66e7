package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// eliminateProjects removes projections that only rename, reorder or leave out columns (what is above reads the
// original columns) and merges a projection into the one above it where nothing is then computed twice.
// Where the order of columns has a meaning, they stay.
func eliminateProjects(_ *Context, n logical.Node) (logical.Node, error) {
	e := renamer{}
	return e.exact(n), nil
}

// renamer maps ids that removed projections made to what they stood for.
type renamer map[expr.ColumnID]*expr.Column

func (r renamer) expr(e expr.Expr) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		to, ok := r[c.ID]
		if !ok {
			return nil, false
		}
		m := *to
		m.Null = m.Null || c.Null
		return &m, true
	})
}

// made forgets what columns stood for that a node gives under their own ids: it may be grouping by, or projecting,
// a column that was renamed below.
func (r renamer) made(cols []expr.Column) {
	for _, c := range cols {
		delete(r, c.ID)
	}
}

// exact rewrites n and keeps its columns as they are.
func (r renamer) exact(n logical.Node) logical.Node {
	old := n.Columns()
	out := r.node(n)
	same := len(out.Columns()) == len(old)
	for i := 0; same && i < len(old); i++ {
		same = out.Columns()[i].ID == old[i].ID
	}
	if same {
		return out
	}
	exprs := make([]expr.Expr, len(old))
	for i, c := range old {
		exprs[i] = r.expr(expr.Ref(c))
	}
	r.made(old)
	p := &logical.Project{Input: out, Exprs: exprs, Cols: old}
	if was, ok := n.(*logical.Project); ok && was.Input == out && sameColumns(was.Exprs, exprs) {
		return n
	}
	return p
}

func sameColumns(a, b []expr.Expr) bool {
	for i := range a {
		x, ok1 := a[i].(*expr.Column)
		y, ok2 := b[i].(*expr.Column)
		if !ok1 || !ok2 || x.ID != y.ID {
			return false
		}
	}
	return len(a) == len(b)
}

// node rewrites n; its columns may come back under other ids, which r then knows.
func (r renamer) node(n logical.Node) logical.Node {
	if ordersColumns(n) {
		return logical.RewriteChildren(n, r.exact)
	}
	out := logical.RewriteChildren(n, r.node)
	out = logical.MapExprs(out, r.expr)
	if a, ok := out.(*logical.Aggregate); ok {
		r.made(a.Cols)
	}
	p, ok := out.(*logical.Project)
	if !ok {
		return out
	}
	if in, ok := p.Input.(*logical.Project); ok {
		p = merge(p, in)
	}
	for _, e := range p.Exprs {
		if _, ok := e.(*expr.Column); !ok {
			r.made(p.Cols)
			return p
		}
	}
	r.made(p.Cols)
	for i, e := range p.Exprs {
		if c := e.(*expr.Column); c.ID != p.Cols[i].ID {
			r[p.Cols[i].ID] = c
		}
	}
	return p.Input
}

// merge computes p straight from in's input, unless that would compute something twice.
func merge(p, in *logical.Project) *logical.Project {
	at := map[expr.ColumnID]expr.Expr{}
	for i, c := range in.Cols {
		at[c.ID] = in.Exprs[i]
	}
	uses := map[expr.ColumnID]int{}
	for _, e := range p.Exprs {
		expr.Walk(e, func(e expr.Expr) bool {
			if c, ok := e.(*expr.Column); ok {
				uses[c.ID]++
			}
			return true
		})
	}
	for id, e := range at {
		if expr.IsVolatile(e) {
			return p
		}
		switch e.(type) {
		case *expr.Column, *expr.Literal:
		default:
			if uses[id] > 1 {
				return p
			}
		}
	}
	exprs := make([]expr.Expr, len(p.Exprs))
	for i, e := range p.Exprs {
		exprs[i] = substituted(e, at)
	}
	return &logical.Project{Input: in.Input, Exprs: exprs, Cols: p.Cols}
}
