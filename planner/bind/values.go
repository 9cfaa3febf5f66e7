package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// caster is function.Cast, or the stricter one that INSERT stores with.
type caster func(from, to sqltype.Type) (*function.Scalar, error)

// castColumn casts column j of rows to t. Literals of one type are cast together, by one run
// of the kernel: bulk inserts are mostly literals. bad is the first row that has no cast.
func castColumn(rows [][]expr.Expr, j int, t sqltype.Type, cast caster) (bad int, err error) {
	var types []sqltype.Type
	var members [][]int
	for i, row := range rows {
		l, ok := row[j].(*expr.Literal)
		if !ok || l.Value.Null {
			c, err := expr.CastWith(row[j], t, cast)
			if err != nil {
				return i, err
			}
			row[j] = fold(c)
			continue
		}
		if l.Value.Type.Equal(t) {
			continue
		}
		k := 0
		for k < len(types) && !types[k].Equal(l.Value.Type) {
			k++
		}
		if k == len(types) {
			types, members = append(types, l.Value.Type), append(members, nil)
		}
		members[k] = append(members[k], i)
	}
	for k, from := range types {
		if err := castLiterals(rows, j, members[k], from, t, cast); err != nil {
			return members[k][0], err
		}
	}
	return 0, nil
}

// castLiterals casts the literals of type from in column j of the given rows.
func castLiterals(rows [][]expr.Expr, j int, members []int, from, to sqltype.Type, cast caster) error {
	fn, err := cast(from, to)
	if err != nil {
		return err
	}
	if fn != nil {
		if out := runCast(fn, rows, j, members, from); out != nil {
			literals := make([]expr.Literal, len(members))
			for k, i := range members {
				literals[k].Value = out.Value(k)
				rows[i][j] = &literals[k]
			}
			return nil
		}
	}
	for _, i := range members { // one by one, so that only those that fail stay calls
		c, err := expr.CastWith(rows[i][j], to, cast)
		if err != nil {
			return err
		}
		rows[i][j] = fold(c)
	}
	return nil
}

// runCast runs a cast over literals; nil when it fails for one of them.
func runCast(fn *function.Scalar, rows [][]expr.Expr, j int, members []int, from sqltype.Type) *vector.Vector {
	kernel, err := fn.New(make([]*vector.Value, 1))
	if err != nil || fn.Stability != function.Immutable {
		return nil
	}
	in := vector.New(from, len(members))
	for k, i := range members {
		in.SetValue(k, rows[i][j].(*expr.Literal).Value)
	}
	out := vector.New(fn.Result, len(members))
	if kernel(&function.Context{}, []*vector.Vector{in}, nil, out) != nil {
		return nil
	}
	return out
}
