// Package eval computes bound expressions over batches. An Evaluator is compiled once a
// driver: kernels are chosen then, so that a batch costs one call a node. It works on
// codes where it can: a deterministic call over one dictionary column and constants runs
// once a dictionary entry, and the result stays a dictionary vector; results are cached
// as long as the batches share the Dict.
package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// frame is the batch that an evaluation works on. Nodes get their own rows, which under
// CASE are fewer than the batch's.
type frame struct {
	fc   *function.Context
	cols []*vector.Vector
	n    int
	sel  []int32 // the batch's rows; nil: all
	gen  uint64  // grows with each batch, for results that several parents share
}

// node computes one expression for the rows of sel; other rows of the result are defined
// memory without meaning. The result is valid until the node's next eval.
type node interface {
	eval(f *frame, sel []int32) (*vector.Vector, error)
}

// Evaluator computes one expression. One goroutine uses it.
type Evaluator struct {
	f    frame
	root node
}

// Compile prepares e, whose Fields are positions of the batches given to Eval.
func Compile(e expr.Expr, fc *function.Context) (*Evaluator, error) {
	root, err := newCompiler(fc, e).compile(e)
	return &Evaluator{f: frame{fc: fc}, root: root}, err
}

// Eval returns a vector of n rows in any form (flat, constant, dictionary) of which the
// rows of sel (nil: all) are computed. It may be an input column itself. It is valid
// until the next Eval.
func (e *Evaluator) Eval(cols []*vector.Vector, n int, sel []int32) (*vector.Vector, error) {
	e.f.cols, e.f.n, e.f.sel = cols, n, sel
	e.f.gen++
	return e.root.eval(&e.f, sel)
}

// Set computes several expressions over the same batches; equal subexpressions are
// computed once. One goroutine uses it.
type Set struct {
	f      frame
	roots  []node
	narrow []bool // see AllowNarrow
	out    []*vector.Vector
}

// CompileAll prepares es.
func CompileAll(es []expr.Expr, fc *function.Context) (*Set, error) {
	c := newCompiler(fc, es...)
	s := &Set{f: frame{fc: fc}, out: make([]*vector.Vector, len(es)), narrow: make([]bool, len(es))}
	for _, e := range es {
		n, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		s.roots = append(s.roots, n)
	}
	return s, nil
}

// Eval is Evaluator.Eval for every expression; the slice is reused by the next Eval.
func (s *Set) Eval(cols []*vector.Vector, n int, sel []int32) ([]*vector.Vector, error) {
	s.f.cols, s.f.n, s.f.sel = cols, n, sel
	s.f.gen++
	for i, r := range s.roots {
		var err error
		if s.narrow[i] {
			s.out[i], _, err = evalNarrow(r, &s.f, sel)
		} else {
			s.out[i], err = r.eval(&s.f, sel)
		}
		if err != nil {
			return nil, err
		}
	}
	return s.out, nil
}
