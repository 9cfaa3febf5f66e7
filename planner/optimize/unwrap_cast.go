package optimize

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// unwrapCast is cast(c as wide) op constant as c op constant, where the cast loses nothing and the
// constant has an exact twin in c's type: then statistics and pruning can read the comparison.
func unwrapCast(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok || len(c.Args) < 2 {
		return e
	}
	if _, isComparison := flippedOp[c.Fn.Name]; !isComparison && c.Fn.Name != "in" {
		return e
	}
	var col *expr.Column
	var path []sqltype.Type // types from the comparison's down to the column's
	args := make([]expr.Expr, len(c.Args))
	for i, a := range c.Args {
		if _, ok := expr.IsCall(a, "cast"); ok && col == nil && (c.Fn.Name != "in" || i == 0) {
			if col, path = widened(a); col == nil {
				return e
			}
			args[i] = col
		}
	}
	if col == nil {
		return e
	}
	for i, a := range c.Args {
		if args[i] != nil {
			continue
		}
		lit, ok := a.(*expr.Literal)
		if !ok {
			return e
		}
		v := lit.Value
		for _, t := range path {
			if v, ok = exactly(v, t); !ok {
				return e
			}
		}
		args[i] = expr.Lit(v)
	}
	out, err := expr.NewCall(c.Fn.Name, args...)
	if err != nil {
		return e
	}
	call, ok := out.(*expr.Call)
	if !ok || len(call.Args) != len(args) {
		return e
	}
	for i := range args { // the overload wanted casts after all
		if call.Args[i] != args[i] {
			return e
		}
	}
	return out
}

// widened is the column under casts that all lose nothing, and the types below each of them.
func widened(e expr.Expr) (*expr.Column, []sqltype.Type) {
	var path []sqltype.Type
	for {
		cast, ok := expr.IsCall(e, "cast")
		if !ok {
			break
		}
		if !widens(cast[0].Type(), e.Type()) {
			return nil, nil
		}
		e = cast[0]
		path = append(path, e.Type())
	}
	col, _ := e.(*expr.Column)
	return col, path
}

// integerDigits are the decimal digits that the values of an integer type may have.
var integerDigits = map[sqltype.Kind]int{sqltype.TinyInt: 3, sqltype.SmallInt: 5, sqltype.Int: 10, sqltype.BigInt: 19, sqltype.LargeInt: 39}

// widens reports casts that keep order and map no two values to one.
func widens(from, to sqltype.Type) bool {
	whole := int(to.Precision) - int(to.Scale)
	switch {
	case from.IsInteger() && to.IsInteger():
		return from.Kind <= to.Kind
	case from.IsInteger() && to.Kind == sqltype.Decimal:
		return whole >= integerDigits[from.Kind]
	case from.Kind == sqltype.Decimal && to.Kind == sqltype.Decimal:
		return to.Scale >= from.Scale && whole >= int(from.Precision)-int(from.Scale)
	case to.Kind == sqltype.DateTime:
		return from.Kind == sqltype.Date || from.Kind == sqltype.DateTime && from.Scale <= to.Scale
	}
	return false
}

const microsPerDay = 86_400_000_000

// exactly is v as the narrower type t, if there is such a value.
func exactly(v vector.Value, t sqltype.Type) (vector.Value, bool) {
	if v.Null {
		return v, false
	}
	out := vector.Value{Type: t, I: v.I}
	switch {
	case t.IsInteger() && v.Type.IsInteger():
		return out, fitsInteger(v.I, t)
	case t.IsInteger() && v.Type.Kind == sqltype.Decimal:
		var ok bool
		out.I, ok = unscale(v.I, int(v.Type.Scale))
		return out, ok && fitsInteger(out.I, t)
	case t.Kind == sqltype.Decimal && v.Type.Kind == sqltype.Decimal && v.Type.Scale >= t.Scale:
		var ok bool
		out.I, ok = unscale(v.I, int(v.Type.Scale)-int(t.Scale))
		return out, ok && fitsDecimal(out.I, int(t.Precision))
	case t.Kind == sqltype.DateTime && v.Type.Kind == sqltype.DateTime:
		_, ok := unscale(v.I, 6-int(t.Scale))
		return out, ok
	case t.Kind == sqltype.Date && v.Type.Kind == sqltype.DateTime:
		if !v.I.IsInt64() {
			return out, false
		}
		days := v.Int64() / microsPerDay
		return vector.IntValue(t, days), days*microsPerDay == v.Int64()
	}
	return out, false
}

// unscale divides by 10^n when nothing is left over.
func unscale(x int128.Int, n int) (int128.Int, bool) {
	for range n {
		q, r := x.QuoRem(int128.FromInt64(10))
		if r.Sign() != 0 {
			return x, false
		}
		x = q
	}
	return x, true
}

func fitsInteger(x int128.Int, t sqltype.Type) bool {
	if t.Kind == sqltype.LargeInt {
		return true
	}
	if !x.IsInt64() {
		return false
	}
	v, bits := int64(x.Lo), uint(t.Physical().Size())*8
	return v >= -1<<(bits-1) && v <= 1<<(bits-1)-1
}

func fitsDecimal(x int128.Int, precision int) bool {
	x = x.Abs()
	for range precision {
		x, _ = x.QuoRem(int128.FromInt64(10))
	}
	return x.Sign() == 0
}
