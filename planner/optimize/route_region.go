package optimize

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// routeRegion is an aggregation with what is below it down to the scans that may read folded rows: filters and joins, whose
// expressions are over the columns of scans since projections are gone.
type routeRegion struct {
	agg    *logical.Aggregate
	root   logical.Node
	groups []expr.Expr
	aggs   []*expr.Aggregate
	scans  []regionScan
	at     map[expr.ColumnID]expr.Expr // what projections computed
}

// regionScan is a scan with indexes. nullSide: an outer join may give rows without one of its.
type regionScan struct {
	scan     *logical.Scan
	nullSide bool
}

func newRegion(a *logical.Aggregate) *routeRegion {
	g := &routeRegion{agg: a, at: map[expr.ColumnID]expr.Expr{}}
	g.root = g.flat(a.Input, false)
	for _, e := range a.Groups {
		g.groups = append(g.groups, g.over(e))
	}
	for _, x := range a.Aggs {
		g.aggs = append(g.aggs, g.over(x).(*expr.Aggregate))
	}
	return g
}

// over reads e over the columns of scans.
func (g *routeRegion) over(e expr.Expr) expr.Expr {
	if len(g.at) == 0 {
		return e
	}
	return substituted(e, g.at)
}

func (g *routeRegion) all(list []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = g.over(e)
	}
	return out
}

// flat is n without the projections on the way to the scans. What it cannot look through stays as it is.
func (g *routeRegion) flat(n logical.Node, nullSide bool) logical.Node {
	switch x := n.(type) {
	case *logical.Scan:
		if x.Indexes != nil && x.Limit < 0 {
			g.scans = append(g.scans, regionScan{x, nullSide})
		}
	case *logical.Filter:
		in := g.flat(x.Input, nullSide)
		return &logical.Filter{Input: in, Conds: g.all(x.Conds)}
	case *logical.Project:
		for _, e := range x.Exprs {
			if _, plain := e.(*expr.Column); !plain && (nullSide || expr.IsVolatile(e)) {
				return n
			}
		}
		in := g.flat(x.Input, nullSide)
		for i, e := range x.Exprs {
			if c, ok := e.(*expr.Column); !ok || c.ID != x.Cols[i].ID {
				g.at[x.Cols[i].ID] = g.over(e)
			}
		}
		return in
	case *logical.Join:
		return g.join(x, nullSide)
	}
	return n
}

func (g *routeRegion) join(n *logical.Join, nullSide bool) logical.Node {
	m := *n
	switch n.Kind {
	case logical.Inner:
		m.LeftInput, m.RightInput = g.flat(n.LeftInput, nullSide), g.flat(n.RightInput, nullSide)
	case logical.Left:
		m.LeftInput, m.RightInput = g.flat(n.LeftInput, nullSide), g.flat(n.RightInput, true)
	case logical.Right:
		m.LeftInput, m.RightInput = g.flat(n.LeftInput, true), g.flat(n.RightInput, nullSide)
	case logical.Full:
		m.LeftInput, m.RightInput = g.flat(n.LeftInput, true), g.flat(n.RightInput, true)
	case logical.Semi, logical.Anti, logical.NullAwareAnti, logical.Mark, logical.Single:
		m.LeftInput = g.flat(n.LeftInput, nullSide)
	default:
		return n
	}
	m.On = g.all(n.On)
	return &m
}

// weight is how much more than reading its rows the aggregation costs: sets of distinct values are dear.
func (g *routeRegion) weight() float64 {
	w := 1.0
	for _, a := range g.aggs {
		if a.Distinct && !a.Fn.IgnoresDistinct {
			w += 2
		}
	}
	return w
}
