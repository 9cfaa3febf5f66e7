package eval

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// logicNode is AND or OR as a value where an operand can fail: an operand is computed only
// for the rows that the ones before it left open, so that x <> 0 AND f(x) never
// sees the zeros.
type logicNode struct {
	args     []node
	deciding bool // false for AND, true for OR: the value that ends it
	rows     [2][]int32
	out      vector.Vector
}

// mayFailLate reports whether an operand behind the first can fail.
func mayFailLate(e *expr.Call) bool {
	for _, a := range e.Args[min(1, len(e.Args)):] {
		if expr.MayFail(a) {
			return true
		}
	}
	return false
}

func (c *compiler) logicNode(e *expr.Call) (node, error) {
	args, err := c.compileList(e.Args)
	return &logicNode{args: args, deciding: e.Fn.Name == "or", out: vector.Vector{Type: sqltype.T(sqltype.Boolean)}}, err
}

func (n *logicNode) eval(f *frame, sel []int32) (*vector.Vector, error) {
	n.out.Reset(f.n)
	vals := vector.Values[bool](&n.out)
	left := allRows(sel, f.n, &n.rows[0])
	for _, r := range left {
		vals[r] = !n.deciding
	}
	for i, a := range n.args {
		if len(left) == 0 {
			break
		}
		at := left
		if i == 0 {
			at = sel // as the batch has it, for shared operands
		}
		v, err := a.eval(f, at)
		if err != nil {
			return nil, err
		}
		next := n.rows[1-i&1][:0]
		for _, r := range left {
			switch {
			case v.IsNull(int(r)):
				n.out.SetNull(int(r))
			case v.Bool(int(r)) == n.deciding:
				vals[r] = n.deciding
				if n.out.Valid != nil {
					n.out.Valid.Set(int(r))
				}
				continue
			}
			next = append(next, r)
		}
		n.rows[1-i&1] = next
		left = next
	}
	return &n.out, nil
}
