package function

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// testContext is the query that tests run in: a fixed moment, two hours east of UTC.
var testContext = &Context{
	Now:          time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC),
	Location:     time.FixedZone("", 2*3600),
	User:         "root@localhost",
	Database:     "shop",
	ConnectionID: 7,
	Version:      "5.7.99",
}

// Short names of types in test tables.
var testTypes = map[string]sqltype.Type{
	"null": tNull, "bool": tBoolean, "i8": tTinyInt, "i16": sqltype.T(sqltype.SmallInt), "i32": tInt, "i64": tBigInt, "i128": tLargeInt,
	"f32": sqltype.T(sqltype.Float), "f64": tDouble, "s": tString, "date": tDate, "dt": tDateTime, "dt6": tMicros, "dt3": sqltype.DateTimeOf(3),
	"ts": sqltype.T(sqltype.Timestamp), "ts6": {Kind: sqltype.Timestamp, Scale: 6}, "time": tTime, "time6": {Kind: sqltype.Time, Scale: 6},
	"json": sqltype.T(sqltype.JSON), "bin": sqltype.T(sqltype.Binary), "bm": tBitmap, "hll": tHLL,
}

// testType reads a short name, d<p>.<s>, v<n> or c<n>.
func testType(t testing.TB, name string) sqltype.Type {
	t.Helper()
	if ty, ok := testTypes[name]; ok {
		return ty
	}
	var p, s int
	if n, _ := fmt.Sscanf(name, "d%d.%d", &p, &s); n == 2 {
		return sqltype.DecimalOf(p, s)
	}
	if n, _ := fmt.Sscanf(name, "v%d", &p); n == 1 {
		return sqltype.VarcharOf(p)
	}
	if n, _ := fmt.Sscanf(name, "c%d", &p); n == 1 {
		return sqltype.Type{Kind: sqltype.Char, Length: int32(p)}
	}
	t.Fatalf("no type %q", name)
	return sqltype.Type{}
}

// testValue reads "type:text"; "type:NULL" is NULL. Text goes through the cast, and
// must survive the way back, so that a test cannot ask for something else than it says.
func testValue(t testing.TB, s string) vector.Value {
	t.Helper()
	name, body, ok := strings.Cut(s, ":")
	if !ok {
		t.Fatalf("no type in %q", s)
	}
	ty := testType(t, name)
	if body == "NULL" || ty.Kind == sqltype.Null {
		return vector.NullOf(ty)
	}
	if isText(ty) {
		return vector.StringValue(ty, body)
	}
	if ty.IsOpaque() {
		return opaqueValue(t, ty, body)
	}
	if ty.Kind == sqltype.Timestamp { // texts of tests are in UTC
		v := castValue(t, vector.StringValue(tString, body), sqltype.DateTimeOf(int(ty.Scale)))
		v.Type = ty
		return v
	}
	v := castValue(t, vector.StringValue(tString, body), ty)
	if v.Null {
		t.Fatalf("%q does not parse", s)
	}
	return v
}

func castValue(t testing.TB, v vector.Value, to sqltype.Type) vector.Value {
	t.Helper()
	c, err := Cast(v.Type, to)
	if err != nil {
		t.Fatalf("cast %s to %s: %v", v.Type, to, err)
	}
	if c == nil {
		v.Type = to
		return v
	}
	out, err := runScalar(c, []*vector.Vector{vector.NewConstant(v, 1)}, []*vector.Value{&v}, 1, nil)
	if err != nil {
		t.Fatalf("cast %s to %s: %v", v.Type, to, err)
	}
	return out.Value(0)
}

// runScalar does what the evaluator does: validity for propagating functions, one kernel
// instance, rows outside of sel marked beforehand.
func runScalar(s *Scalar, args []*vector.Vector, consts []*vector.Value, n int, sel []int32) (*vector.Vector, error) {
	k, err := s.New(consts)
	if err != nil {
		return nil, err
	}
	out := vector.New(s.Result, n)
	if s.Nulls == Propagate {
		var valid vector.Bitmap
		for _, a := range args {
			switch {
			case constantNull(a):
				valid = make(vector.Bitmap, (n+63)/64)
			case a.Form == vector.Flat && a.Valid != nil:
				valid = vector.And(nil, a.Valid, valid, n)
			}
		}
		out.Valid = valid
	}
	if err := k(testContext, args, sel, out); err != nil {
		return nil, err
	}
	return out, nil
}

// call resolves name for rows of arguments, wraps them in casts as the binder does and
// runs every form: flat, all constant, each argument constant, under selections, with nulls beside.
type call struct {
	fn     *Scalar
	rows   [][]vector.Value // casted, a row each
	consts []*vector.Value  // of arguments that are the same constant in all rows
}

