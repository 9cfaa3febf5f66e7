package optimize

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

var testUnits = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}

// callsOf are the calls of a monotone function with col, in every form that resolves.
func callsOf(name string, col *expr.Column) []expr.Expr {
	number := func(n int64) expr.Expr { return expr.Lit(vector.IntValue(sqltype.T(sqltype.Int), n)) }
	text := func(s string) expr.Expr { return expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), s)) }
	lists := [][]expr.Expr{{col}, {col, number(3)}, {col, number(-5)}}
	for _, u := range testUnits {
		lists = append(lists, []expr.Expr{col, text(u)}, []expr.Expr{text(u), col}, []expr.Expr{col, number(1), text(u)}, []expr.Expr{col, number(-7), text(u)})
	}
	lists = append(lists, []expr.Expr{expr.Lit(vector.IntValue(sqltype.T(sqltype.Date), 11_000)), col})
	var out []expr.Expr
	for _, args := range lists {
		if e, err := expr.NewCall(name, args...); err == nil {
			e = expr.FoldTree(e, nil)
			out = append(out, e)
		}
	}
	return out
}

func testColumns() []*expr.Column {
	var out []*expr.Column
	for i, t := range []sqltype.Type{sqltype.T(sqltype.Date), sqltype.DateTimeOf(0), sqltype.DateTimeOf(6), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt)} {
		out = append(out, &expr.Column{ID: expr.ColumnID(i + 1), Name: "c", T: t, Null: true})
	}
	return out
}

// positions are some of the values of an inverse's column, ascending.
func positions(r *rand.Rand, v *inverse) []int64 {
	out := []int64{v.lo, v.lo + 1, v.hi - 1, v.hi, v.middle}
	for range 60 {
		out = append(out, v.middle+r.Int64N(4_000)-2_000)
		span := uint64(v.hi) - uint64(v.lo)
		out = append(out, v.lo+int64(r.Uint64N(span)))
		day := int64(sqltype.MicrosPerDay) / v.unit
		out = append(out, v.middle+(r.Int64N(2_000)-1_000)*day+r.Int64N(3)-1)
	}
	out = slices.DeleteFunc(out, func(x int64) bool { return x < v.lo || x > v.hi })
	slices.Sort(out)
	return slices.Compact(out)
}

// TestMonotone: every function of the list rises with its argument, and has no NULL but at the ends.
func TestMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	checked := map[string]bool{}
	names := []string{"cast"}
	for name := range monotoneFunctions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, col := range testColumns() {
			calls := callsOf(name, col)
			if name == "cast" {
				calls = castsOf(col)
			}
			for _, e := range calls {
				v, ok := inverseOf(e)
				if !ok {
					continue
				}
				checked[name] = true
				var last vector.Value
				started, ended := false, false
				for _, x := range positions(r, v) {
					y, defined := v.at(x)
					if !defined {
						if started && x < v.middle {
							t.Errorf("%s: NULL at %s, in the middle", expr.String(e), v.argument(x).Text())
						}
						ended = started
						continue
					}
					if ended {
						t.Errorf("%s: a value at %s, after a NULL", expr.String(e), v.argument(x).Text())
					}
					if started {
						if c, ok := compareExact(last, y); !ok || c > 0 {
							t.Errorf("%s: falls to %s at %s", expr.String(e), y.Text(), v.argument(x).Text())
						}
					}
					last, started = y, true
				}
			}
		}
	}
	for _, name := range names {
		if !checked[name] {
			t.Errorf("%s: nothing was checked", name)
		}
	}
}

func castsOf(col *expr.Column) []expr.Expr {
	var out []expr.Expr
	for _, to := range []sqltype.Type{sqltype.T(sqltype.Date), sqltype.DateTimeOf(0), sqltype.DateTimeOf(3), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.BigInt), sqltype.DecimalOf(12, 2), sqltype.T(sqltype.Double)} {
		if e, err := expr.CastTo(col, to); err == nil && e != expr.Expr(col) {
			out = append(out, e)
		}
	}
	return out
}

