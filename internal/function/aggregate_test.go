package function

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// aggregateRun feeds rows to groups; every way must give the same results.
type aggregateRun struct {
	fn     *Aggregate
	cols   []*vector.Vector
	consts []*vector.Value
	groups []uint32
	n      int
}

// constantArgs are the arguments from which on those of an aggregate must be constants.
var constantArgs = map[string]int{
	"intersect_count": 2, "orthogonal_bitmap_intersect": 2, "orthogonal_bitmap_intersect_count": 2,
	"orthogonal_bitmap_expr_calculate": 2, "orthogonal_bitmap_expr_calculate_count": 2,
}

func newAggregateRun(t testing.TB, name string, rows [][]vector.Value, groups []uint32) *aggregateRun {
	t.Helper()
	args := make([]Arg, len(rows[0]))
	for j := range args {
		args[j].Type = rows[0][j].Type
		if from, ok := constantArgs[name]; ok && j >= from {
			args[j].Const = &rows[0][j]
		}
	}
	fn, err := ResolveAggregate(name, args)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	r := &aggregateRun{fn: fn, groups: groups, consts: make([]*vector.Value, len(args))}
	for j := range args {
		col := vector.New(fn.Params[j], len(rows))
		for i := range rows {
			col.SetValue(i, castValue(t, rows[i][j], fn.Params[j]))
		}
		r.cols = append(r.cols, col)
		if args[j].Const != nil {
			c := castValue(t, *args[j].Const, fn.Params[j])
			r.consts[j] = &c
		}
	}
	for _, g := range groups {
		r.n = max(r.n, int(g)+1)
	}
	return r
}

