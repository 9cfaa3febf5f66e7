package storage

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// A list matches a range exactly when one of its values does.
func TestInMatchesAsItsValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	big := sqltype.T(sqltype.BigInt)
	for range 2000 {
		var values []vector.Value
		for range r.IntN(6) {
			values = append(values, vector.IntValue(big, int64(r.IntN(20))))
		}
		slices.SortFunc(values, vector.Value.Compare)
		lo := int64(r.IntN(20))
		x, y := vector.IntValue(big, lo), vector.IntValue(big, lo+int64(r.IntN(4)))
		lookup := func(int) Range { return Range{Min: &x, Max: &y, Rows: 5} }
		want := false
		for i := range values {
			p := Predicate{Op: OpEq, Values: values[i : i+1]}
			want = want || p.MayMatch(lookup)
		}
		in := Predicate{Op: OpIn, Values: values}
		if got := in.MayMatch(lookup); got != want {
			t.Fatalf("%v in [%v, %v]: %v", values, x, y, got)
		}
	}
	nan, one := vector.FloatValue(math.NaN()), vector.FloatValue(1)
	p := Predicate{Op: OpIn, Values: []vector.Value{vector.FloatValue(-4), nan}}
	if !p.MayMatch(func(int) Range { return Range{Min: &one, Max: &one, Rows: 5, HasNaN: true} }) {
		t.Error("a list with NaN misses rows that may be NaN")
	}
	if p.MayMatch(func(int) Range { return Range{Min: &one, Max: &one, Rows: 5} }) {
		t.Error("a list with NaN matches a range without")
	}
}
