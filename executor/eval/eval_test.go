package eval

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

var (
	bigint  = sqltype.T(sqltype.BigInt)
	text    = sqltype.T(sqltype.String)
	boolean = sqltype.T(sqltype.Boolean)
)

// columnTypes are those of the test's batches, two columns each.
var columnTypes = []sqltype.Type{bigint, bigint, text, text, boolean, boolean}

func column(i int) expr.Expr {
	return &expr.Field{Index: expr.FieldIndex(i), T: columnTypes[i], Null: true}
}

// generator makes random expressions, some parts of them again and again.
type generator struct {
	t    *testing.T
	r    *rand.Rand
	made map[sqltype.Type][]expr.Expr
}

func (g *generator) call(want sqltype.Type, name string, args ...expr.Expr) expr.Expr {
	var in []function.Arg
	for _, a := range args {
		x := function.Arg{Type: a.Type()}
		if l, ok := a.(*expr.Literal); ok {
			x.Const = &l.Value
		}
		in = append(in, x)
	}
	fn, err := function.Resolve(name, in)
	if err != nil {
		g.t.Fatal(err)
	}
	args = slices.Clone(args)
	for i, p := range fn.Params {
		args[i] = g.cast(args[i], p)
	}
	return g.cast(&expr.Call{Fn: fn, Args: args}, want)
}

func (g *generator) cast(e expr.Expr, to sqltype.Type) expr.Expr {
	if e.Type() == to {
		return e
	}
	fn, err := function.Cast(e.Type(), to)
	if err != nil {
		g.t.Fatal(err)
	}
	if fn == nil {
		g.t.Fatalf("no cast from %s to %s", e.Type(), to)
	}
	return &expr.Call{Fn: fn, Args: []expr.Expr{e}}
}

func (g *generator) expr(t sqltype.Type, depth int) expr.Expr {
	if old := g.made[t]; len(old) > 0 && g.r.Intn(4) == 0 {
		return old[g.r.Intn(len(old))]
	}
	e := g.fresh(t, depth)
	g.made[t] = append(g.made[t], e)
	return e
}

func (g *generator) fresh(t sqltype.Type, depth int) expr.Expr {
	if depth == 0 || g.r.Intn(8) == 0 {
		return g.leaf(t)
	}
	sub := func(t sqltype.Type) expr.Expr { return g.expr(t, depth-1) }
	switch g.r.Intn(3) {
	case 0:
		args := []expr.Expr{sub(boolean), sub(t), sub(boolean), sub(t), sub(t)}
		return g.call(t, "case", args[g.r.Intn(2)*2:]...)
	case 1:
		return g.call(t, "coalesce", sub(t), sub(t), sub(t))
	}
	switch t {
	case bigint:
		switch g.r.Intn(4) {
		case 0:
			return g.call(t, "%", sub(bigint), sub(bigint))
		case 1:
			return g.call(t, "nullif", sub(bigint), sub(bigint))
		case 2:
			return g.call(t, "length", sub(text))
		}
		return g.call(t, "-", g.call(bigint, "%", sub(bigint), g.literal(bigint, 7)), g.literal(bigint, int64(g.r.Intn(5))))
	case text:
		switch g.r.Intn(3) {
		case 0:
			return g.call(t, "concat", g.call(text, "left", sub(text), g.literal(bigint, 9)), sub(text))
		case 1:
			return g.call(t, "upper", sub(text))
		}
		return g.call(t, "substr", sub(text), g.literal(bigint, 1), sub(bigint))
	}
	switch g.r.Intn(7) {
	case 0:
		return g.call(t, "and", sub(boolean), sub(boolean), sub(boolean))
	case 1:
		return g.call(t, "or", sub(boolean), sub(boolean), sub(boolean))
	case 2:
		return g.call(t, "not", sub(boolean))
	case 3:
		return g.call(t, "is_null", sub(bigint))
	case 4:
		return g.call(t, "<", sub(text), sub(text))
	case 5:
		return g.call(t, "like", sub(text), g.literal(text, 0))
	}
	return g.call(t, "=", sub(bigint), g.literal(bigint, int64(g.r.Intn(4))))
}

func (g *generator) literal(t sqltype.Type, x int64) expr.Expr {
	if t == text {
		return &expr.Literal{Value: vector.StringValue(t, "%long%")}
	}
	return &expr.Literal{Value: vector.IntValue(t, x)}
}

func (g *generator) leaf(t sqltype.Type) expr.Expr {
	switch g.r.Intn(6) {
	case 0:
		return &expr.Literal{Value: vector.NullOf(t)}
	case 1:
		return &expr.Literal{Value: randomValue(g.r, t)}
	}
	i := slices.Index(columnTypes, t)
	return column(i + g.r.Intn(2))
}

