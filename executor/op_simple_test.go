package executor_test

import (
	"context"
	"errors"
	"math"
	"math/rand"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

var (
	bigint  = sqltype.T(sqltype.BigInt)
	text    = sqltype.T(sqltype.String)
	double  = sqltype.T(sqltype.Double)
	boolean = sqltype.T(sqltype.Boolean)
)

func info(types ...sqltype.Type) physical.Info {
	return physical.Info{ID: 1, Cols: optest.Columns(types...), Rows: -1}
}

// numbers is a table of one BIGINT column.
func numbers(vals ...any) optest.Input {
	in := optest.Input{Types: []sqltype.Type{bigint}}
	for _, v := range vals {
		in.Rows = append(in.Rows, []any{v})
	}
	return in
}

func rows(vals ...any) optest.Rows { return numbers(vals...).Rows }

func TestFilter(t *testing.T) {
	check := func(cond func() expr.Expr, want ...any) {
		t.Helper()
		optest.Run(t, optest.Case{
			Inputs: []optest.Input{numbers(1, 2, nil, 3, 4, 5, nil)}, Want: rows(want...),
			Plan: func(in ...physical.Node) physical.Node {
				return &physical.Filter{Info: info(bigint), Input: in[0], Conds: []expr.Expr{cond()}}
			},
		})
	}
	x := optest.Field(0, bigint)
	lit := func(v any) expr.Expr { return optest.Literal(bigint, v) }
	check(func() expr.Expr { return optest.Call(t, ">", x, lit(3)) }, 4, 5)
	check(func() expr.Expr { return optest.Call(t, ">", x, lit(9)) })
	check(func() expr.Expr { return optest.Call(t, "is_null", x) }, nil, nil)
	check(func() expr.Expr {
		return optest.Call(t, "or", optest.Call(t, "=", x, lit(5)), optest.Call(t, "<", x, lit(2)), optest.Call(t, "is_null", x))
	}, 1, 5, nil, nil)
	check(func() expr.Expr { return optest.Literal(boolean, nil) })
	check(func() expr.Expr { return optest.Literal(boolean, true) }, 1, 2, nil, 3, 4, 5, nil)
}

func TestProject(t *testing.T) {
	x := optest.Field(0, bigint)
	optest.Run(t, optest.Case{
		Inputs: []optest.Input{numbers(1, 2, nil, 3)},
		Want:   optest.Rows{{1, "k", 1}, {2, "k", 2}, {nil, "k", 7}, {3, "k", 3}},
		Plan: func(in ...physical.Node) physical.Node {
			return &physical.Project{Info: info(bigint, text, bigint), Input: in[0],
				Exprs: []expr.Expr{x, optest.Literal(text, "k"), optest.Call(t, "coalesce", x, optest.Literal(bigint, 7))}}
		},
	})
}

func TestLimit(t *testing.T) {
	check := func(offset, count int64, want ...any) {
		t.Helper()
		optest.Run(t, optest.Case{
			Inputs: []optest.Input{numbers(1, 2, 3, 4, 5)}, Want: rows(want...), Ordered: true, OneOrder: true,
			Plan: func(in ...physical.Node) physical.Node {
				return &physical.Limit{Info: info(bigint), Input: in[0], Offset: offset, Count: count}
			},
		})
	}
	check(0, 0)
	check(0, 2, 1, 2)
	check(2, 2, 3, 4)
	check(5, 1)
	check(4, math.MaxInt64, 5)
	check(4, -1, 5)
	check(0, 5, 1, 2, 3, 4, 5)
}

// TestStepsBehindALimit: rows that a limit let pass become more than a batch in the join after it, or wait there for the end.
func TestStepsBehindALimit(t *testing.T) {
	var probe, build []any
	var want optest.Rows
	for i := range 40 {
		probe, build = append(probe, 1), append(build, i)
	}
	for range 5 {
		for i := range 40 {
			want = append(want, []any{1, i})
		}
	}
	limited := func(in physical.Node) physical.Node { return &physical.Limit{Info: info(bigint), Input: in, Count: 5} }
	for _, plan := range []func(in ...physical.Node) physical.Node{
		func(in ...physical.Node) physical.Node {
			return &physical.NestedLoopJoin{Info: info(bigint, bigint), Probe: limited(in[0]), Build: in[1], ProbeCols: []int{0}, BuildCols: []int{0}}
		},
		func(in ...physical.Node) physical.Node {
			one := []expr.Expr{optest.Literal(bigint, 1)}
			return &physical.HashJoin{Info: info(bigint, bigint), Probe: limited(in[0]), Build: in[1], ProbeKeys: []expr.Expr{optest.Field(0, bigint)},
				BuildKeys: one, ProbeCols: []int{0}, BuildCols: []int{0}}
		},
	} {
		optest.Run(t, optest.Case{Inputs: []optest.Input{numbers(probe...), numbers(build...)}, Plan: plan, Want: want})
	}
}

// TestLimitOfManyDrivers: whoever comes first, the number of rows is right, and the scan ends early.
func TestLimitOfManyDrivers(t *testing.T) {
	var vals []any
	for i := range 5000 {
		vals = append(vals, i)
	}
	in := numbers(vals...)
	for offset := range 3 {
		v := optest.Variation{BatchRows: 7, Instances: 4}
		table := optest.NewTable(in.Types, in.Rows)
		table.Cut(7)
		got, err := optest.Collect(&physical.Limit{Info: info(bigint), Input: table.Scan(2), Offset: int64(offset * 13), Count: 100}, v.Runtime())
		if err != nil || len(got) != 100 {
			t.Fatalf("offset %d: %d rows, %v", offset*13, len(got), err)
		}
	}
}

func TestValuesAndUnion(t *testing.T) {
	optest.Run(t, optest.Case{
		Inputs: []optest.Input{numbers(1, 2), numbers(3)}, Want: rows(1, 2, 3, 4, nil),
		Plan: func(in ...physical.Node) physical.Node {
			v := &physical.Values{Info: info(bigint), Rows: [][]expr.Expr{{optest.Literal(bigint, 4)}, {optest.Literal(bigint, nil)}}}
			return &physical.Union{Info: info(bigint), Inputs: []physical.Node{in[0], in[1], v}}
		},
	})
	optest.Run(t, optest.Case{Plan: func(in ...physical.Node) physical.Node { return &physical.Union{Info: info(bigint)} }})
	// A row without columns still is a row: SELECT 1 FROM dual.
	optest.Run(t, optest.Case{Want: rows(1), Plan: func(in ...physical.Node) physical.Node {
		v := &physical.Values{Info: info(), Rows: [][]expr.Expr{{}}}
		return &physical.Project{Info: info(bigint), Input: v, Exprs: []expr.Expr{optest.Literal(bigint, 1)}}
	}})
}

func TestSort(t *testing.T) {
	types := []sqltype.Type{bigint, text, double}
	table := optest.Rows{
		{3, "b", 1.5}, {1, "abcdefghijklmnop", -1.0}, {nil, "", 0.0}, {3, "a\x00", nil}, {3, "a", 2.0},
		{-7, nil, math.Inf(1)}, {1, "abcdefghijklmnoq", math.NaN()}, {math.MinInt64, "z", math.Inf(-1)},
	}
	check := func(keys []expr.SortKey, limit, offset int64, want ...int) {
		t.Helper()
		c := optest.Case{
			Inputs: []optest.Input{{Types: types, Rows: table}}, Ordered: true,
			Plan: func(in ...physical.Node) physical.Node {
				s := &physical.Sort{Info: info(types...), Input: in[0], Keys: keys, Limit: limit, Offset: offset}
				return &physical.Exchange{Info: info(types...), Kind: physical.MergeGather, Input: s, Order: keys}
			},
		}
		for _, i := range want {
			c.Want = append(c.Want, table[i])
		}
		optest.Run(t, c)
	}
	key := func(i int, desc, nullsFirst bool) expr.SortKey {
		return expr.SortKey{Expr: optest.Field(i, types[i]), Desc: desc, NullsFirst: nullsFirst}
	}
	check([]expr.SortKey{key(0, false, true), key(1, false, true)}, -1, 0, 2, 7, 5, 1, 6, 4, 3, 0)
	check([]expr.SortKey{key(0, true, false), key(1, true, false)}, -1, 0, 0, 3, 4, 6, 1, 5, 7, 2)
	check([]expr.SortKey{key(2, false, false)}, -1, 0, 7, 1, 2, 0, 4, 5, 6, 3)
	check([]expr.SortKey{key(1, false, true)}, 3, 0, 5, 2, 4)
	check([]expr.SortKey{key(1, false, true)}, 3, 2, 4, 3, 1)
	check([]expr.SortKey{key(1, false, true)}, 0, 0)
	check([]expr.SortKey{key(1, false, true)}, 5, 8)
}

// TestSortLarge compares with the reference of sorting numbers, with many equal keys.
func TestSortLarge(t *testing.T) {
	for _, limit := range []int64{-1, 1, 10, 900, 5000} {
		r := rand.New(rand.NewSource(limit))
		n := 20000
		vals := make([]int64, n)
		counts := map[int64]int{}
		for i := range vals {
			vals[i] = int64(r.Intn(1 << (1 + r.Intn(40))))
			counts[vals[i]]++
		}
		var batches []*vector.Batch
		for lo := 0; lo < n; lo += 200 {
			batches = append(batches, vector.NewBatch(200, vector.FromValues(bigint, vals[lo:lo+200], nil)))
		}
		s := &physical.Sort{Info: info(bigint), Input: optest.FromBatches([]sqltype.Type{bigint}, batches...).Scan(2),
			Keys: []expr.SortKey{{Expr: optest.Field(0, bigint), Desc: true}}, Limit: limit}
		v := optest.Variation{Instances: 3}
		if limit%2 != 0 {
			v.Memory, v.Disk = 16<<10, t.TempDir() // more runs than one merge takes
		}
		rt := v.Runtime()
		res, err := executor.Run(context.Background(), optest.Whole(s), rt)
		if err != nil {
			t.Fatal(err)
		}
		last, rows := int64(math.MaxInt64), int64(0)
		for {
			b, err := res.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			for _, x := range vector.Values[int64](b.Cols[0]) {
				if x > last {
					t.Fatalf("limit %d: row %d is %d after %d", limit, rows, x, last)
				}
				last = x
				counts[x]--
				rows++
			}
		}
		res.Close()
		want := int64(n)
		if limit >= 0 {
			want = limit
		}
		if rows != want {
			t.Fatalf("limit %d: %d rows", limit, rows)
		}
		for x, c := range counts {
			if c < 0 || x > last && c != 0 {
				t.Fatalf("limit %d: %d comes %d times too often", limit, x, -c)
			}
		}
	}
}

func TestSetOps(t *testing.T) {
	types := []sqltype.Type{bigint, text}
	left := optest.Rows{{1, "a"}, {1, "a"}, {1, "a"}, {2, "b"}, {nil, "n"}, {nil, "n"}, {3, nil}, {4, "d"}}
	right := optest.Rows{{1, "a"}, {nil, "n"}, {3, nil}, {3, nil}, {9, "z"}, {1, "a"}}
	check := func(except, all bool, want optest.Rows) {
		t.Helper()
		optest.Run(t, optest.Case{
			Inputs: []optest.Input{{Types: types, Rows: left}, {Types: types, Rows: right}}, Want: want,
			Plan: func(in ...physical.Node) physical.Node {
				return &physical.SetOp{Info: info(types...), Except: except, All: all, Left: in[0], Right: in[1]}
			},
		})
	}
	check(false, false, optest.Rows{{1, "a"}, {nil, "n"}, {3, nil}})
	check(false, true, optest.Rows{{1, "a"}, {1, "a"}, {nil, "n"}, {3, nil}})
	check(true, false, optest.Rows{{2, "b"}, {4, "d"}})
	check(true, true, optest.Rows{{1, "a"}, {2, "b"}, {nil, "n"}, {4, "d"}})
}

func TestCTE(t *testing.T) {
	optest.Run(t, optest.Case{
		Inputs: []optest.Input{{Types: []sqltype.Type{bigint, text}, Rows: optest.Rows{{1, "a"}, {2, nil}}}},
		Want:   optest.Rows{{"a", 1}, {nil, 2}, {"a", 1}, {nil, 2}},
		Plan: func(in ...physical.Node) physical.Node {
			cte := &physical.CTE{ID: 1, Name: "c", Plan: in[0]}
			ref := func() physical.Node {
				return &physical.CTERef{Info: info(text, bigint), CTE: cte, Columns: []int{1, 0}}
			}
			return &physical.Union{Info: info(text, bigint), Inputs: []physical.Node{ref(), ref()}}
		},
	})
}

// TestErrorsEndTheQuery: an error of a source, after rows and with other drivers at work, is what Next gives.
func TestErrorsEndTheQuery(t *testing.T) {
	want := sqlerr.New(sqlerr.CorruptFile, "page checksum mismatch")
	for _, instances := range []int{1, 4} {
		before := runtime.NumGoroutine()
		table := optest.NewTable([]sqltype.Type{bigint}, rows(1, 2, 3, 4, 5, 6, 7, 8))
		table.Cut(1)
		table.Fail = want
		rt := optest.Variation{BatchRows: 1, Instances: instances}.Runtime()
		s := &physical.Sort{Info: info(bigint), Input: table.Scan(2), Keys: []expr.SortKey{{Expr: optest.Field(0, bigint)}}, Limit: -1}
		if _, err := optest.Collect(s, rt); !errors.Is(err, want) {
			t.Errorf("%d drivers: error %v", instances, err)
		}
		if rt.Budget.Used() != 0 {
			t.Errorf("%d drivers: %d bytes left", instances, rt.Budget.Used())
		}
		for i := 0; i < 1e6 && runtime.NumGoroutine() > before; i++ {
			runtime.Gosched()
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d drivers: %d goroutines left", instances, n-before)
		}
	}
}

// TestPanicsBecomeErrors: a bug in a kernel ends its query only.
func TestPanicsBecomeErrors(t *testing.T) {
	check := func(p any, message string) {
		t.Helper()
		fn := &function.Scalar{Name: "broken", Params: []sqltype.Type{bigint}, Result: bigint,
			New: func([]*vector.Value) (function.Kernel, error) {
				return func(*function.Context, []*vector.Vector, []int32, *vector.Vector) error { panic(p) }, nil
			}}
		x := &physical.Project{Info: info(bigint), Input: optest.NewTable([]sqltype.Type{bigint}, rows(1, 2)).Scan(2),
			Exprs: []expr.Expr{&expr.Call{Fn: fn, Args: []expr.Expr{optest.Field(0, bigint)}}}}
		_, err := optest.Collect(x, optest.Variation{Instances: 3, BatchRows: 1}.Runtime())
		var e *sqlerr.Error
		if !errors.As(err, &e) || e.Code != sqlerr.Internal || len(e.Message) < len(message) || e.Message[:len(message)] != message {
			t.Errorf("panic(%v): %v", p, err)
		}
	}
	check(invariant.Failed("rows of %d", 3), "internal error: rows of 3")
	check(errors.New("index out of range"), "internal error: index out of range")
}

// TestMemoryIsRefused: operators that hold rows fail by name where the budget does not suffice.
func TestMemoryIsRefused(t *testing.T) {
	var vals []any
	for i := range 20000 {
		vals = append(vals, i)
	}
	in := numbers(vals...)
	table := func() physical.Node {
		t := optest.NewTable(in.Types, in.Rows)
		t.Cut(1000)
		return t.Scan(2)
	}
	check := func(what string, plan physical.Node) {
		t.Helper()
		rt := optest.Variation{Instances: 2}.Runtime()
		rt.Budget = budget.New("query", 50_000, nil)
		_, err := optest.Collect(plan, rt)
		if !sqlerr.Is(err, sqlerr.OutOfMemory) {
			t.Errorf("%s: %v", what, err)
		}
		if rt.Budget.Used() != 0 {
			t.Errorf("%s: %d bytes left", what, rt.Budget.Used())
		}
	}
	keys := []expr.SortKey{{Expr: optest.Field(0, bigint)}}
	check("sort", &physical.Sort{Info: info(bigint), Input: table(), Keys: keys, Limit: -1})
	check("cte", &physical.CTERef{Info: info(bigint), CTE: &physical.CTE{Plan: table(), Name: "c"}, Columns: []int{0}})
	check("set operation", &physical.SetOp{Info: info(bigint), Left: table(), Right: table()})
	check("nested loop join", &physical.NestedLoopJoin{Info: info(bigint), Probe: table(), Build: table(), BuildCols: []int{0}})
}

// endless is a source that ends when told.
type endless struct {
	*optest.Table
	stop *atomic.Bool
}

func (e endless) Open(_ context.Context, _ storage.Split, _ *storage.ScanRequest) (storage.Reader, error) {
	return &endlessReader{stop: e.stop}, nil
}

type endlessReader struct {
	stop  *atomic.Bool
	turns int
}

func (r *endlessReader) Next(context.Context) (*vector.Batch, error) {
	if r.stop.Load() {
		return nil, nil
	}
	if r.turns++; r.turns > 1e8 {
		return nil, errors.New("the other query never got a slot")
	}
	return vector.NewBatch(1, vector.FromValues(bigint, []int64{1}, nil)), nil
}

func (r *endlessReader) Close() {}

// TestSlotsAreShared: with one slot, a query ends while another one computes on and on.
func TestSlotsAreShared(t *testing.T) {
	var stop atomic.Bool
	slots := executor.NewSlots(1)
	table := func() *optest.Table { return optest.NewTable([]sqltype.Type{bigint}, rows(1, 2, 3)) }
	long := table().Scan(2)
	long.Source = endless{table(), &stop}
	rt := optest.Variation{Instances: 1}.Runtime()
	rt.Slots = slots
	sum := &physical.Sort{Info: info(bigint), Input: long, Keys: []expr.SortKey{{Expr: optest.Field(0, bigint)}}, Limit: 1}
	a, err := executor.Run(context.Background(), optest.Whole(sum), rt)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	rt = optest.Variation{Instances: 1}.Runtime()
	rt.Slots = slots
	got, err := optest.Collect(table().Scan(2), rt)
	if err != nil || len(got) != 3 {
		t.Errorf("%d rows, %v", len(got), err)
	}
	stop.Store(true)
	if _, err := a.Next(context.Background()); err != nil {
		t.Error(err)
	}
}
