package bind

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// cteScope is a chain of WITH names, innermost first.
type cteScope struct {
	next *cteScope
	cte  *cte
}

// cte is one common table expression; it is bound when it is first referred to.
type cte struct {
	def    *ast.CTE
	parent *scope    // of the query that the WITH belongs to
	ctes   *cteScope // the names that it may use itself
	plan   *logical.CTE
	names  []string
	// correlated expressions read columns of an outer query: they are bound anew for each reference.
	correlated bool
}

func (s *cteScope) find(name string) *cte {
	for ; s != nil; s = s.next {
		if s.cte.def.Name == name {
			return s.cte
		}
	}
	return nil
}

// with opens the scope of a WITH clause.
func (b *binder) with(q *ast.With, parent *scope, ctes *cteScope) (*cteScope, error) {
	if q.Recursive {
		return nil, sqlerr.Unsupported("WITH RECURSIVE").At(q.Position())
	}
	for i := range q.CTEs {
		def := &q.CTEs[i]
		for j := range i {
			if q.CTEs[j].Name == def.Name {
				return nil, sqlerr.New(sqlerr.DuplicateAlias, "Not unique table/alias: '%s'", def.Name).At(def.Position())
			}
		}
		ctes = &cteScope{next: ctes, cte: &cte{def: def, parent: parent, ctes: ctes}}
	}
	return ctes, nil
}

// reference reads a CTE.
func (b *binder) reference(c *cte) (relationResult, error) {
	if c.plan == nil || c.correlated {
		r, err := b.query(c.def.Query, c.parent, c.ctes, false)
		if err != nil {
			return r, err
		}
		r = b.typedNulls(r)
		if len(c.def.Columns) > 0 {
			if len(c.def.Columns) != len(r.names) {
				return r, sqlerr.New(columnListMismatch, "Column list of '%s' has %d names for %d columns", c.def.Name, len(c.def.Columns), len(r.names)).At(c.def.Position())
			}
			r.names = c.def.Columns
		}
		if !logical.FreeColumns(r.node).Empty() {
			c.correlated = true
			return r, nil
		}
		b.ctes++
		c.plan, c.names = &logical.CTE{ID: b.ctes, Name: c.def.Name, Plan: r.node}, r.names
	}
	ref := &logical.CTERef{CTE: c.plan}
	for i, col := range c.plan.Plan.Columns() {
		ref.Cols = append(ref.Cols, b.newColumn(c.def.Name+"."+c.names[i], col.T, col.Null))
	}
	return relationResult{node: ref, names: c.names}, nil
}

// inlineSingleCTEs replaces the references to CTEs that have but one by their plans.
func inlineSingleCTEs(n logical.Node) logical.Node {
	refs := map[*logical.CTE]int{}
	count := func(n logical.Node) {
		logical.Walk(n, func(n logical.Node) bool {
			if r, ok := n.(*logical.CTERef); ok {
				refs[r.CTE]++
			}
			return true
		})
	}
	shared := logical.CTEs(n)
	if len(shared) == 0 {
		return n
	}
	count(n)
	for _, c := range shared {
		count(c.Plan)
	}
	inline := func(n logical.Node) logical.Node {
		return logical.Rewrite(n, func(n logical.Node) logical.Node {
			r, ok := n.(*logical.CTERef)
			if !ok || refs[r.CTE] > 1 {
				return n
			}
			return &logical.Project{Input: r.CTE.Plan, Exprs: expr.Refs(r.CTE.Plan.Columns()), Cols: r.Cols}
		})
	}
	for _, c := range shared { // those that others read come first
		c.Plan = inline(c.Plan)
	}
	return inline(n)
}
