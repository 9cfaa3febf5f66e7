// Package eval computes bound expressions over batches. An Evaluator is compiled once a
// driver: kernels are chosen then, so that a batch costs one call a node. It works on
// codes where it can: a deterministic call over one dictionary column and constants runs
// once a dictionary entry, and the result stays a dictionary vector; results are cached
// as long as the batches share the Dict.
package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// Evaluator computes one expression. One goroutine uses it.
type Evaluator struct{}

// Compile prepares e, whose Fields are positions of the batches given to Eval.
func Compile(e expr.Expr, fc *function.Context) (*Evaluator, error) {
	return nil, sqlerr.Unsupported("evaluation")
}

// Eval returns a vector of n rows in any form (flat, constant, dictionary) of which the
// rows of sel (nil: all) are computed. It may be an input column itself. It is valid
// until the next Eval.
func (e *Evaluator) Eval(cols []*vector.Vector, n int, sel []int32) (*vector.Vector, error) {
	return nil, nil
}

// Predicate is a conjunction compiled for filtering. One goroutine uses it.
type Predicate struct{}

// CompilePredicate prepares the conjunction of conds.
func CompilePredicate(conds []expr.Expr, fc *function.Context) (*Predicate, error) {
	return nil, sqlerr.Unsupported("evaluation")
}

// Select returns the rows of sel (nil: all n) for which every conjunct is true,
// ascending, in memory that is valid until the next Select.
func (p *Predicate) Select(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
	return nil, nil
}
