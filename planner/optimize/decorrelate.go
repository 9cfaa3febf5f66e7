package optimize

import "github.com/basaltdb/basalt/planner/logical"

// Decorrelate replaces subqueries in expressions by joins.
func Decorrelate(_ *Context, n logical.Node) (logical.Node, error) { return n, nil }
