package optimize

import (
	"math"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// topN joins LIMIT with the ORDER BY below it, through projections: the sort then keeps only the first rows.
func topN(_ *Context, n logical.Node) (logical.Node, error) {
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		l, ok := n.(*logical.Limit)
		if !ok {
			return n
		}
		return limitSort(l)
	}), nil
}

func limitSort(l *logical.Limit) logical.Node {
	switch in := l.Input.(type) {
	case *logical.Sort:
		offset, count := combineLimits(in.Offset, in.Limit, l.Offset, l.Count)
		m := *in
		m.Offset, m.Limit = offset, count
		return &m
	case *logical.Project:
		for _, e := range in.Exprs {
			if expr.IsVolatile(e) {
				return l
			}
		}
		below := &logical.Limit{Input: in.Input, Count: l.Count, Offset: l.Offset}
		if out := limitSort(below); out != logical.Node(below) {
			return rebuild(in, out)
		}
	}
	return l
}

// combineLimits is rows [o2, o2+c2) of rows [o1, o1+c1); a count of -1 is all.
func combineLimits(o1, c1, o2, c2 int64) (offset, count int64) {
	offset = o1 + o2
	if offset < 0 { // overflow
		offset = math.MaxInt64
	}
	count = c2
	if c1 >= 0 {
		left := max(0, c1-o2)
		if count < 0 || left < count {
			count = left
		}
	}
	return offset, count
}
