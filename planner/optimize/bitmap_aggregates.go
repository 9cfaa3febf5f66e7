package optimize

import (
	"math"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Distinct integers are counted by bitmaps where at least denseRows rows come to each container of 65,536 ids of a group:
// then a set costs less than the hash table's entries. Below leastBitmapRows either way takes no time.
const (
	denseRows       = 32
	containerIDs    = 1 << 16
	leastBitmapRows = 1 << 16
)

// bitmapAggregates replaces aggregates by ones over bitmaps that do the same with less: bitmap_union(to_bitmap(x)) adds the ids
// themselves and makes no bitmap of a row, and count(DISTINCT x) of integers that lie close together needs neither a second
// level of grouping nor all rows of a group in one place.
func bitmapAggregates(_ *Context, n logical.Node) (logical.Node, error) {
	est := NewEstimates()
	return logical.Rewrite(n, func(n logical.Node) logical.Node {
		a, ok := n.(*logical.Aggregate)
		if !ok {
			return n
		}
		var aggs []*expr.Aggregate
		for i, x := range a.Aggs {
			y := ofIDs(x)
			if y == nil && denselyCounted(est, a, x) {
				y = replaced(x, "bitmap_union_int", x.Args[0])
			}
			if y == nil {
				continue
			}
			if aggs == nil {
				aggs = append(aggs, a.Aggs...)
			}
			aggs[i] = y
		}
		if aggs == nil {
			return n
		}
		c := *a
		c.Aggs = aggs
		return &c
	}), nil
}

// ofIDs is bitmap_union and bitmap_union_count of to_bitmap(x) as an aggregate of x itself; nil for others.
func ofIDs(a *expr.Aggregate) *expr.Aggregate {
	name, ok := map[string]string{"bitmap_union": "bitmap_agg", "bitmap_union_count": "bitmap_agg_count"}[a.Fn.Name]
	if !ok {
		return nil
	}
	args, ok := expr.IsCall(a.Args[0], "to_bitmap")
	if !ok {
		return nil
	}
	x := args[0]
	if inner, ok := expr.IsCall(x, "cast"); ok && x.Type().Kind == sqltype.BigInt && inner[0].Type().IsInteger() && inner[0].Type().Kind < sqltype.BigInt {
		x = inner[0]
	}
	return replaced(a, name, x)
}

// replaced is a with another function over one argument.
func replaced(a *expr.Aggregate, name string, arg expr.Expr) *expr.Aggregate {
	fn, err := function.ResolveAggregate(name, []function.Arg{{Type: arg.Type()}})
	if err != nil {
		panic(invariant.Failed("%s of %s: %v", name, arg.Type(), err))
	}
	c := *a
	c.Fn, c.Args, c.Distinct = fn, []expr.Expr{arg}, false
	return &c
}

// denselyCounted tells that x is count(DISTINCT integer), and that statistics show the integers close together.
func denselyCounted(est *Estimates, a *logical.Aggregate, x *expr.Aggregate) bool {
	if !x.Distinct || !strings.EqualFold(x.Fn.Name, "count") || len(x.Args) != 1 || len(x.OrderBy) > 0 {
		return false
	}
	t := x.Args[0].Type()
	if !t.IsInteger() || t.Kind == sqltype.LargeInt {
		return false
	}
	in := est.of(a.Input)
	col := describe(in, x.Args[0])
	if in.unknown || in.rows < leastBitmapRows || !col.ranged {
		return false
	}
	containers := math.Ceil((col.hi - col.lo + 1) / containerIDs)
	return in.rows >= denseRows*containers*groupCount(in, a.Groups)
}
