package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// narrowRefusals is after how many batches whose values are too large a call is computed in 128 bits only.
const narrowRefusals = 16

// noLimit is the limit of a value that was not computed narrow.
const noLimit = -1

// AllowNarrow lets Eval return the i-th expression, a wide DECIMAL, as a narrow vector where
// its values allow that; see function.NarrowKernel.
func (s *Set) AllowNarrow(i int) { s.narrow[i] = true }

// evalNarrow is n.eval for readers that take wide DECIMALs as narrow vectors, too. All values of a
// narrow result lie within ±2^limit.
func evalNarrow(n node, f *frame, sel []int32) (v *vector.Vector, limit int, err error) {
	switch n := n.(type) {
	case *callNode:
		if n.narrow != nil {
			return n.evalNarrow(f, sel)
		}
	case *sharedUse:
		return n.evalNarrow(f, sel)
	}
	v, err = n.eval(f, sel)
	return v, noLimit, err
}

// narrowCall is the 64-bit form of a call.
type narrowCall struct {
	kernel  function.NarrowKernel
	refused int
	vals    []*vector.Vector
	limits  []int
	consts  []vector.Vector  // memory of narrow constants
	wide    []vector.Vector  // memory of arguments that were narrow in vain
	dicts   []*vector.Vector // dictionaries whose limits are known
	known   []int
}

func newNarrowCall(kernel function.NarrowKernel, args int) *narrowCall {
	return &narrowCall{
		kernel: kernel, vals: make([]*vector.Vector, args), limits: make([]int, args), consts: make([]vector.Vector, args),
		wide: make([]vector.Vector, args), dicts: make([]*vector.Vector, args), known: make([]int, args),
	}
}

func (n *callNode) evalNarrow(f *frame, sel []int32) (*vector.Vector, int, error) {
	c := n.narrow
	forms := argForms{constant: true}
	for i, a := range n.args {
		v, limit, err := evalNarrow(a, f, sel)
		if err != nil {
			return nil, noLimit, err
		}
		n.vals[i], c.limits[i] = v, limit
		forms.add(v, i, n.literal[i])
	}
	if !forms.constant && c.arguments(n.vals, sel) {
		n.out.Type = function.NarrowType(n.fn.Result)
		n.out.Reset(f.n)
		n.propagateNulls(n.vals)
		if limit, ok := c.kernel(c.vals, c.limits, sel, &n.out); ok {
			return &n.out, limit, nil
		}
		if c.refused++; c.refused >= narrowRefusals {
			defer func() { n.narrow = nil }()
		}
	}
	for i, v := range n.vals {
		if p := n.fn.Params[i]; isNarrow(v) && p.Physical() == sqltype.PhysInt128 {
			n.vals[i] = function.Widen(v, p, sel, &c.wide[i])
		}
	}
	v, err := n.compute(f, forms, sel)
	return v, noLimit, err
}

func isNarrow(v *vector.Vector) bool { return v.Type.Physical() == sqltype.PhysInt64 }

// arguments prepares the kernel's arguments; it is false where one cannot be narrow.
func (c *narrowCall) arguments(vals []*vector.Vector, sel []int32) bool {
	for i, v := range vals {
		if v.Form == vector.Constant {
			if v.IsNull(0) {
				return false
			}
			if !isNarrow(v) {
				x := vector.Values[int128.Int](v)[0]
				if !x.IsInt64() {
					return false
				}
				out := &c.consts[i]
				out.Type = function.NarrowType(v.Type)
				out.Reset(1)
				vector.Values[int64](out)[0] = int64(x.Lo)
				out.Form, out.Len = vector.Constant, v.Len
				v = out
			}
		}
		if !isNarrow(v) {
			return false
		}
		c.vals[i] = v
		switch {
		case c.limits[i] != noLimit:
		case v.Form == vector.Dictionary && c.dicts[i] == v.Dict:
			c.limits[i] = c.known[i]
		default:
			c.limits[i] = function.Magnitude(v, sel)
			c.dicts[i], c.known[i] = v.Dict, c.limits[i] // nil where there is none
		}
	}
	return true
}

// evalNarrow is eval for readers that take either layout.
func (n *sharedUse) evalNarrow(f *frame, sel []int32) (*vector.Vector, int, error) {
	s := n.shared
	if s.gen == f.gen && s.v != nil {
		return s.v, s.limit, nil
	}
	if sameRows(sel, f.sel) {
		v, limit, err := evalNarrow(s.inner, f, sel)
		if err == nil {
			s.gen, s.v, s.limit = f.gen, v, limit
		}
		return v, limit, err
	}
	own, err := n.owned()
	if err != nil {
		return nil, noLimit, err
	}
	return evalNarrow(own, f, sel)
}

// exact is the shared result in the layout of its type.
func (s *sharedNode) exact(f *frame) *vector.Vector {
	if s.limit == noLimit {
		return s.v
	}
	if s.wideGen != f.gen {
		function.Widen(s.v, s.result, f.sel, &s.wide)
		s.wideGen = f.gen
	}
	return &s.wide
}
