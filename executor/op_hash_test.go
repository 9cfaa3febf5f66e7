package executor

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

var (
	bigint = sqltype.T(sqltype.BigInt)
	text   = sqltype.T(sqltype.String)
)

func field(i int, t sqltype.Type) expr.Expr {
	return &expr.Field{Index: expr.FieldIndex(i), T: t, Null: true}
}

// sumStates is the simplest accumulator: sums of BIGINTs, NULL for none; without an
// argument, a count.
type sumStates struct {
	sum []int64
	any []bool
}

func sumAggregate(args ...sqltype.Type) *function.Aggregate {
	return &function.Aggregate{Name: "sum", Params: args, Result: bigint, NullOnEmpty: len(args) > 0,
		NewAccumulator: func(*function.Context, []*vector.Value) (function.Accumulator, error) { return &sumStates{}, nil }}
}

func (s *sumStates) Grow(n int) {
	if d := n - len(s.sum); d > 0 {
		s.sum, s.any = append(s.sum, make([]int64, d)...), append(s.any, make([]bool, d)...)
	}
}

func (s *sumStates) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	if len(args) == 0 {
		for _, g := range groups {
			s.sum[g]++
			s.any[g] = true
		}
		return nil
	}
	v := args[0]
	if v.Form == vector.Constant || v.Valid != nil || sel != nil {
		for k, g := range groups {
			r := k
			if sel != nil {
				r = int(sel[k])
			}
			if !v.IsNull(r) {
				s.sum[g] += v.Value(r).Int64()
				s.any[g] = true
			}
		}
		return nil
	}
	vals := vector.Values[int64](v)
	for k, g := range groups {
		s.sum[g] += vals[k]
		s.any[g] = true
	}
	return nil
}

// UpdateOne takes n live rows.
func (s *sumStates) UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error {
	if sel != nil && n != len(sel) || len(args) > 0 && n > args[0].Len {
		return fmt.Errorf("%d rows of a selection of %d", n, len(sel))
	}
	groups := make([]uint32, n)
	for k := range groups {
		groups[k] = group
	}
	return s.Update(groups, args, sel)
}

func (s *sumStates) Merge(groups []uint32, other function.Accumulator, from int) error {
	o := other.(*sumStates)
	for k, g := range groups {
		s.sum[g] += o.sum[from+k]
		s.any[g] = s.any[g] || o.any[from+k]
	}
	return nil
}

// MergesCopies implements function.MergesCopies.
func (*sumStates) MergesCopies() {}

func (s *sumStates) MergeRows(groups []uint32, other function.Accumulator, rows []uint32) error {
	o := other.(*sumStates)
	for k, g := range groups {
		s.sum[g] += o.sum[rows[k]]
		s.any[g] = s.any[g] || o.any[rows[k]]
	}
	return nil
}

func (s *sumStates) Finish(lo int, out *vector.Vector) error {
	vals := vector.Values[int64](out)
	copy(vals, s.sum[lo:])
	for i := range vals {
		if !s.any[lo+i] {
			out.SetNull(i)
		}
	}
	return nil
}

func (s *sumStates) Bytes() int64 { return int64(9 * cap(s.sum)) }

// concatStates joins strings (and anything else's text) in order of arrival.
type concatStates struct{ parts [][]string }

func concatAggregate() *function.Aggregate {
	return &function.Aggregate{Name: "group_concat", Params: []sqltype.Type{bigint}, Result: text, NullOnEmpty: true,
		NewAccumulator: func(*function.Context, []*vector.Value) (function.Accumulator, error) { return &concatStates{}, nil }}
}

func (s *concatStates) Grow(n int) {
	for len(s.parts) < n {
		s.parts = append(s.parts, nil)
	}
}

func (s *concatStates) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	for k, g := range groups {
		r := k
		if sel != nil {
			r = int(sel[k])
		}
		if !args[0].IsNull(r) {
			s.parts[g] = append(s.parts[g], fmt.Sprint(args[0].Value(r).Int64()))
		}
	}
	return nil
}

func (s *concatStates) Merge(groups []uint32, other function.Accumulator, from int) error {
	for k, g := range groups {
		s.parts[g] = append(s.parts[g], other.(*concatStates).parts[from+k]...)
	}
	return nil
}

func (s *concatStates) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		if s.parts[lo+i] == nil {
			out.SetNull(i)
		} else {
			out.SetString(i, strings.Join(s.parts[lo+i], ","))
		}
	}
	return nil
}

func (s *concatStates) Bytes() int64 { return int64(64 * len(s.parts)) }