// TestInverse: the range that a comparison of a function becomes holds exactly the values that pass.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, col := range testColumns() {
		scan := &logical.Scan{Cols: []expr.Column{*col}, Ordinal: []int{0}, Limit: -1}
		calls := castsOf(col)
		for _, name := range []string{"date_trunc", "year", "to_days", "date", "date_add", "last_day", "month_floor", "hour_ceil", "floor", "days_sub"} {
			calls = append(calls, callsOf(name, col)...)
		}
		for _, e := range calls {
			v, ok := inverseOf(e)
			if !ok {
				continue
			}
			values := positions(r, v)
			for range 3 {
				c, ok := v.at(values[r.IntN(len(values))])
				if !ok {
					continue
				}
				if c.Type.IsInteger() && r.IntN(2) == 0 {
					c.I = c.I.AddInt64(1)
				}
				for _, op := range []string{"=", "<", "<=", ">", ">="} {
					cond := expr.MustCall(op, e, expr.Lit(c))
					p, ok := PrunePredicate(scan, cond)
					if !ok {
						t.Errorf("%s: no range", expr.String(cond))
						continue
					}
					for _, x := range values {
						y, ok := v.at(x)
						if !ok {
							continue
						}
						order, _ := compareExact(y, c)
						want := map[string]bool{"=": order == 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[op]
						if got := satisfiedBy(&p, v.argument(x)); got != want {
							t.Errorf("%s at %s: got %t, want %t", expr.String(cond), v.argument(x).Text(), got, want)
						}
					}
				}
			}
		}
	}
}

// satisfiedBy evaluates a predicate on one column for one value.
func satisfiedBy(p *storage.Predicate, v vector.Value) bool {
	return p.MayMatch(func(int) storage.Range { return storage.Range{Min: &v, Max: &v, Rows: 1} })
}

func TestExactValues(t *testing.T) {
	dec := func(v int64, p, s int) vector.Value { return vector.IntValue(sqltype.DecimalOf(p, s), v) }
	of := func(k sqltype.Kind, v int64) vector.Value { return vector.IntValue(sqltype.T(k), v) }
	as := func(v vector.Value, to sqltype.Type, want string) {
		t.Helper()
		got, ok := valueAs(v, to)
		text := "none"
		if ok {
			text = got.Text()
		}
		if text != want {
			t.Errorf("%s %s as %s: got %s, want %s", v.Type, v.Text(), to, text, want)
		}
	}
	as(of(sqltype.Int, 5), sqltype.T(sqltype.TinyInt), "5")
	as(of(sqltype.BigInt, 300), sqltype.T(sqltype.TinyInt), "none")
	as(of(sqltype.Int, 5), sqltype.DecimalOf(5, 2), "5.00")
	as(of(sqltype.Int, 5000), sqltype.DecimalOf(5, 2), "none")
	as(dec(750, 5, 2), sqltype.T(sqltype.Int), "none")
	as(dec(700, 5, 2), sqltype.T(sqltype.Int), "7")
	as(dec(750, 5, 2), sqltype.DecimalOf(5, 1), "7.5")
	as(of(sqltype.Date, 1), sqltype.DateTimeOf(0), "1970-01-02 00:00:00")
	as(of(sqltype.DateTime, microsPerDay), sqltype.T(sqltype.Date), "1970-01-02")
	as(of(sqltype.DateTime, -1), sqltype.T(sqltype.Date), "none")
	as(of(sqltype.Int, 1), sqltype.T(sqltype.Double), "none")
	as(vector.StringValue(sqltype.VarcharOf(3), "ab"), sqltype.T(sqltype.String), "ab")
	order := func(a, b vector.Value, want int, known bool) {
		t.Helper()
		if got, ok := compareExact(a, b); ok != known || ok && got != want {
			t.Errorf("%s %s against %s %s: got %d %t", a.Type, a.Text(), b.Type, b.Text(), got, ok)
		}
	}
	order(of(sqltype.Int, 7), dec(750, 5, 2), -1, true)
	order(dec(75, 5, 1), dec(750, 5, 2), 0, true)
	order(of(sqltype.Date, 1), of(sqltype.DateTime, microsPerDay-1), 1, true)
	order(of(sqltype.Int, 1), vector.FloatValue(1), 0, false)
	order(of(sqltype.Int, 1), vector.StringValue(sqltype.VarcharOf(3), "1"), 0, false)
}
