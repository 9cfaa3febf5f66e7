package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// compiler turns expressions into nodes; calls that occur more than once become one node.
type compiler struct {
	fc    *function.Context
	calls []*callUse
}

// callUse is a call and how often it occurs.
type callUse struct {
	call  *expr.Call
	count int
	node  *sharedNode
}

func (c *compiler) use(e *expr.Call) *callUse {
	for _, u := range c.calls {
		if expr.Equal(u.call, e) {
			return u
		}
	}
	u := &callUse{call: e}
	c.calls = append(c.calls, u)
	return u
}

func newCompiler(fc *function.Context, es ...expr.Expr) *compiler {
	c := &compiler{fc: fc}
	for _, e := range es {
		c.count(e)
	}
	return c
}

// count notes how often each call occurs. Volatile calls never count as equal.
func (c *compiler) count(e expr.Expr) {
	call, ok := e.(*expr.Call)
	if !ok {
		return
	}
	if !expr.IsVolatile(call) {
		u := c.use(call)
		if u.count++; u.count > 1 {
			return // what is below is shared with it
		}
	}
	for _, a := range call.Args {
		c.count(a)
	}
}

func (c *compiler) compile(e expr.Expr) (node, error) {
	switch e := e.(type) {
	case *expr.Field:
		return fieldNode(e.Index), nil
	case *expr.Literal:
		return &literalNode{v: vector.NewConstant(e.Value, 1)}, nil
	case *expr.Call:
		if expr.IsVolatile(e) {
			return c.call(e)
		}
		u := c.use(e)
		if u.count < 2 {
			return c.call(e)
		}
		if u.node == nil {
			inner, err := c.call(e)
			if err != nil {
				return nil, err
			}
			u.node = &sharedNode{inner: inner, limit: noLimit, result: e.Type()}
		}
		return &sharedUse{shared: u.node, make: func() (node, error) { return c.call(e) }}, nil
	}
	panic(invariant.Failed("eval: unexpected %T", e))
}

func (c *compiler) call(e *expr.Call) (node, error) {
	if l := expr.LambdaOf(e); l != nil {
		return c.lambdaNode(e, l)
	}
	switch e.Fn.Name {
	case "case", "if":
		return c.caseNode(e)
	case "coalesce", "ifnull", "nvl":
		return c.coalesceNode(e)
	case "and", "or":
		if mayFailLate(e) {
			return c.logicNode(e)
		}
	}
	if v, ok := c.folded(e); ok {
		return &literalNode{v: v}, nil
	}
	n := &callNode{fn: e.Fn}
	var err error
	if n.kernel, err = e.Fn.New(constsOf(e.Args)); err != nil {
		return nil, err
	}
	if n.args, err = c.compileList(e.Args); err != nil {
		return nil, err
	}
	if e.Fn.NewNarrow != nil {
		n.narrow = newNarrowCall(e.Fn.NewNarrow(), len(n.args))
	}
	n.init()
	return n, nil
}

func (c *compiler) compileList(es []expr.Expr) ([]node, error) {
	out := make([]node, len(es))
	for i, e := range es {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// folded computes a call of literals once. A call that fails is left to its rows: perhaps
// there are none.
func (c *compiler) folded(e *expr.Call) (*vector.Vector, bool) {
	if e.Fn.Stability == function.Volatile {
		return nil, false
	}
	for _, a := range e.Args {
		if _, ok := a.(*expr.Literal); !ok {
			return nil, false
		}
	}
	n := &callNode{fn: e.Fn}
	var err error
	if n.kernel, err = e.Fn.New(constsOf(e.Args)); err != nil {
		return nil, false
	}
	if n.args, err = c.compileList(e.Args); err != nil {
		return nil, false
	}
	n.init()
	v, err := n.eval(&frame{fc: c.fc, n: 1}, nil)
	return v, err == nil
}

// constsOf are the values of the arguments that are literals, nil for the others.
func constsOf(args []expr.Expr) []*vector.Value {
	out := make([]*vector.Value, len(args))
	for i, a := range args {
		if l, ok := a.(*expr.Literal); ok {
			out[i] = &l.Value
		}
	}
	return out
}

// fieldNode is an input column.
type fieldNode int

func (n fieldNode) eval(f *frame, _ []int32) (*vector.Vector, error) { return f.cols[n], nil }

// literalNode is a constant.
type literalNode struct{ v *vector.Vector }

func (n *literalNode) eval(f *frame, _ []int32) (*vector.Vector, error) {
	n.v.Len = f.n
	return n.v, nil
}

// sharedNode is a call that several parents have.
type sharedNode struct {
	inner node
	gen   uint64
	v     *vector.Vector // computed for all rows of batch gen

	// limit is noLimit unless v is narrow; then wide is v in the layout of the type result, for batch wideGen.
	limit   int
	result  sqltype.Type
	wide    vector.Vector
	wideGen uint64
}

// sharedUse is one parent's view of a shared call. Below CASE, AND and the like the rows
// are fewer than the batch's: unless the result is there already, the parent then has a node of
// its own, because results of different rows must not share memory.
type sharedUse struct {
	shared *sharedNode
	make   func() (node, error)
	own    node
}

func (n *sharedUse) eval(f *frame, sel []int32) (*vector.Vector, error) {
	s := n.shared
	if s.gen == f.gen && s.v != nil {
		return s.exact(f), nil
	}
	if sameRows(sel, f.sel) {
		v, err := s.inner.eval(f, sel)
		if err == nil {
			s.gen, s.v, s.limit = f.gen, v, noLimit
		}
		return v, err
	}
	own, err := n.owned()
	if err != nil {
		return nil, err
	}
	return own.eval(f, sel)
}

// owned is the parent's own node.
func (n *sharedUse) owned() (own node, err error) {
	if n.own == nil {
		n.own, err = n.make()
	}
	return n.own, err
}

// sameRows tells that a selection is the batch's own, by identity.
func sameRows(a, b []int32) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
