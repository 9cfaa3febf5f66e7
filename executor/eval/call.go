package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// callNode is one function call.
type callNode struct {
	fn     *function.Scalar
	kernel function.Kernel
	args   []node

	// literal marks arguments that are the same in every batch. Constant vectors of other
	// arguments (a build row of a nested loop join) may change from batch to batch.
	literal []bool

	vals []*vector.Vector // argument values of this batch
	flat []vector.Vector  // memory for flattened dictionaries
	// consts are headers of constant arguments, see resizeConstants.
	consts []vector.Vector
	out    vector.Vector
	dict   dictResult
	narrow *narrowCall // nil: the call has no narrow form
}

func (n *callNode) init() {
	n.vals = make([]*vector.Vector, len(n.args))
	n.flat = make([]vector.Vector, len(n.args))
	n.consts = make([]vector.Vector, len(n.args))
	n.out.Type = n.fn.Result
	n.literal = make([]bool, len(n.args))
	for i, a := range n.args {
		n.literal[i] = isLiteral(a)
	}
}

// isLiteral reports whether a node gives the same constant always.
func isLiteral(n node) bool {
	switch n := n.(type) {
	case *literalNode:
		return true
	case *callNode:
		for _, l := range n.literal {
			if !l {
				return false
			}
		}
		return n.fn.Stability != function.Volatile
	}
	return false
}

// evalArgs computes the arguments and says what forms they have.
func (n *callNode) evalArgs(f *frame, sel []int32) (forms argForms, err error) {
	forms.constant = true
	for i, a := range n.args {
		v, err := a.eval(f, sel)
		if err != nil {
			return forms, err
		}
		n.vals[i] = v
		forms.add(v, i, n.literal[i])
	}
	return forms, nil
}

// argForms sums up the forms of a call's arguments.
type argForms struct {
	constant bool // all are
	hasDict  bool
	oneDict  bool // one dictionary argument, the rest literals
	changing bool // an argument beside it that is none
	at       int  // which one
}

func (a *argForms) add(v *vector.Vector, i int, literal bool) {
	switch v.Form {
	case vector.Constant:
		a.changing = a.changing || !literal
	case vector.Dictionary:
		a.changing = a.changing || a.hasDict
		a.hasDict, a.constant, a.at = true, false, i
	default:
		a.changing, a.constant = true, false
	}
	a.oneDict = a.hasDict && !a.changing
}

func (n *callNode) eval(f *frame, sel []int32) (*vector.Vector, error) {
	forms, err := n.evalArgs(f, sel)
	if err != nil {
		return nil, err
	}
	return n.compute(f, forms, sel)
}

// compute is eval with the arguments' values there.
func (n *callNode) compute(f *frame, forms argForms, sel []int32) (*vector.Vector, error) {
	if n.fn.Stability == function.Volatile {
		n.expandConstants(f.n, sel)
		return n.run(f, n.vals, f.n, sel)
	}
	if forms.constant {
		return n.evalConstant(f)
	}
	if forms.oneDict && n.onDictionary(n.vals[forms.at], f.n, sel) {
		return n.evalDictionary(f, forms.at, sel)
	}
	if forms.hasDict {
		n.flatten(sel)
	}
	return n.run(f, n.vals, f.n, sel)
}

// evalConstant computes a call of constants once for all rows.
func (n *callNode) evalConstant(f *frame) (*vector.Vector, error) {
	n.resizeConstants(1)
	out, err := n.run(f, n.vals, 1, nil)
	if err != nil {
		return nil, err
	}
	out.Form, out.Len = vector.Constant, f.n
	return out, nil
}

// resizeConstants makes all arguments constants of rows rows, by headers of our own:
// arguments may be columns that others read, too.
func (n *callNode) resizeConstants(rows int) {
	for i, v := range n.vals {
		if v.Form == vector.Constant && v.Len != rows {
			n.consts[i] = vector.Vector{Type: v.Type, Form: vector.Constant, Len: rows, Data: v.Data, Valid: v.Valid, Bufs: v.Bufs}
			n.vals[i] = &n.consts[i]
		}
	}
}

// expandConstants gives volatile kernels flat arguments, as they run for each row.
func (n *callNode) expandConstants(rows int, sel []int32) {
	n.flatten(sel)
	n.resizeConstants(rows)
	for i, v := range n.vals {
		if v.Form == vector.Constant {
			n.vals[i] = v.Flatten(nil, &n.flat[i])
		}
	}
}

// flatten replaces dictionary arguments by flat ones, rows in their places.
func (n *callNode) flatten(sel []int32) {
	for i, v := range n.vals {
		if v.Form == vector.Dictionary {
			n.vals[i] = v.FlattenInPlace(sel, &n.flat[i])
		}
	}
}

// run calls the kernel on flat and constant arguments.
func (n *callNode) run(f *frame, args []*vector.Vector, rows int, sel []int32) (*vector.Vector, error) {
	n.out.Type = n.fn.Result
	n.out.Reset(rows)
	if n.fn.Nulls == function.Propagate {
		for _, a := range args {
			if a.Form == vector.Constant && a.IsNull(0) {
				n.out.SetAllNull(rows)
				return &n.out, nil
			}
		}
		n.propagateNulls(args)
	}
	if err := n.kernel(f.fc, args, sel, &n.out); err != nil {
		return nil, err
	}
	return &n.out, nil
}

// propagateNulls makes rows NULL where an argument is, none of which is a NULL constant.
func (n *callNode) propagateNulls(args []*vector.Vector) {
	for _, a := range args {
		if a.Form == vector.Constant || a.Valid == nil {
			continue
		}
		own := n.out.MutableValid()
		for w := range own {
			own[w] &= a.Valid[w]
		}
	}
}
