package lower

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// setOp: UNION is a concatenation, without ALL under a deduplicating aggregation; INTERSECT and EXCEPT
// bring equal rows of both inputs together first.
func (l *lowerer) setOp(n *logical.SetOp) (stream, error) {
	inputs := make([]stream, len(n.Inputs))
	single := true
	for i, in := range n.Inputs {
		s, err := l.ordered(in, in.Columns())
		if err != nil {
			return stream{}, err
		}
		inputs[i] = s
		single = single && s.single
	}
	if n.Kind == logical.Union {
		u := &physical.Union{Info: l.info(n.Cols, 0)}
		for _, in := range inputs {
			u.Rows += in.rows()
			u.Inputs = append(u.Inputs, in.node)
		}
		if n.All {
			return foreign(u, single, true), nil
		}
		return l.deduplicated(foreign(u, single, true), l.est.Rows(n), -1), nil
	}
	side := func(in stream) physical.Node {
		if single {
			return in.node
		}
		keys := make([]expr.Expr, len(in.cols()))
		for i := range keys {
			keys[i] = fieldAt(in.cols(), i)
		}
		return l.hashed(in, keys)
	}
	return foreign(&physical.SetOp{
		Info: l.info(n.Cols, l.est.Rows(n)), Except: n.Kind == logical.Except, All: n.All,
		Left: side(inputs[0]), Right: side(inputs[1]),
	}, single, true), nil
}
