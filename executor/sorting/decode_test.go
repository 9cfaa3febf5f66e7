package sorting

import (
	"math"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// First gives back what was encoded, whatever follows it in the key.
func TestFirst(t *testing.T) {
	bigint := sqltype.T(sqltype.BigInt)
	check := func(typ sqltype.Type, values ...vector.Value) {
		t.Helper()
		for _, x := range append(values, vector.NullOf(typ)) {
			x.Type = typ
			for flags := range 4 {
				c := Column{Type: typ, Desc: flags&1 != 0, NullsFirst: flags&2 != 0}
				e, err := NewEncoder([]Column{c, {Type: bigint}})
				if err != nil {
					t.Fatal(err)
				}
				first, second := vector.New(typ, 1), vector.New(bigint, 1)
				first.SetValue(0, x)
				keys := e.NewKeys()
				e.Append(keys, []*vector.Vector{first, second}, 1, nil)
				got, ok := First(c, keys.At(0))
				if !ok || got.Null != x.Null || !x.Null && got.Compare(x) != 0 {
					t.Errorf("%s %+v: %v comes back as %v (%v)", typ, c, x, got, ok)
				}
			}
		}
	}
	ints := []vector.Value{{I: int128.FromInt64(-128)}, {I: int128.FromInt64(127)}, {}}
	check(sqltype.T(sqltype.TinyInt), ints...)
	check(sqltype.T(sqltype.SmallInt), ints...)
	check(sqltype.T(sqltype.Int), ints...)
	check(bigint, append(ints, vector.Value{I: int128.FromInt64(math.MinInt64)})...)
	check(sqltype.T(sqltype.LargeInt), append(ints, vector.Value{I: int128.Int{Hi: math.MinInt64}}, vector.Value{I: int128.Int{Hi: 5, Lo: 7}})...)
	check(sqltype.T(sqltype.Boolean), vector.Value{I: int128.FromInt64(1)}, vector.Value{})
	floats := []vector.Value{{F: math.Inf(-1)}, {F: -2.5}, {F: 0}, {F: math.Copysign(0, -1)}, {F: 3e38}, {F: math.NaN()}}
	check(sqltype.T(sqltype.Double), floats...)
	check(sqltype.T(sqltype.Float), vector.Value{F: math.Inf(-1)}, vector.Value{F: -2.5}, vector.Value{F: math.NaN()})
	check(sqltype.VarcharOf(100), vector.Value{}, vector.Value{S: "a"}, vector.Value{S: "a\x00b\x00\x00"}, vector.Value{S: "\xff\xff a long string of many bytes"})
}
