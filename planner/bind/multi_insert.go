package bind

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Branch is one INSERT of Hive's FROM … INSERT … INSERT ….
type Branch struct {
	To    Target
	Query ast.Query // a SELECT without FROM
	Sink  storage.Sink
}

// MultiInsert binds FROM … INSERT …: every branch reads the rows of one shared plan, which keeps only rows that the
// condition of some branch lets pass. The plan yields the number of rows of each branch.
func MultiInsert(from ast.TableExpr, branches []Branch, env *Env) (*Bound, error) {
	b := newBinder(env)
	fc := &fromContext{}
	shared, err := b.from([]ast.TableExpr{from}, fc)
	if err != nil {
		return nil, err
	}
	b.ctes++
	plan := &logical.CTE{ID: b.ctes, Name: "from", Plan: shared.node}
	if cond := b.anyBranch(fc.scope(shared), branches); cond != nil {
		plan.Plan = &logical.Filter{Input: shared.node, Conds: []expr.Expr{cond}}
	}
	union := &logical.SetOp{Kind: logical.Union, All: true}
	for _, br := range branches {
		q, ok := br.Query.(*ast.Select)
		if !ok || len(q.From) > 0 {
			return nil, sqlerr.Unsupported("anything but SELECT without FROM in FROM … INSERT …").At(br.Query.Position())
		}
		if err := refused(q); err != nil {
			return nil, err
		}
		w, err := b.insert(br.To, q, br.Sink, func() (relationResult, error) {
			own := &fromContext{}
			return b.selectFrom(q, own, b.sharedItem(plan, shared), true)
		})
		if err != nil {
			return nil, err
		}
		union.Inputs = append(union.Inputs, w)
	}
	union.Cols = []expr.Column{b.newColumn("rows", sqltype.T(sqltype.BigInt), false)}
	return b.finish(union, []string{"rows"}), nil
}

// anyBranch is the disjunction of the branches' conditions; nil when rows cannot be left out by it: a branch takes
// all, or a condition has a subquery, may fail or is not the same twice. What is wrong with one is told by its branch.
func (b *binder) anyBranch(s *scope, branches []Branch) expr.Expr {
	var conds []expr.Expr
	for _, br := range branches {
		q, ok := br.Query.(*ast.Select)
		if !ok || q.Where == nil {
			return nil
		}
		cond, err := b.condition(s.in("where clause", aggregatesForbidden, nil), q.Where)
		if err != nil || expr.HasSubquery(cond) || expr.IsVolatile(cond) || expr.MayFail(cond) {
			return nil
		}
		conds = append(conds, cond)
	}
	return fold(expr.Or(conds...))
}

// sharedItem is one reference to the shared rows, under the names that the FROM clause gives them.
func (b *binder) sharedItem(plan *logical.CTE, from fromItem) fromItem {
	ref := &logical.CTERef{CTE: plan}
	columns := map[expr.ColumnID]expr.Column{}
	for _, c := range plan.Plan.Columns() {
		own := b.newColumn(c.Name, c.T, c.Null)
		columns[c.ID] = own
		ref.Cols = append(ref.Cols, own)
	}
	own := func(list []named) []named {
		out := make([]named, len(list))
		for i, n := range list {
			out[i] = n
			out[i].col = columns[n.col.ID]
		}
		return out
	}
	out := fromItem{node: ref, visible: own(from.visible)}
	for _, r := range from.rels {
		c := *r
		c.cols = own(r.cols)
		out.rels = append(out.rels, &c)
	}
	return out
}