func resolveCall(t testing.TB, name string, rows [][]vector.Value, constArgs []bool) (*call, error) {
	t.Helper()
	args := make([]Arg, len(rows[0]))
	for i := range args {
		args[i].Type = rows[0][i].Type
		if constArgs[i] {
			args[i].Const = &rows[0][i]
		}
	}
	fn, err := Resolve(name, args)
	if err != nil {
		return nil, err
	}
	if len(fn.Params) != len(args) {
		t.Fatalf("%s: %d params for %d arguments", name, len(fn.Params), len(args))
	}
	c := &call{fn: fn, consts: make([]*vector.Value, len(args))}
	for _, r := range rows {
		casted := make([]vector.Value, len(r))
		for i := range r {
			casted[i] = castValue(t, r[i], fn.Params[i])
		}
		c.rows = append(c.rows, casted)
	}
	for i := range args {
		if constArgs[i] {
			c.consts[i] = &c.rows[0][i]
		}
	}
	return c, nil
}

// columns lays rows out as flat vectors, n rows, row k being rows[order[k]].
func (c *call) columns(order []int) []*vector.Vector {
	cols := make([]*vector.Vector, len(c.fn.Params))
	for j := range cols {
		if c.consts[j] != nil {
			v := *c.consts[j]
			v.Type = c.fn.Params[j]
			cols[j] = vector.NewConstant(v, len(order))
			continue
		}
		cols[j] = vector.New(c.fn.Params[j], len(order))
		for k, r := range order {
			v := c.rows[r][j]
			cols[j].SetValue(k, v)
		}
	}
	return cols
}

// variants runs the call in all forms and reports the answers of the rows, which must agree.
func (c *call) variants(t testing.TB, what string) ([]vector.Value, error) {
	t.Helper()
	n := len(c.rows)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	want := make([]vector.Value, n)
	for i := range c.rows { // one row a time, all constant
		args := make([]*vector.Vector, len(c.fn.Params))
		consts := make([]*vector.Value, len(args))
		for j := range args {
			v := c.rows[i][j]
			consts[j] = &v
			args[j] = vector.NewConstant(v, 1)
		}
		out, err := runScalar(c.fn, args, consts, 1, nil)
		if err != nil {
			return nil, err
		}
		want[i] = out.Value(0)
	}
	if c.fn.Stability == Volatile {
		return want, nil
	}
	check := func(form string, out *vector.Vector, rows []int, order []int) {
		t.Helper()
		for _, k := range rows {
			if got := out.Value(k); !sameValue(got, want[order[k]]) {
				t.Errorf("%s: %s: row %d: got %s, want %s", what, form, k, got.Text(), want[order[k]].Text())
			}
		}
	}
	all := func(n int) []int {
		l := make([]int, n)
		for i := range l {
			l[i] = i
		}
		return l
	}
	out, err := runScalar(c.fn, c.columns(order), c.consts, n, nil)
	if err != nil {
		t.Errorf("%s: flat: %v", what, err)
		return want, nil
	}
	check("flat", out, all(n), order)
	// Many rows in random order, selected and not.
	r := rand.New(rand.NewPCG(uint64(n), 1))
	long := make([]int, 150)
	for i := range long {
		long[i] = r.IntN(n)
	}
	cols := c.columns(long)
	if out, err = runScalar(c.fn, cols, c.consts, len(long), nil); err != nil {
		t.Errorf("%s: long: %v", what, err)
		return want, nil
	}
	check("long", out, all(len(long)), long)
	var sel []int32
	var picked []int
	for i := range long {
		if r.IntN(3) == 0 {
			sel, picked = append(sel, int32(i)), append(picked, i)
		}
	}
	if out, err = runScalar(c.fn, cols, c.consts, len(long), sel); err != nil {
		t.Errorf("%s: selected: %v", what, err)
		return want, nil
	}
	check("selected", out, picked, long)
	// One argument constant at a time, with nil consts: a constant vector that binding did not know of.
	for j := range cols {
		for i := range c.rows {
			var same []int
			for k := range c.rows {
				if sameValue(c.rows[k][j], c.rows[i][j]) {
					same = append(same, k)
				}
			}
			cols := c.columns(same)
			cols[j] = vector.NewConstant(c.rows[i][j], len(same))
			if out, err = runScalar(c.fn, cols, c.consts, len(same), nil); err != nil {
				t.Errorf("%s: constant %d: %v", what, j, err)
				continue
			}
			check(fmt.Sprintf("constant %d", j), out, all(len(same)), same)
		}
	}
	if c.fn.NewSelector != nil {
		c.checkSelector(t, what, want, long, sel)
	}
	return want, nil
}

