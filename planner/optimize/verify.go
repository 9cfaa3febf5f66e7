package optimize

import (
	"fmt"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Verify checks that a plan is well formed: every column an expression reads is an output of an
// input, with the same type, and every node has as many expressions as columns. It gives "" or what is wrong.
// Plans with Apply nodes or subqueries are checked as far as they have none.
func Verify(n logical.Node) string {
	v := verifier{ctes: map[*logical.CTE]bool{}}
	v.node(n)
	return v.msg
}

type verifier struct {
	msg  string
	ctes map[*logical.CTE]bool
	open bool // below an Apply: outer columns may occur
}

func (v *verifier) fail(format string, args ...any) {
	if v.msg == "" {
		v.msg = fmt.Sprintf(format, args...)
	}
}

func (v *verifier) node(n logical.Node) {
	if v.msg != "" {
		return
	}
	if a, ok := n.(*logical.Apply); ok {
		v.node(a.LeftInput)
		was := v.open
		v.open = true
		v.node(a.RightInput)
		v.open = was
		return
	}
	var in []expr.Column
	for _, c := range n.Children() {
		v.node(c)
		in = append(in, c.Columns()...)
	}
	switch n := n.(type) {
	case *logical.Scan:
		if len(n.Cols) != len(n.Ordinal) {
			v.fail("scan of %s: %d columns, %d ordinals", n.Table, len(n.Cols), len(n.Ordinal))
		}
		v.exprs("scan", n.Cols, n.Filter)
	case *logical.Filter:
		v.exprs("filter", in, n.Conds)
	case *logical.Project:
		v.typed("project", n.Cols, n.Exprs)
		v.exprs("project", in, n.Exprs)
	case *logical.Join:
		v.exprs("join", in, n.On)
	case *logical.Unnest:
		if len(n.Cols) != len(n.Ordinal) || len(n.Args) != len(n.Fn.Params) {
			v.fail("%s: %d columns, %d ordinals, %d arguments for %d", n.Fn.Name, len(n.Cols), len(n.Ordinal), len(n.Args), len(n.Fn.Params))
		}
		v.exprs("unnest", in, n.Args)
	case *logical.Aggregate:
		v.aggregate(n, in)
	case *logical.Window:
		v.window(n, in)
	case *logical.Sort:
		for _, k := range n.Keys {
			v.exprs("sort", in, []expr.Expr{k.Expr})
		}
	case *logical.SetOp:
		for _, c := range n.Inputs {
			v.columns("set operation", n.Cols, c.Columns())
		}
	case *logical.CTERef:
		if !v.ctes[n.CTE] {
			v.ctes[n.CTE] = true
			v.node(n.CTE.Plan)
		}
		v.columns("reference of "+n.CTE.Name, n.Cols, n.CTE.Plan.Columns())
	}
}

func (v *verifier) aggregate(n *logical.Aggregate, in []expr.Column) {
	v.exprs("aggregate", in, n.Groups)
	for _, a := range n.Aggs {
		v.exprs("aggregate", in, []expr.Expr{a})
	}
	want := len(n.Groups) + len(n.Aggs)
	if n.GroupingID != nil {
		want++
	}
	if len(n.Cols) != want {
		v.fail("aggregate: %d columns for %d outputs", len(n.Cols), want)
	}
}

func (v *verifier) window(n *logical.Window, in []expr.Column) {
	v.exprs("window", in, n.Partition)
	for _, k := range n.Order {
		v.exprs("window", in, []expr.Expr{k.Expr})
	}
	if len(n.Funcs) != len(n.Cols) {
		v.fail("window: %d columns for %d calls", len(n.Cols), len(n.Funcs))
		return
	}
	for i, w := range n.Funcs {
		v.exprs("window", in, []expr.Expr{w})
		if len(w.Partition)+len(w.Order) > 0 || w.Peers > len(n.Order) {
			v.fail("window: %s has an order of its own", w.CallString(true))
		}
		if w.Type().Physical() != n.Cols[i].T.Physical() {
			v.fail("window: column %s is %s, its call %s is %s", n.Cols[i].Name, n.Cols[i].T, w.CallString(true), w.Type())
		}
	}
}

func (v *verifier) typed(what string, cols []expr.Column, exprs []expr.Expr) {
	if len(cols) != len(exprs) {
		v.fail("%s: %d columns for %d expressions", what, len(cols), len(exprs))
		return
	}
	for i, e := range exprs {
		if e.Type().Physical() != cols[i].T.Physical() {
			v.fail("%s: column %s is %s, its expression %s is %s", what, cols[i].Name, cols[i].T, expr.StringIDs(e), e.Type())
		}
	}
}

func (v *verifier) columns(what string, want, got []expr.Column) {
	if len(want) != len(got) {
		v.fail("%s: %d columns of an input for %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if want[i].T.Physical() != got[i].T.Physical() {
			v.fail("%s: column %d is %s, of the input %s", what, i, want[i].T, got[i].T)
		}
	}
}

func (v *verifier) exprs(what string, in []expr.Column, exprs []expr.Expr) {
	if v.open || v.msg != "" {
		return
	}
	for _, e := range exprs {
		expr.Walk(e, func(e expr.Expr) bool {
			c, ok := e.(*expr.Column)
			if !ok {
				return true
			}
			for i := range in {
				if in[i].ID == c.ID {
					if in[i].T.Physical() != c.T.Physical() {
						v.fail("%s: column %s#%d is read as %s and made as %s", what, c.Name, c.ID, c.T, in[i].T)
					}
					return true
				}
			}
			v.fail("%s: column %s#%d is not in the input", what, c.Name, c.ID)
			return true
		})
	}
}