func randomValue(r *rand.Rand, t sqltype.Type) vector.Value {
	switch t {
	case text:
		return vector.StringValue(t, []string{"", "a", "B", "a long text, not inline", "a longer one, not inline either"}[r.Intn(5)])
	case boolean:
		return vector.BoolValue(r.Intn(2) == 0)
	}
	return vector.IntValue(t, int64(r.Intn(6)-1))
}

// randomColumn is a column of n rows in some form.
func randomColumn(r *rand.Rand, t sqltype.Type, n int) *vector.Vector {
	var v *vector.Vector
	switch r.Intn(4) {
	case 0:
		x := randomValue(r, t)
		if r.Intn(3) == 0 {
			x = vector.NullOf(t)
		}
		return vector.NewConstant(x, n)
	case 1:
		dict := vector.New(t, 1+r.Intn(6))
		for i := range dict.Len {
			dict.SetValue(i, randomValue(r, t))
		}
		codes := make([]int32, n)
		for i := range codes {
			codes[i] = int32(r.Intn(dict.Len))
		}
		v = vector.NewDictionary(dict, codes, nil)
	default:
		v = vector.New(t, n)
		for i := range n {
			v.SetValue(i, randomValue(r, t))
		}
	}
	if r.Intn(2) == 0 {
		v.Valid = vector.NewBitmap(n)
		for i := range n {
			if r.Intn(4) == 0 {
				v.Valid.Clear(i)
			}
		}
	}
	return v
}

