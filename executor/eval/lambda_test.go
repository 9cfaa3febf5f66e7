package eval

import (
	"fmt"
	"math/rand"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// higherCall is name(lambda, a) whose lambda has the given body over x, its only parameter, and the captured column 1.
func higherCall(t *testing.T, name string, body func(x, captured expr.Expr) expr.Expr) expr.Expr {
	t.Helper()
	list := sqltype.ArrayOf(bigint)
	h, err := function.ResolveHigher(name, []function.Arg{{Type: list}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	l := &expr.Lambda{Params: []string{"x"}, Captured: []expr.Expr{&expr.Field{Index: 1, T: bigint, Null: true}},
		Body: body(&expr.Field{Index: 0, T: bigint, Null: true}, &expr.Field{Index: 1, T: bigint, Null: true})}
	fn, err := h.Of(l.Type())
	if err != nil {
		t.Fatal(err)
	}
	return &expr.Call{Fn: fn, Args: []expr.Expr{l, &expr.Field{Index: 0, T: list, Null: true}}}
}

// TestLambda compares lambdas over columns in every form with loops, for arrays of more elements than a batch has, too.
func TestLambda(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	mapped := higherCall(t, "array_map", func(x, c expr.Expr) expr.Expr { return expr.MustCall("+", x, c) })
	filtered := higherCall(t, "array_filter", func(x, c expr.Expr) expr.Expr { return expr.MustCall(">", x, c) })
	set, err := CompileAll([]expr.Expr{mapped, filtered}, &function.Context{})
	if err != nil {
		t.Fatal(err)
	}
	for turn := range 40 {
		n := 1 + r.Intn(200)
		arrays, values := vector.New(sqltype.ArrayOf(bigint), n), vector.New(bigint, n)
		for i := range n {
			size := r.Intn(6)
			if turn%10 == 0 && i%50 == 0 {
				size = vector.BatchRows*2 - r.Intn(3)
			}
			items := vector.New(bigint, size)
			for k := range size {
				if items.SetValue(k, vector.IntValue(bigint, int64(r.Intn(9)))); r.Intn(5) == 0 {
					items.SetNull(k)
				}
			}
			if arrays.SetBytes(i, vector.AppendElements(nil, items, 0, size)); r.Intn(6) == 0 {
				arrays.SetNull(i)
			}
			if values.SetValue(i, vector.IntValue(bigint, int64(r.Intn(9)))); r.Intn(6) == 0 {
				values.SetNull(i)
			}
		}
		cols := []*vector.Vector{anyForm(r, arrays, n), anyForm(r, values, n)}
		var sel []int32
		if r.Intn(2) == 0 {
			for i := range n {
				if r.Intn(3) == 0 {
					sel = append(sel, int32(i))
				}
			}
			if sel == nil {
				sel = []int32{0}
			}
		}
		out, err := set.Eval(cols, n, sel)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if sel != nil && !contains(sel, i) {
				continue
			}
			for k, v := range out {
				if got, want := textAt(v, i), wanted(cols[0], cols[1], i, k == 1); got != want {
					t.Fatalf("turn %d, row %d of expression %d: %s, want %s", turn, i, k, got, want)
				}
			}
		}
	}
}

// anyForm is v as it is, as a constant of its first row, or as a dictionary.
func anyForm(r *rand.Rand, v *vector.Vector, n int) *vector.Vector {
	switch r.Intn(3) {
	case 0:
		return vector.NewConstant(v.Value(0), n)
	case 1:
		codes := make([]int32, n)
		valid := vector.NewBitmap(n)
		for i := range codes {
			if codes[i] = int32(r.Intn(n)); !v.IsNull(int(codes[i])) {
				valid.Set(i)
			} else {
				valid.Clear(i)
			}
		}
		return vector.NewDictionary(v, codes, valid)
	}
	return v
}

func contains(sel []int32, i int) bool {
	for _, s := range sel {
		if int(s) == i {
			return true
		}
	}
	return false
}

func textAt(v *vector.Vector, i int) string {
	if v.IsNull(i) {
		return "NULL"
	}
	return string(vector.AppendText(nil, v, i))
}

// wanted is x -> x + c over the array, or the elements with x > c.
func wanted(arrays, values *vector.Vector, i int, filter bool) string {
	if arrays.IsNull(i) {
		return "NULL"
	}
	e := vector.DecodeElements(bigint, arrays.Bytes(i))
	items := vector.New(bigint, e.N)
	text := ""
	for k := range e.N {
		e.StoreTo(k, items, k)
		null := e.Null(k) || values.IsNull(i)
		item := "null"
		switch {
		case filter && (null || items.Value(k).Int64() <= values.Value(i).Int64()):
			continue
		case filter:
			item = fmt.Sprint(items.Value(k).Int64())
		case !null:
			item = fmt.Sprint(items.Value(k).Int64() + values.Value(i).Int64())
		}
		if text != "" {
			text += ", "
		}
		text += item
	}
	return "[" + text + "]"
}