func (r *aggregateRun) accumulator(t testing.TB) Accumulator {
	t.Helper()
	a, err := r.fn.NewAccumulator(testContext, r.consts)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (r *aggregateRun) slice(lo, hi int) []*vector.Vector {
	cols := make([]*vector.Vector, len(r.cols))
	for j, c := range r.cols {
		cols[j] = c.Slice(lo, hi)
	}
	return cols
}

func finish(a Accumulator, result sqltype.Type, lo, n int) (*vector.Vector, error) {
	out := vector.New(result, n)
	err := a.Finish(lo, out)
	return out, err
}

// results runs one batch.
func (r *aggregateRun) results(t testing.TB) (*vector.Vector, error) {
	t.Helper()
	a := r.accumulator(t)
	a.Grow(r.n)
	if err := a.Update(r.groups, r.cols, nil); err != nil {
		return nil, err
	}
	if a.Bytes() <= 0 {
		t.Errorf("%s: no bytes", r.fn.Name)
	}
	return finish(a, r.fn.Result, 0, r.n)
}

// checkWays compares batches, selections, constants, merges and single groups with one batch.
func (r *aggregateRun) checkWays(t testing.TB, what string, ordered bool) {
	t.Helper()
	want, err := r.results(t)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	same := func(way string, got *vector.Vector, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %s: %v", what, way, err)
			return
		}
		for i := range got.Len {
			g, w := got.Value(i), want.Value(i)
			near := g.Type.IsFloat() && !g.Null && !w.Null && math.Abs(g.F-w.F) <= 1e-12*math.Abs(w.F)
			if !near && !sameValue(g, w) {
				t.Errorf("%s: %s: group %d: got %s, want %s", what, way, i, g.Text(), w.Text())
			}
		}
	}
	rows := len(r.groups)
	// Small batches, groups growing as they appear.
	a := r.accumulator(t)
	known := 0
	for lo := 0; lo < rows; lo += 3 {
		hi := min(lo+3, rows)
		for _, g := range r.groups[lo:hi] {
			known = max(known, int(g)+1)
		}
		a.Grow(known)
		if err := a.Update(r.groups[lo:hi], r.slice(lo, hi), nil); err != nil {
			t.Fatal(err)
		}
	}
	a.Grow(r.n)
	got, err := finish(a, r.fn.Result, 0, r.n)
	same("small batches", got, err)
	// Even rows selected, then odd ones (order changes: not for concatenation).
	if !ordered {
		a = r.accumulator(t)
		a.Grow(r.n)
		for odd := range 2 {
			var sel []int32
			var groups []uint32
			for i := odd; i < rows; i += 2 {
				sel, groups = append(sel, int32(i)), append(groups, r.groups[i])
			}
			if err := a.Update(groups, r.cols, sel); err != nil {
				t.Fatal(err)
			}
		}
		got, err = finish(a, r.fn.Result, 0, r.n)
		same("selected", got, err)
	}
	// Row by row as constants.
	a = r.accumulator(t)
	a.Grow(r.n)
	for i := range rows {
		cols := make([]*vector.Vector, len(r.cols))
		for j, c := range r.cols {
			cols[j] = vector.NewConstant(c.Value(i), 1)
		}
		if err := a.Update(r.groups[i:i+1], cols, nil); err != nil {
			t.Fatal(err)
		}
	}
	got, err = finish(a, r.fn.Result, 0, r.n)
	same("constants", got, err)
	// Two halves merged, in two steps, into other group numbers.
	a, b := r.accumulator(t), r.accumulator(t)
	a.Grow(r.n + 1)
	b.Grow(r.n)
	shifted := make([]uint32, rows)
	for i, g := range r.groups {
		shifted[i] = g + 1
	}
	half := rows / 2
	if err := a.Update(shifted[:half], r.slice(0, half), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Update(r.groups[half:], r.slice(half, rows), nil); err != nil {
		t.Fatal(err)
	}
	to := make([]uint32, r.n)
	for i := range to {
		to[i] = uint32(i + 1)
	}
	cut := r.n / 2
	if err := a.Merge(to[:cut], b, 0); err != nil {
		t.Fatal(err)
	}
	if err := a.Merge(to[cut:], b, cut); err != nil {
		t.Fatal(err)
	}
	got, err = finish(a, r.fn.Result, 1, r.n)
	same("merged", got, err)
	if _, ok := b.(MergesCopies); ok { // as often as one likes, whatever happens to what they were merged into
		_ = a.Update(shifted, r.cols, nil) // a sum may overflow
		a = r.accumulator(t)
		a.Grow(r.n + 1)
		if err := a.Update(shifted[:half], r.slice(0, half), nil); err != nil {
			t.Fatal(err)
		}
		if err := a.Merge(to, b, 0); err != nil {
			t.Fatal(err)
		}
		got, err = finish(a, r.fn.Result, 1, r.n)
		same("merged again", got, err)
	}
	// The same with the second half saved, some groups at a time, and loaded.
	a = r.accumulator(t)
	a.Grow(r.n + 1)
	if err := a.Update(shifted[:half], r.slice(0, half), nil); err != nil {
		t.Fatal(err)
	}
	saved, ok := b.(Spillable)
	if !ok {
		t.Fatalf("%s: its states cannot be saved", what)
	}
	for lo := 0; lo < r.n; lo += 2 {
		var some []uint32
		for g := lo; g < min(lo+2, r.n); g++ {
			some = append(some, uint32(g))
		}
		bytes := saved.Save(some, []byte("before"))[len("before"):]
		c := r.accumulator(t)
		if err := c.(Spillable).Load(bytes, len(some)); err != nil {
			t.Fatal(err)
		}
		c.Grow(len(some))
		if err := a.Merge(to[lo:lo+len(some)], c, 0); err != nil {
			t.Fatal(err)
		}
		if len(bytes) > 0 {
			_ = r.accumulator(t).(Spillable).Load(bytes[:len(bytes)/2], len(some)) // an error, no panic
		}
	}
	got, err = finish(a, r.fn.Result, 1, r.n)
	same("saved", got, err)
	r.checkSingle(t, same)
}

func (r *aggregateRun) checkSingle(t testing.TB, same func(string, *vector.Vector, error)) {
	t.Helper()
	a := r.accumulator(t)
	one, ok := a.(SingleGroup)
	if !ok {
		return
	}
	a.Grow(r.n)
	for g := range r.n {
		var sel []int32
		for i, h := range r.groups {
			if int(h) == g {
				sel = append(sel, int32(i))
			}
		}
		half := len(sel) / 2
		if err := one.UpdateOne(uint32(g), r.cols, sel[:half:half], half); err != nil {
			t.Fatal(err)
		}
		dense := make([]*vector.Vector, len(r.cols))
		for j, c := range r.cols {
			dense[j] = vector.CopyOf(c, sel[half:])
		}
		if err := one.UpdateOne(uint32(g), dense, nil, len(sel)-half); err != nil {
			t.Fatal(err)
		}
	}
	got, err := finish(a, r.fn.Result, 0, r.n)
	same("single group", got, err)
}

// TestAggregates: values separated by |, arguments of a row by ;, all in one group beside
// an empty group.
func TestAggregates(t *testing.T) {
	for _, c := range []scalarCase{
		{"count", "i32:1|i32:NULL|i32:3", "i64:2"}, {"count", "s:NULL", "i64:0"}, {"count", "i32:1;i32:2|i32:NULL;i32:1|i32:1;i32:NULL", "i64:1"},
		{"sum", "i32:1|i32:NULL|i32:3", "i64:4"}, {"sum", "i8:127|i8:127|i8:127", "i64:381"}, {"sum", "i64:NULL", "i64:NULL"}, {"sum", "i64:9223372036854775807|i64:5|i64:-5", "i64:9223372036854775807"}, {"sum", "i64:9223372036854775807|i64:1", "error"}, {"sum", "i64:-9223372036854775808|i64:-1|i64:-1|i64:2", "i64:-9223372036854775808"}, {"sum", "bool:1|bool:1", "i64:2"}, {"sum", "s:1.5|s:2", "f64:3.5"}, {"sum", "null:|null:", "i64:NULL"},
		{"sum", "i128:170141183460469231731687303715884105727|i128:-1", "i128:170141183460469231731687303715884105726"}, {"sum", "i128:170141183460469231731687303715884105727|i128:1", "error"},
		{"sum", "d15.2:1.25|d15.2:NULL|d15.2:-0.50", "d38.2:0.75"}, {"sum", "d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999|d18.0:999999999999999999", "d38.0:9999999999999999990"}, {"sum", "d38.2:1.25|d38.2:2.25", "d38.2:3.50"}, {"sum", "d38.0:99999999999999999999999999999999999999|d38.0:1", "error"}, {"sum", "d38.0:99999999999999999999999999999999999999|d38.0:99999999999999999999999999999999999999", "error"},
		{"sum", "f64:1.5|f64:2.25", "f64:3.75"}, {"sum", "f32:1.5|f32:NULL", "f64:1.5"},
		{"avg", "i32:1|i32:2|i32:NULL", "f64:1.5"}, {"avg", "i64:9223372036854775807|i64:9223372036854775807", "f64:9.223372036854776e18"}, {"avg", "d15.2:1.00|d15.2:1.00|d15.2:2.00", "d38.4:1.3333"}, {"avg", "d15.2:1.00|d15.2:2.00|d15.2:2.00", "d38.4:1.6667"}, {"avg", "d15.2:-1.00|d15.2:-2.00|d15.2:-2.00", "d38.4:-1.6667"}, {"avg", "d20.6:1.000001|d20.6:1.000002", "d38.6:1.000002"}, {"avg", "f64:1|f64:2", "f64:1.5"}, {"avg", "i32:NULL", "f64:NULL"}, {"avg", "i128:3|i128:4", "f64:3.5"},
		{"min", "i32:3|i32:1|i32:NULL", "i32:1"}, {"max", "i32:3|i32:1|i32:NULL", "i32:3"}, {"max", "i8:-3|i8:-1", "i8:-1"}, {"min", "f64:nan|f64:1", "f64:1"}, {"max", "f64:nan|f64:1", "f64:nan"}, {"min", "s:banana, a long one|s:apple, a long one too|s:NULL", "s:apple, a long one too"}, {"max", "s:a|s:b a longer string|s:b", "s:b a longer string"}, {"max", "s:NULL|s:NULL", "s:NULL"}, {"min", "d38.2:1.5|d38.2:-1.5", "d38.2:-1.50"}, {"max", "date:2024-01-02|date:2023-01-02", "date:2024-01-02"}, {"max", "dt3:2024-01-02 00:00:00.5|dt3:2023-01-02", "dt3:2024-01-02 00:00:00.500"}, {"min", "bool:1|bool:0", "bool:0"}, {"min", "null:", "i8:NULL"},
		{"stddev", "i32:1|i32:2|i32:3|i32:4|i32:NULL", "f64:1.118033988749895"}, {"stddev_samp", "i32:1|i32:3", "f64:1.4142135623730951"}, {"var_pop", "i32:1|i32:3", "f64:1"}, {"variance", "i32:7", "f64:0"}, {"var_samp", "i32:1|i32:3", "f64:2"}, {"var_samp", "i32:1", "f64:NULL"}, {"variance", "f64:1000000001|f64:1000000002|f64:1000000003", "f64:0.6666666666666666"},
		{"group_concat", "s:a|s:NULL|s:b", "s:a, b"}, {"group_concat", "i32:1|i32:2", "s:1, 2"}, {"group_concat", "s:a;s:-|s:b;s:-", "s:a-b"}, {"group_concat", "s:NULL", "s:NULL"}, {"group_concat", "s:|s:", "s:, "},
		{"any_value", "i32:NULL|i32:7|i32:7", "i32:7"}, {"any_value", "s:a long string is kept|s:a long string is kept", "s:a long string is kept"}, {"any_value", "d38.2:NULL", "d38.2:NULL"},
		{"bool_and", "bool:1|bool:0|bool:NULL", "bool:0"}, {"bool_or", "bool:1|bool:0|bool:NULL", "bool:1"}, {"bit_and", "i32:6|i32:3", "i64:2"}, {"bit_or", "i32:6|i32:3", "i64:7"}, {"bit_xor", "i32:6|i32:3|i32:NULL", "i64:5"},
		{"max_by", "s:a;i32:1|s:b;i32:3|s:c;i32:NULL", "s:b"}, {"min_by", "s:a;i32:1|s:b;i32:3|s:c;i32:NULL", "s:a"}, {"max_by", "i32:NULL;s:z|i32:1;s:y", "i32:NULL"}, {"max_by", "i32:1;s:NULL", "i32:NULL"},
		{"bitmap_union", "bm:1,2|bm:NULL|bm:2,3", "bm:1,2,3"}, {"bitmap_union", "bm:NULL", "bm:"}, {"bitmap_union", "bm:" + bigIDs + "|bm:0", "bm:0," + bigIDs}, {"bitmap_union_count", "bm:1,2|bm:NULL|bm:2,3", "i64:3"}, {"bitmap_union_count", "bm:|bm:", "i64:0"}, {"orthogonal_bitmap_union_count", "bm:1|bm:1", "i64:1"},
		{"bitmap_union_int", "i32:1|i32:-1|i32:1|i32:NULL", "i64:2"}, {"bitmap_union_int", "i64:-9223372036854775808|i64:0|i64:9223372036854775807", "i64:3"}, {"bitmap_union_int", "i8:-1|i8:127", "i64:2"}, {"bitmap_union_int", "i16:5", "i64:1"}, {"bitmap_union_int", "null:", "i64:0"},
		{"bitmap_agg", "i32:3|i32:-1|i32:1|i32:NULL", "bm:1,3"}, {"bitmap_agg", "i64:4294967296|i64:9223372036854775807", "bm:4294967296,9223372036854775807"}, {"bitmap_agg", "s:7|s:x|s:18446744073709551615", "bm:7,18446744073709551615"}, {"bitmap_agg", "i128:18446744073709551615|i128:-1", "bm:18446744073709551615"}, {"bitmap_agg_count", "i8:1|i8:-1|i8:2", "i64:2"},
		{"bitmap_intersect", "bm:1,2,3|bm:NULL|bm:2,3,4", "bm:2,3"}, {"bitmap_intersect", "bm:1|bm:", "bm:"}, {"bitmap_intersect", "bm:NULL", "bm:"}, {"group_bitmap_xor", "bm:2,3|bm:1,2,3,4|bm:3,4,5", "bm:1,3,5"}, {"group_bitmap_xor", "bm:2|bm:2", "bm:"},
		{"intersect_count", "bm:1,2,3;i32:3;i32:3;i32:4|bm:1,2,3,4,5;i32:4;i32:3;i32:4|bm:9;i32:NULL;i32:3;i32:4", "i64:3"}, {"intersect_count", "bm:1;i32:3;i32:3;i32:4", "i64:0"}, {"intersect_count", "bm:1;s:a;s:a;s:a|bm:2;s:a;s:a;s:a", "i64:2"}, {"intersect_count", "bm:1;i32:3;i32:NULL", "i64:0"}, {"intersect_count", "bm:1,2;i32:3;i8:3", "i64:2"},
		{"orthogonal_bitmap_intersect", "bm:1,2;s:a;s:a;s:b|bm:2,3;s:b;s:a;s:b", "bm:2"}, {"orthogonal_bitmap_intersect_count", "bm:1,2;s:a;s:a;s:b|bm:2,3;s:b;s:a;s:b", "i64:1"},
		{"orthogonal_bitmap_expr_calculate", "bm:1,2;s:a;s:(a^b)-c|bm:2,3;s:b;s:(a^b)-c|bm:3;s:c;s:(a^b)-c|bm:7;s:d;s:(a^b)-c", "bm:1"}, {"orthogonal_bitmap_expr_calculate_count", "bm:1,2;s:a;s:a^b|bm:2,3;s:b;s:a^b", "i64:2"}, {"orthogonal_bitmap_expr_calculate", "bm:1,2;s:a-b;s:a\\-b & c d|bm:2;s:c;s:a\\-b & c d", "error"}, {"orthogonal_bitmap_expr_calculate", "bm:1,2;s:a-b;s:a\\-b&c|bm:2;s:c;s:a\\-b&c", "bm:2"},
		{"hll_union", "hll:a,b|hll:NULL|hll:b,c", "hll:a,b,c"}, {"hll_raw_agg", "hll:NULL", "hll:"}, {"hll_union_agg", "hll:a,b|hll:b,c|hll:", "i64:3"},
		{"approx_count_distinct", "s:a|s:b|s:a|s:NULL", "i64:2"}, {"ndv", "f64:-0|f64:0|f64:nan|f64:nan", "i64:2"}, {"ndv", "i32:NULL", "i64:0"},
	} {
		var rows [][]vector.Value
		var groups []uint32
		for _, r := range splitArgs(c.args) {
			var rowValues []vector.Value
			for _, a := range splitOn(r, ';') {
				rowValues = append(rowValues, testValue(t, a))
			}
			rows, groups = append(rows, rowValues), append(groups, 1)
		}
		what := fmt.Sprintf("%s(%s)", c.name, c.args)
		if c.want == "error" && constantArgs[c.name] > 0 {
			if _, err := ResolveAggregate(c.name, []Arg{{Type: rows[0][0].Type}, {Type: rows[0][1].Type}, {Type: rows[0][2].Type, Const: &rows[0][2]}}); err == nil {
				t.Errorf("%s resolves", what)
			}
			continue
		}
		r := newAggregateRun(t, c.name, rows, groups)
		out, err := r.results(t)
		if err != nil {
			if c.want != "error" || !sqlerr.Is(err, sqlerr.OutOfRangeArith) {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		compareCase(t, what, r.fn.Result, out.Value(1), c.want)
		if empty := out.Value(0); empty.Null != r.fn.NullOnEmpty {
			t.Errorf("%s of nothing is %s", c.name, empty.Text())
		}
		if c.want != "error" && !(c.name == "group_concat" && len(rows[0]) == 2) {
			r.checkWays(t, what, c.name == "group_concat")
		}
	}
}

func splitOn(s string, sep byte) []string {
	var parts []string
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == sep {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return parts
}

// TestAggregatesAtRandom runs every aggregate over 200 rows in 20 groups in all ways.
func TestAggregatesAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	pools := map[string][]string{
		"i32": {"i32:1", "i32:-5", "i32:NULL", "i32:2147483647"}, "i64": {"i64:9223372036854775807", "i64:-9223372036854775807", "i64:3", "i64:NULL"}, "d15.2": {"d15.2:1.25", "d15.2:-3.75", "d15.2:NULL"},
		"d38.2": {"d38.2:1.25", "d38.2:-300000000000000000000.75", "d38.2:NULL"}, "f64": {"f64:1.5", "f64:-2.25", "f64:NULL"}, "s": {"s:1", "s:20, which is a long text", "s:NULL", "s:3"}, "date": {"date:2024-01-02", "date:1960-01-01", "date:NULL"}, "bool": {"bool:1", "bool:0", "bool:NULL"}, "hll": {"hll:", "hll:a", "hll:b,c,d", "hll:NULL"},
	}
	parsed := map[string][]vector.Value{}
	for kind, pool := range pools {
		for _, s := range pool {
			parsed[kind] = append(parsed[kind], testValue(t, s))
		}
	}
	parsed["bm"] = append(bitmapSamples(t), vector.NullOf(tBitmap))
	for name := range aggregates() {
		for kind, pool := range parsed {
			if name == "sum" && kind == "i64" || kind == "s" && name != "min" && name != "max" && name != "count" && name != "group_concat" && name != "any_value" && name != "ndv" {
				continue // overflows; is a number for others
			}
			var rows [][]vector.Value
			var groups []uint32
			for range 200 {
				rowValues := []vector.Value{pool[r.IntN(len(pool))]}
				if name == "max_by" || name == "min_by" {
					rowValues = append(rowValues, vector.IntValue(tInt, int64(len(rows)*7919%1009)))
				}
				rows, groups = append(rows, rowValues), append(groups, uint32(r.IntN(20)))
			}
			if _, err := ResolveAggregate(name, []Arg{{Type: rows[0][0].Type}}); err != nil && len(rows[0]) == 1 {
				continue
			}
			if (name == "any" || name == "any_value" || name == "arbitrary") && kind != "x" {
				for i := range rows { // any value is the one value of its group
					rows[i][0] = pool[int(groups[i])%len(pool)]
				}
			}
			newAggregateRun(t, name, rows, groups).checkWays(t, name+" "+kind, keepsOrder(name))
		}
	}
}

// TestCollect: the elements come in the order of the rows.
func TestCollect(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"collect_list", "i32:1|i32:NULL|i32:1", "[1, 1]"}, {"array_agg", "i32:1|i32:NULL", "[1, null]"},
		{"collect_set", "s:a|s:a|s:NULL|s:b", `["a", "b"]`}, {"collect_list", "s:NULL", "[]"},
	} {
		var rows [][]vector.Value
		var groups []uint32
		for _, a := range splitArgs(c.args) {
			rows, groups = append(rows, []vector.Value{testValue(t, a)}), append(groups, 1)
		}
		out, err := newAggregateRun(t, c.name, rows, groups).results(t)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Value(1).Text(); got != c.want {
			t.Errorf("%s(%s): %s, want %s", c.name, c.args, got, c.want)
		}
	}
}

// keepsOrder tells the aggregates whose result shows the order of the rows.
func keepsOrder(name string) bool {
	switch name {
	case "group_concat", "collect_list", "collect_set", "array_agg", "group_array", "group_uniq_array":
		return true
	}
	return false
}

// TestCountStar has no arguments.
func TestCountStar(t *testing.T) {
	fn, err := ResolveAggregate("count", nil)
	if err != nil || len(fn.Params) != 0 || fn.NullOnEmpty {
		t.Fatal(fn, err)
	}
	a, _ := fn.NewAccumulator(testContext, nil)
	a.Grow(3)
	if err := a.Update([]uint32{0, 2, 2}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.(SingleGroup).UpdateOne(1, nil, []int32{4, 5}, 2); err != nil {
		t.Fatal(err)
	}
	out, _ := finish(a, fn.Result, 0, 3)
	if got := vector.Values[int64](out); got[0] != 1 || got[1] != 2 || got[2] != 2 {
		t.Error(got)
	}
}

// TestMaxTextMemory: growing strings do not pile up in the accumulator.
func TestMaxTextMemory(t *testing.T) {
	a := newMinMax(tString, true)
	a.Grow(1)
	v := vector.New(tString, 1)
	for i := range 20000 {
		v.Reset(1)
		v.SetString(0, fmt.Sprintf("%08d and then forty more bytes to be kept out of line", i))
		if err := a.Update([]uint32{0}, []*vector.Vector{v}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.Bytes(); n > 400<<10 {
		t.Errorf("%d bytes for one string", n)
	}
}

// TestApproxDistinct is within 5 % for a hundred thousand values, over a merge.
func TestApproxDistinct(t *testing.T) {
	a, b := &distinctSketch{}, &distinctSketch{}
	a.Grow(1)
	b.Grow(1)
	vals := make([]int64, 100000)
	for i := range vals {
		vals[i] = int64(i)
	}
	v := vector.FromValues(tBigInt, vals, nil)
	groups := make([]uint32, 60000)
	_ = a.Update(groups, []*vector.Vector{v.Slice(0, 60000)}, nil)
	_ = b.Update(groups, []*vector.Vector{v.Slice(40000, 100000)}, nil)
	_ = a.Merge([]uint32{0}, b, 0)
	out, _ := finish(a, tBigInt, 0, 1)
	if n := vector.Values[int64](out)[0]; n < 95000 || n > 105000 {
		t.Errorf("100000 values counted as %d", n)
	}
}

// TestGroupConcatLimit cuts at a character.
func TestGroupConcatLimit(t *testing.T) {
	fn, _ := ResolveAggregate("group_concat", []Arg{{Type: tString}})
	a, _ := fn.NewAccumulator(&Context{GroupConcatMaxLen: 7}, []*vector.Value{nil})
	a.Grow(1)
	if err := a.Update([]uint32{0, 0}, []*vector.Vector{vector.FromStrings(tString, "日", "日本")}, nil); err != nil {
		t.Fatal(err)
	}
	out, _ := finish(a, tString, 0, 1)
	if got := string(out.Bytes(0)); got != "日, " {
		t.Errorf("got %q", got)
	}
}