// runSink feeds batches to a sink, batch i to driver i mod instances, all concurrently.
func runSink(t testing.TB, rt *Runtime, sink Sink, batches []*vector.Batch) error {
	t.Helper()
	ctx := context.Background()
	err := eachDriver(rt, func(d *Driver) error {
		w, err := sink.Open(ctx, d)
		if err != nil {
			return err
		}
		for i := d.Index; i < len(batches); i += rt.Instances {
			if _, err := w.Consume(ctx, batches[i]); err != nil {
				return err
			}
		}
		return w.Close(ctx)
	})
	if err != nil {
		return err
	}
	return sink.Finalize(ctx)
}

func eachDriver(rt *Runtime, run func(d *Driver) error) error {
	errs := make([]error, rt.Instances)
	var wg sync.WaitGroup
	for i := range rt.Instances {
		wg.Go(func() { errs[i] = run(&Driver{Index: i, Runtime: rt}) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// drainSource reads a source with all drivers and returns its rows as text, sorted.
func drainSource(t testing.TB, rt *Runtime, source Source) []string {
	t.Helper()
	rows, err := drain(rt, source)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func drain(rt *Runtime, source Source) ([]string, error) {
	var mu sync.Mutex
	var rows []string
	ctx := context.Background()
	err := eachDriver(rt, func(d *Driver) error {
		r, err := source.Open(ctx, d)
		if err != nil {
			return err
		}
		defer r.Close()
		for {
			b, err := r.Next(ctx)
			if err != nil || b == nil {
				return err
			}
			mu.Lock()
			rows = appendRows(rows, b)
			mu.Unlock()
		}
	})
	slices.Sort(rows)
	return rows, err
}

// appendRows appends the live rows of b as text.
func appendRows(rows []string, b *vector.Batch) []string {
	for i := range b.NumRows() {
		rows = append(rows, rowText(b.Cols, b.Row(i)))
	}
	return rows
}

func rowText(cols []*vector.Vector, row int) string {
	var s strings.Builder
	for _, c := range cols {
		s.WriteString(cell(c, row))
		s.WriteString("|")
	}
	return s.String()
}

func cell(c *vector.Vector, row int) string {
	if c.IsNull(row) {
		return "NULL"
	}
	switch x := c.Value(row); c.Type.Physical() {
	case sqltype.PhysString:
		return x.S
	case sqltype.PhysFloat64, sqltype.PhysFloat32:
		return fmt.Sprint(x.F + 0)
	default:
		return fmt.Sprint(x.Int64())
	}
}

func sameRows(t testing.TB, what string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			g, w := "(nothing)", "(nothing)"
			if i < len(got) {
				g = got[i]
			}
			if i < len(want) {
				w = want[i]
			}
			t.Fatalf("%s: %d rows, want %d; sorted row %d is %s, want %s", what, len(got), len(want), i, g, w)
		}
	}
}

// randomColumn makes a column of n values, at most distinct different ones, in any form.
func randomColumn(r *rand.Rand, t sqltype.Type, n, distinct int, nulls bool) *vector.Vector {
	set := func(v *vector.Vector, i int) {
		x := r.Intn(distinct)
		switch t.Physical() {
		case sqltype.PhysString:
			s := fmt.Sprint(x)
			if x%2 == 1 {
				s = strings.Repeat("long", 1+x%7) + s
			}
			v.SetString(i, s)
		case sqltype.PhysFloat64:
			v.SetValue(i, vector.Value{Type: t, F: float64(x)})
		default:
			v.SetValue(i, vector.IntValue(t, int64(x)))
		}
	}
	var v *vector.Vector
	if r.Intn(3) == 0 {
		dict := vector.New(t, 1+r.Intn(min(distinct, 50)))
		for i := range dict.Len {
			set(dict, i)
		}
		codes := make([]int32, n)
		for i := range codes {
			codes[i] = int32(r.Intn(dict.Len))
		}
		v = vector.NewDictionary(dict, codes, nil)
	} else {
		v = vector.New(t, n)
		for i := range n {
			set(v, i)
		}
	}
	if nulls {
		v.Valid = vector.NewBitmap(n)
		for i := range n {
			if r.Intn(6) == 0 {
				v.Valid.Clear(i)
			}
		}
	}
	return v
}

func randomBatches(r *rand.Rand, types []sqltype.Type, rows, size int, distinct []int, nulls bool) []*vector.Batch {
	var out []*vector.Batch
	for rows > 0 {
		n := min(rows, 1+r.Intn(size))
		b := &vector.Batch{Len: n}
		for i, t := range types {
			b.Cols = append(b.Cols, randomColumn(r, t, n, distinct[i], nulls && r.Intn(2) == 0))
		}
		if r.Intn(3) == 0 {
			b.Sel = []int32{}
			for i := range n {
				if r.Intn(4) > 0 {
					b.Sel = append(b.Sel, int32(i))
				}
			}
		}
		out = append(out, b)
		rows -= n
	}
	return out
}

// seeds is how many random cases a test runs: n, or a few with -short, under the race
// detector.
func seeds(n int64) int64 {
	if testing.Short() {
		return n/10 + 1
	}
	return n
}
