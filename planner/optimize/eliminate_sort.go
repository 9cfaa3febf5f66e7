package optimize

import "github.com/basaltdb/basalt/planner/logical"

// eliminateSort removes orders that nobody sees: below joins, aggregations, set operations and other sorts. A sort
// with a limit picks rows and stays.
func eliminateSort(_ *Context, n logical.Node) (logical.Node, error) {
	return dropSorts(n, true), nil
}

func dropSorts(n logical.Node, ordered bool) logical.Node {
	below := ordered
	switch n := n.(type) {
	case *logical.Sort:
		if !ordered && n.Limit < 0 && n.Offset == 0 {
			return dropSorts(n.Input, false)
		}
		below = false
	case *logical.Limit:
		below = true
	case *logical.Project, *logical.Filter, *logical.Write:
	case *logical.Aggregate:
		below = false
		for _, a := range n.Aggs {
			below = below || orderSensitive(a.Fn.Name)
		}
	default:
		below = false
	}
	return logical.RewriteChildren(n, func(c logical.Node) logical.Node { return dropSorts(c, below) })
}

// orderSensitive aggregates give rows in the order in which they came.
func orderSensitive(name string) bool {
	switch name {
	case "group_concat", "collect_list", "array_agg", "first_value", "last_value":
		return true
	}
	return false
}
