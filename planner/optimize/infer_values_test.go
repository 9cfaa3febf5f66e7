package optimize

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// holds evaluates values on one number, by the book.
func (v *values) holds(x vector.Value) bool {
	if v.never {
		return false
	}
	if v.only && !slices.ContainsFunc(v.points, func(p vector.Value) bool { c, _ := compareExact(p, x); return c == 0 }) {
		return false
	}
	return v.mayHold(x)
}

// randomValues are conditions on a number, some with constants of another type.
func randomValues(r *rand.Rand) *values {
	constant := func() vector.Value {
		if r.IntN(3) == 0 {
			return vector.IntValue(sqltype.DecimalOf(6, 1), r.Int64N(100))
		}
		return vector.IntValue(sqltype.T(sqltype.Int), r.Int64N(10))
	}
	v := &values{notNull: true}
	switch r.IntN(4) {
	case 0:
		v.lo = &limit{constant(), r.IntN(2) == 0}
	case 1:
		v.hi = &limit{constant(), r.IntN(2) == 0}
	case 2:
		v.lo, v.hi = &limit{constant(), r.IntN(2) == 0}, &limit{constant(), r.IntN(2) == 0}
	default:
		v.only = true
		for range 1 + r.IntN(4) {
			v.points = append(v.points, constant())
		}
		order := func(a, b vector.Value) int { c, _ := compareExact(a, b); return c }
		slices.SortFunc(v.points, order)
		v.points = slices.CompactFunc(v.points, func(a, b vector.Value) bool { return order(a, b) == 0 })
	}
	v.settle()
	return v
}

// TestValues: a meet passes what both pass, a hull at least what either passes, and within is a proof.
func TestValues(t *testing.T) {
	var numbers []vector.Value
	for i := int64(-10); i < 110; i++ {
		numbers = append(numbers, vector.IntValue(sqltype.DecimalOf(6, 1), i))
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := randomValues(r), randomValues(r)
		met := *a
		met.meet(b)
		hull := a.hull(b)
		for _, x := range numbers {
			if got, want := met.holds(x), a.holds(x) && b.holds(x); got != want {
				t.Fatalf("seed %d: %s meets %s at %s: %t", seed, valuesText(a), valuesText(b), x.Text(), got)
			}
			if (a.holds(x) || b.holds(x)) && !hull.holds(x) {
				t.Fatalf("seed %d: hull of %s and %s leaves out %s", seed, valuesText(a), valuesText(b), x.Text())
			}
			if !a.never && a.within(b) && a.holds(x) && !b.holds(x) {
				t.Fatalf("seed %d: %s is not within %s: %s", seed, valuesText(a), valuesText(b), x.Text())
			}
		}
	}
}

func valuesText(v *values) string {
	s := fmt.Sprintf("{never %t", v.never)
	if v.only {
		for _, p := range v.points {
			s += " " + p.Text()
		}
	}
	if v.lo != nil {
		s += fmt.Sprintf(" from %s %t", v.lo.v.Text(), v.lo.strict)
	}
	if v.hi != nil {
		s += fmt.Sprintf(" to %s %t", v.hi.v.Text(), v.hi.strict)
	}
	return s + "}"
}
