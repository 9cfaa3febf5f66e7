package executor

import (
	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// rowExpr computes one expression over batches; plain columns cost nothing. One driver
// uses it.
type rowExpr struct {
	field int // the column, or -1
	ev    *eval.Evaluator
	flat  *vector.Vector // memory of evalFlat
}

func compileRowExpr(e expr.Expr, fc *function.Context) (*rowExpr, error) {
	if f, ok := e.(*expr.Field); ok {
		return &rowExpr{field: int(f.Index)}, nil
	}
	ev, err := eval.Compile(e, fc)
	return &rowExpr{field: -1, ev: ev}, err
}

func compileRowExprs(es []expr.Expr, fc *function.Context) ([]*rowExpr, error) {
	out := make([]*rowExpr, len(es))
	for i, e := range es {
		x, err := compileRowExpr(e, fc)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// eval returns the value in any form; see eval.Evaluator.
func (x *rowExpr) eval(b *vector.Batch) (*vector.Vector, error) {
	if x.field >= 0 {
		return b.Cols[x.field], nil
	}
	return x.ev.Eval(b.Cols, b.Len, b.Sel)
}

// evalFlat is eval that turns dictionaries into flat vectors; rows stay where they are.
func (x *rowExpr) evalFlat(b *vector.Batch) (*vector.Vector, error) {
	v, err := x.eval(b)
	if err != nil || v.Form != vector.Dictionary {
		return v, err
	}
	if x.flat == nil {
		x.flat = &vector.Vector{}
	}
	return v.FlattenInPlace(b.Sel, x.flat), nil
}

func evalAll(xs []*rowExpr, b *vector.Batch, flat bool, out []*vector.Vector) ([]*vector.Vector, error) {
	out = out[:0]
	for _, x := range xs {
		var v *vector.Vector
		var err error
		if flat {
			v, err = x.evalFlat(b)
		} else {
			v, err = x.eval(b)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func typesOf(es []expr.Expr) []sqltype.Type {
	out := make([]sqltype.Type, len(es))
	for i, e := range es {
		out[i] = e.Type()
	}
	return out
}

// constsOf are the values of literal arguments, nil for others.
func constsOf(es []expr.Expr) []*vector.Value {
	out := make([]*vector.Value, len(es))
	for i, e := range es {
		if l, ok := e.(*expr.Literal); ok {
			v := l.Value
			out[i] = &v
		}
	}
	return out
}
