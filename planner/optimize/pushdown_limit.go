package optimize

import (
	"math"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// pushdownLimit lets producers stop early: limits go through projections, into each input of UNION ALL, to
// the kept side of an outer join, and into scans without filters. The limit itself stays above, but for
// projections, which it passes, and limits, with which it merges.
func pushdownLimit(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		if l, ok := n.(*logical.Limit); ok {
			return pushLimit(l)
		}
		return n
	}), nil
}

func pushLimit(l *logical.Limit) logical.Node {
	if l.Count == 0 {
		return &logical.Values{Cols: l.Columns()}
	}
	switch in := l.Input.(type) {
	case *logical.Limit:
		offset, count := combineLimits(in.Offset, in.Count, l.Offset, l.Count)
		return pushLimit(&logical.Limit{Input: in.Input, Offset: offset, Count: count})
	case *logical.Project:
		for _, e := range in.Exprs {
			if expr.IsVolatile(e) {
				return l
			}
		}
		return rebuild(in, pushLimit(&logical.Limit{Input: in.Input, Offset: l.Offset, Count: l.Count}))
	}
	if l.Count < 0 || l.Offset > math.MaxInt64-l.Count {
		return l
	}
	return rebuild(l, atMost(l.Input, l.Offset+l.Count))
}

// atMost tells n that only its first rows are wanted; n may give more.
func atMost(n logical.Node, rows int64) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		if len(n.Filter) == 0 && (n.Limit < 0 || n.Limit > rows) {
			m := *n
			m.Limit = rows
			return &m
		}
	case *logical.Project:
		return rebuild(n, atMost(n.Input, rows))
	case *logical.SetOp:
		if n.Kind != logical.Union || !n.All {
			return n
		}
		return logical.RewriteChildren(n, func(c logical.Node) logical.Node {
			switch c.(type) {
			case *logical.Scan, *logical.Values, *logical.Project:
				return atMost(c, rows)
			case *logical.Limit, *logical.Sort, *logical.Aggregate:
				return c
			}
			return &logical.Limit{Input: c, Count: rows}
		})
	case *logical.Join:
		if n.Kind == logical.Left || n.Kind == logical.Single || n.Kind == logical.Mark {
			if left := atMost(n.LeftInput, rows); left != n.LeftInput {
				return n.WithChildren([]logical.Node{left, n.RightInput})
			}
		}
	}
	return n
}