// TestFormsAgree computes random expressions over batches of random forms and selections,
// and row by row over flat columns of one row, which leaves nothing to get wrong but the kernels.
func TestFormsAgree(t *testing.T) {
	for seed := range int64(400) {
		r := rand.New(rand.NewSource(seed))
		g := &generator{t: t, r: r, made: map[sqltype.Type][]expr.Expr{}}
		var es []expr.Expr
		for range 1 + r.Intn(4) {
			es = append(es, g.expr([]sqltype.Type{bigint, text, boolean}[r.Intn(3)], 1+r.Intn(4)))
		}
		set, err := CompileAll(es, &function.Context{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		conds := []expr.Expr{g.expr(boolean, 3), g.expr(boolean, 2)}
		pred, err := CompilePredicate(conds, &function.Context{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 4 {
			n := 1 + r.Intn(40)
			cols := make([]*vector.Vector, len(columnTypes))
			for i, typ := range columnTypes {
				cols[i] = randomColumn(r, typ, n)
			}
			var sel []int32
			if r.Intn(2) == 0 {
				sel = []int32{}
				for i := range n {
					if r.Intn(3) > 0 {
						sel = append(sel, int32(i))
					}
				}
			}
			checkBatch(t, seed, es, set, cols, n, sel)
			checkPredicate(t, seed, conds, pred, cols, n, sel)
		}
	}
}

// rowValue is e computed over row i alone.
func rowValue(t *testing.T, e expr.Expr, cols []*vector.Vector, i int) vector.Value {
	one := make([]*vector.Vector, len(cols))
	for k, c := range cols {
		one[k] = vector.CopyOf(c, []int32{int32(i)})
	}
	ev, err := Compile(e, &function.Context{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := ev.Eval(one, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.Value(0)
}

func show(v vector.Value) string {
	if v.Null {
		return "NULL"
	}
	return fmt.Sprintf("%v %q", v.I, v.S)
}

func live(n int, sel []int32) []int32 {
	return allRows(sel, n, new([]int32))
}

func checkBatch(t *testing.T, seed int64, es []expr.Expr, set *Set, cols []*vector.Vector, n int, sel []int32) {
	t.Helper()
	vals, err := set.Eval(cols, n, sel)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for k, v := range vals {
		if v.Len != n {
			t.Fatalf("seed %d: %s has %d rows, want %d", seed, expr.String(es[k]), v.Len, n)
		}
		for _, i := range live(n, sel) {
			if got, want := show(v.Value(int(i))), show(rowValue(t, es[k], cols, int(i))); got != want {
				t.Fatalf("seed %d: row %d of %s: %s, want %s", seed, i, expr.String(es[k]), got, want)
			}
		}
	}
}

func checkPredicate(t *testing.T, seed int64, conds []expr.Expr, pred *Predicate, cols []*vector.Vector, n int, sel []int32) {
	t.Helper()
	got, err := pred.Select(cols, n, sel)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	var want []int32
	for _, i := range live(n, sel) {
		if rowValue(t, conds[0], cols, int(i)).IsTrue() && rowValue(t, conds[1], cols, int(i)).IsTrue() {
			want = append(want, i)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("seed %d: %s AND %s select %v, want %v", seed, expr.String(conds[0]), expr.String(conds[1]), got, want)
	}
}

// failing is a function that fails for 0 and counts the values it is asked for.
func failing(asked *int) *function.Scalar {
	return &function.Scalar{Name: "failing", Params: []sqltype.Type{bigint}, Result: boolean, Fails: true,
		New: func([]*vector.Value) (function.Kernel, error) {
			return func(_ *function.Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				for _, i := range live(out.Len, sel) {
					*asked++
					if out.Valid.Get(int(i)) && args[0].Value(int(i)).Int64() == 0 {
						return sqlerr.New(sqlerr.OutOfRange, "zero")
					}
					vector.Values[bool](out)[i] = true
				}
				return nil
			}, nil
		}}
}

// TestNobodyAsksForMore: operands that can fail run on the rows that need them only, not on
// others, not on dictionary entries, not when they are folded.
func TestNobodyAsksForMore(t *testing.T) {
	g := &generator{t: t}
	asked := 0
	x := column(0)
	f := &expr.Call{Fn: failing(&asked), Args: []expr.Expr{x}}
	notZero := g.call(boolean, "not", g.call(boolean, "=", x, g.literal(bigint, 0)))
	zero := g.call(boolean, "=", x, g.literal(bigint, 0))
	dict := vector.NewDictionary(vector.FromValues(bigint, []int64{0, 5, 0}, nil), []int32{1, 0, 1, 1}, nil)
	flat := vector.FromValues(bigint, []int64{5, 0, 5, 5}, nil)
	never := &expr.Literal{Value: vector.BoolValue(false)}
	broken := &expr.Call{Fn: f.Fn, Args: []expr.Expr{g.literal(bigint, 0)}}
	for _, col := range []*vector.Vector{dict, flat} {
		for _, e := range []expr.Expr{
			g.call(boolean, "and", notZero, f), g.call(boolean, "or", zero, f),
			g.call(boolean, "case", notZero, f, zero), g.call(boolean, "if", zero, zero, f),
			g.call(boolean, "coalesce", g.call(boolean, "case", zero, zero, &expr.Literal{Value: vector.NullOf(boolean)}), f),
			g.call(boolean, "case", never, broken, zero),
		} {
			ev, err := Compile(e, &function.Context{})
			if err != nil {
				t.Fatal(err)
			}
			asked = 0
			if _, err := ev.Eval([]*vector.Vector{col}, 4, nil); err != nil || asked > 3 {
				t.Errorf("%s: %d values asked for, %v", expr.String(e), asked, err)
			}
			p, err := CompilePredicate([]expr.Expr{e}, &function.Context{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Select([]*vector.Vector{col}, 4, nil); err != nil {
				t.Errorf("WHERE %s: %v", expr.String(e), err)
			}
		}
		ev, _ := Compile(f, &function.Context{})
		if _, err := ev.Eval([]*vector.Vector{col}, 4, nil); !sqlerr.Is(err, sqlerr.OutOfRange) {
			t.Errorf("the error got lost: %v", err)
		}
	}
}

// TestDictionaryOnce: a call over a dictionary column runs once an entry, and results of
// batches with one dictionary share theirs.
func TestDictionaryOnce(t *testing.T) {
	calls := 0
	fn := &function.Scalar{Name: "counted", Params: []sqltype.Type{bigint}, Result: bigint,
		New: func([]*vector.Value) (function.Kernel, error) {
			return func(_ *function.Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
				for _, i := range live(out.Len, sel) {
					calls++
					vector.Values[int64](out)[i] = args[0].Value(int(i)).Int64() * 10
				}
				return nil
			}, nil
		}}
	ev, err := Compile(&expr.Call{Fn: fn, Args: []expr.Expr{column(0)}}, &function.Context{})
	if err != nil {
		t.Fatal(err)
	}
	dict := vector.FromValues(bigint, []int64{7, 8, 9}, nil)
	var first *vector.Vector
	for batch := range 5 {
		codes := []int32{0, 2, int32(batch % 3), 1}
		v, err := ev.Eval([]*vector.Vector{vector.NewDictionary(dict, codes, nil)}, 4, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v.Form != vector.Dictionary || v.Value(1).Int64() != 90 {
			t.Fatalf("batch %d: %v", batch, v)
		}
		if first == nil {
			first = v.Dict
		}
		if v.Dict != first {
			t.Errorf("batch %d has a dictionary of its own", batch)
		}
	}
	if calls != 3 {
		t.Errorf("%d calls for 3 entries", calls)
	}
	// A dictionary much larger than the batch is not computed for a few rows.
	calls = 0
	large := vector.New(bigint, 1000)
	if _, err := ev.Eval([]*vector.Vector{vector.NewDictionary(large, []int32{5, 6}, nil)}, 2, nil); err != nil || calls != 2 {
		t.Errorf("%d calls for 2 rows, %v", calls, err)
	}
}
