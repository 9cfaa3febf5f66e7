package function

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func greatestFunctions() map[string]builder {
	return map[string]builder{"greatest": extremeBuilder(opGt), "least": extremeBuilder(opLt)}
}

// extremeBuilder is the largest or smallest argument; NULL when one is NULL.
func extremeBuilder(op compareOp) builder {
	return func(name string, args []Arg) (*Scalar, error) {
		t, ok := commonOf(args)
		if !ok || len(args) == 0 || t.IsNested() || t.IsOpaque() {
			return nil, wrongArguments(name, args)
		}
		if t.Kind == sqltype.Null {
			t = tTinyInt
		}
		_, better := compareLoops(op, t)
		return &Scalar{Params: slices.Repeat([]sqltype.Type{t}, len(args)), Result: t, New: func([]*vector.Value) (Kernel, error) {
			var pick picker
			var rows []int32
			return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				valid := out.Valid
				pick.reset(sel, out)
				if len(pick.open) == 0 {
					return nil
				}
				if cap(rows) < len(pick.open) {
					rows = make([]int32, 0, len(pick.open))
				}
				out.Valid = nil // the winner so far is compared by value; nulls are settled at the end
				pick.take(out, withoutNulls(args[0]), pick.open)
				for _, a := range args[1:] {
					a = withoutNulls(a)
					rows = better(a, out, out.Len, pick.open, rows[:0])
					pick.take(out, a, rows)
				}
				out.Valid = valid
				return nil
			}, nil
		}}, nil
	}
}

// withoutNulls is v with its null rows taken for the values that stand there.
func withoutNulls(v *vector.Vector) *vector.Vector {
	if v.Valid == nil {
		return v
	}
	w := *v
	w.Valid = nil
	return &w
}