// checkSelector compares the filter form with the values.
func (c *call) checkSelector(t testing.TB, what string, want []vector.Value, order []int, sel []int32) {
	t.Helper()
	s, err := c.fn.NewSelector(c.consts)
	if err != nil {
		t.Errorf("%s: selector: %v", what, err)
		return
	}
	run := func(form string, cols []*vector.Vector, order []int, sel, dst []int32) {
		t.Helper()
		var expect []int32
		for k := range order {
			if (sel == nil || slices.Contains(sel, int32(k))) && want[order[k]].IsTrue() {
				expect = append(expect, int32(k))
			}
		}
		got, err := s(testContext, cols, len(order), sel, dst)
		if err != nil {
			t.Errorf("%s: selector: %v", what, err)
		} else if !slices.Equal(got, expect) {
			t.Errorf("%s: selector %s: got %v, want %v", what, form, got, expect)
		}
	}
	cols := c.columns(order)
	run("all", cols, order, nil, make([]int32, 0, len(order)))
	run("selected", cols, order, sel, make([]int32, 0, len(order)))
	own := slices.Clone(sel)
	run("in place", cols, order, slices.Clone(sel), own[:0])
	inPlace := slices.Clone(sel)
	if got, _ := s(testContext, cols, len(order), inPlace, inPlace[:0]); len(got) > len(sel) {
		t.Errorf("%s: in place selected too many", what)
	} else if again, _ := s(testContext, cols, len(order), sel, make([]int32, 0, len(sel))); !slices.Equal(got, again) {
		t.Errorf("%s: in place: got %v, want %v", what, got, again)
	}
	run("none", cols, order, []int32{}, []int32{})
	for j := range cols {
		for i := range c.rows {
			var same []int
			for k := range c.rows {
				if sameValue(c.rows[k][j], c.rows[i][j]) {
					same = append(same, k)
				}
			}
			cols := c.columns(same)
			cols[j] = vector.NewConstant(c.rows[i][j], len(same))
			run(fmt.Sprintf("constant %d", j), cols, same, nil, make([]int32, 0, len(same)))
		}
	}
}

func sameValue(a, b vector.Value) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if a.Type.IsFloat() && b.Type.IsFloat() {
		return vector.CompareFloat(a.F, b.F) == 0
	}
	return a.I == b.I && a.S == b.S && a.F == b.F
}

// scalarCase is one row of a test table: args "type:text" separated by |; want
// "type:text", "error" or, for the type only, "type:*".
type scalarCase struct{ name, args, want string }

// runCases groups neighbours of the same function and argument types and runs them together.
func runCases(t *testing.T, cases []scalarCase) {
	t.Helper()
	for i := 0; i < len(cases); {
		j := i + 1
		for j < len(cases) && cases[j].name == cases[i].name && argTypes(cases[j].args) == argTypes(cases[i].args) && cases[i].want != "error" && cases[j].want != "error" {
			j++
		}
		runGroup(t, cases[i:j])
		i = j
	}
}

func argTypes(args string) string {
	var b strings.Builder
	for _, a := range splitArgs(args) {
		name, body, _ := strings.Cut(a, ":")
		b.WriteString(name)
		if strings.HasPrefix(name, "=") {
			b.WriteString(body)
		}
		b.WriteByte('|')
	}
	return b.String()
}

func splitArgs(args string) []string {
	if args == "" {
		return nil
	}
	return strings.Split(args, "|")
}

func runGroup(t *testing.T, cases []scalarCase) {
	t.Helper()
	var rows [][]vector.Value
	var constArgs []bool
	for _, c := range cases {
		row := []vector.Value{}
		constArgs = constArgs[:0]
		for _, a := range splitArgs(c.args) {
			body, isConst := strings.CutPrefix(a, "=")
			constArgs = append(constArgs, isConst)
			row = append(row, testValue(t, body))
		}
		rows = append(rows, row)
	}
	what := func(i int) string { return fmt.Sprintf("%s(%s)", cases[i].name, cases[i].args) }
	c, err := resolveCall(t, cases[0].name, rows, constArgs)
	if err == nil {
		var got []vector.Value
		if got, err = c.variants(t, what(0)); err == nil {
			for i := range cases {
				compareCase(t, what(i), c.fn.Result, got[i], cases[i].want)
			}
			return
		}
	}
	if cases[0].want != "error" {
		t.Errorf("%s: %v", what(0), err)
	}
}

func compareCase(t *testing.T, what string, result sqltype.Type, got vector.Value, want string) {
	t.Helper()
	if want == "error" {
		t.Errorf("%s: got %s, want an error", what, got.Text())
		return
	}
	name, body, _ := strings.Cut(want, ":")
	if ty := testType(t, name); ty != result {
		t.Errorf("%s: result type %s, want %s", what, result, ty)
	}
	if result.IsOpaque() {
		if w := testValue(t, want); !sameValue(got, w) {
			t.Errorf("%s: got %x, want %q", what, got.S, body)
		}
		return
	}
	if body != "*" && got.Text() != body {
		t.Errorf("%s: got %q, want %q", what, got.Text(), body)
	}
}

// timeText is a DATETIME(6) as text.
func timeText(v int64) string { return vector.IntValue(tMicros, v).Text() }
