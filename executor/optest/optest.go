// Package optest runs operators the ways that people forget: batches of 1, 2, 3, 7 and 1024
// rows, one driver and several, dictionary and constant columns, dead rows between the
// live ones, a reader that closes early, a context that is cancelled; and it checks that
// nothing is left behind: no goroutine, no reserved byte, no temporary file. All of it runs
// once more with so little memory that operators spill.
//
// Operators are given as physical plans over in-memory tables and run by executor.Run, so
// that what is tested is what queries do.
package optest

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Rows are literal rows: nil is NULL, int any type that vector.IntValue takes, and
// float64, string and bool.
type Rows [][]any

// Input is a table of a test.
type Input struct {
	Types []sqltype.Type
	Rows  Rows
}

// Plan makes the plan to test over scans of the inputs. It is called once a run.
type Plan func(in ...physical.Node) physical.Node

// Case is one test of an operator.
type Case struct {
	Inputs []Input
	Plan   Plan
	Want   Rows
	// Ordered: the rows must come in the order of Want.
	Ordered bool
	// OneOrder: the rows of the inputs must come in their order, hence from one driver.
	OneOrder bool
	Seed     int64
}

// Run checks c under all variations.
func Run(t *testing.T, c Case) {
	t.Helper()
	for _, batch := range []int{1, 2, 3, 7, 1024} {
		for _, instances := range []int{1, 3} {
			if c.OneOrder && instances > 1 {
				continue
			}
			for _, mixed := range []bool{false, true} {
				v := Variation{BatchRows: batch, Instances: instances, Mixed: mixed, Seed: c.Seed + int64(batch)}
				c.check(t, v)
				v.Memory, v.Disk = tinyMemory, t.TempDir()
				c.check(t, v)
			}
		}
	}
	c.stopsEarly(t)
	c.isCancelled(t)
}

// Variation is one way to run a plan.
type Variation struct {
	BatchRows, Instances int
	Mixed                bool // forms and selections vary
	Seed                 int64
	Memory               int64  // the query's limit in bytes; 0: none
	Disk                 string // the folder to spill to; "": no spilling
}

// tinyMemory makes every operator that can spill do so.
const tinyMemory = 1 << 10

func (v Variation) String() string {
	return fmt.Sprintf("batches of %d, %d drivers, mixed forms %v, seed %d, %d bytes of memory", v.BatchRows, v.Instances, v.Mixed, v.Seed, v.Memory)
}

// Runtime is a runtime for v with a budget of its own.
func (v Variation) Runtime() *executor.Runtime {
	rt := &executor.Runtime{
		Functions: &function.Context{}, Budget: budget.New("query", v.Memory, nil), Slots: executor.NewSlots(2),
		Instances: v.Instances, BatchRows: v.BatchRows, Profile: &executor.Profile{},
	}
	if v.Disk != "" {
		rt.Spill = spill.NewStore(storage.OSFS{}, v.Disk).NewArea()
	}
	return rt
}

func (c Case) check(t *testing.T, v Variation) {
	t.Helper()
	before := runtime.NumGoroutine()
	rt := v.Runtime()
	root := c.plan(v)
	got, err := Collect(root, rt)
	if v.Memory > 0 && sqlerr.Is(err, sqlerr.OutOfMemory) {
		nothingLeft(t, v, rt, before) // not every operator can spill everything
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", v, err)
	}
	var types []sqltype.Type
	for _, col := range root.Base().Cols {
		types = append(types, col.T)
	}
	want := Texts(types, c.Want)
	if !c.Ordered {
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s:\ngot  %q\nwant %q", v, got, want)
	}
	nothingLeft(t, v, rt, before)
}

func (c Case) plan(v Variation) physical.Node {
	rng := rand.New(rand.NewSource(v.Seed))
	var in []physical.Node
	for i, x := range c.Inputs {
		table := NewTable(x.Types, x.Rows)
		if v.Mixed {
			table.Vary(rng, max(1, min(v.BatchRows, 5)))
		} else {
			table.Cut(v.BatchRows)
		}
		in = append(in, table.Scan(physical.NodeID(100+i)))
	}
	return c.Plan(in...)
}

// stopsEarly closes the result after one batch.
func (c Case) stopsEarly(t *testing.T) {
	t.Helper()
	v := Variation{BatchRows: 2, Instances: 3, Seed: c.Seed}
	before := runtime.NumGoroutine()
	rt := v.Runtime()
	res, err := executor.Run(context.Background(), Whole(c.plan(v)), rt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = res.Next(context.Background())
	res.Close()
	if err != nil {
		t.Fatalf("first batch: %v", err)
	}
	res.Close() // twice is allowed
	nothingLeft(t, v, rt, before)
}

// isCancelled runs under a context that is over before or while the plan runs.
func (c Case) isCancelled(t *testing.T) {
	t.Helper()
	for _, late := range []bool{false, true} {
		v := Variation{BatchRows: 1, Instances: 3, Seed: c.Seed}
		before := runtime.NumGoroutine()
		rt := v.Runtime()
		ctx, cancel := context.WithCancel(context.Background())
		if !late {
			cancel()
		}
		res, err := executor.Run(ctx, Whole(c.plan(v)), rt)
		if err == nil {
			cancel()
			for b := (*vector.Batch)(nil); ; {
				if b, err = res.Next(context.Background()); b == nil || err != nil {
					break
				}
			}
			res.Close()
		}
		cancel()
		if !late && err == nil {
			t.Fatal("a cancelled query ended without an error")
		}
		nothingLeft(t, v, rt, before)
	}
}

// nothingLeft fails when goroutines, reserved bytes or files outlive their query.
func nothingLeft(t *testing.T, v Variation, rt *executor.Runtime, before int) {
	t.Helper()
	now := runtime.NumGoroutine()
	for i := 0; i < 1e6 && now > before; i++ { // those that ended may not have been counted out yet
		runtime.Gosched()
		now = runtime.NumGoroutine()
	}
	if now > before {
		stacks := make([]byte, 1<<16)
		t.Fatalf("%s: %d goroutines left:\n%s", v, now-before, stacks[:runtime.Stack(stacks, true)])
	}
	if used := rt.Budget.Used(); used != 0 {
		t.Fatalf("%s: %d bytes left in the budget", v, used)
	}
	if v.Disk != "" {
		if left, err := os.ReadDir(v.Disk); err != nil || len(left) > 0 {
			t.Fatalf("%s: %d files left on disk, %v", v, len(left), err)
		}
	}
}

// Whole is the plan of one fragment.
func Whole(root physical.Node) *fragment.Plan {
	return &fragment.Plan{Root: root, Fragments: []*fragment.Fragment{{Root: root, Instances: 1}}}
}

// Collect runs a plan to its end and returns its rows as text, in order.
func Collect(root physical.Node, rt *executor.Runtime) ([]string, error) {
	ctx := context.Background()
	res, err := executor.Run(ctx, Whole(root), rt)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out []string
	for {
		b, err := res.Next(ctx)
		if err != nil || b == nil {
			return out, err
		}
		if rt.BatchRows > 0 && b.NumRows() > rt.BatchRows {
			return nil, fmt.Errorf("a batch of %d rows, at most %d are allowed", b.NumRows(), rt.BatchRows)
		}
		for i := range b.NumRows() {
			out = append(out, RowText(b.Cols, b.Row(i)))
		}
	}
}

// RowText is a row as text: 1|abc|NULL.
func RowText(cols []*vector.Vector, row int) string {
	var s strings.Builder
	for i, c := range cols {
		if i > 0 {
			s.WriteByte('|')
		}
		s.Write(vector.AppendText(nil, c, row))
	}
	return s.String()
}

// Texts are rows of the given types as RowText shows them.
func Texts(types []sqltype.Type, rows Rows) []string {
	cols := columns(types, rows)
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = RowText(cols, i)
	}
	return out
}

func columns(types []sqltype.Type, rows Rows) []*vector.Vector {
	cols := make([]*vector.Vector, len(types))
	for i, typ := range types {
		cols[i] = vector.New(typ, len(rows))
		for r, row := range rows {
			cols[i].SetValue(r, Value(typ, row[i]))
		}
	}
	return cols
}

// Value is a literal of a test as a value of type t.
func Value(t sqltype.Type, x any) vector.Value {
	switch x := x.(type) {
	case nil:
		return vector.NullOf(t)
	case bool:
		return vector.BoolValue(x)
	case int:
		return vector.IntValue(t, int64(x))
	case float64:
		return vector.Value{Type: t, F: x}
	case string:
		return vector.StringValue(t, x)
	}
	panic(fmt.Sprintf("optest: a literal of %T", x))
}

// Field is column i of the input batch.
func Field(i int, t sqltype.Type) *expr.Field {
	return &expr.Field{Index: expr.FieldIndex(i), Name: fmt.Sprintf("c%d", i), T: t, Null: true}
}

// Call is a function call over arguments whose types are already those that it takes.
func Call(t testing.TB, name string, args ...expr.Expr) expr.Expr {
	t.Helper()
	var in []function.Arg
	for _, a := range args {
		arg := function.Arg{Type: a.Type()}
		if l, ok := a.(*expr.Literal); ok {
			arg.Const = &l.Value
		}
		in = append(in, arg)
	}
	fn, err := function.Resolve(name, in)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range fn.Params {
		if p != args[i].Type() {
			t.Fatalf("%s: argument %d is %s, want %s", name, i, args[i].Type(), p)
		}
	}
	return &expr.Call{Fn: fn, Args: args}
}

// Literal is a constant.
func Literal(t sqltype.Type, x any) *expr.Literal { return &expr.Literal{Value: Value(t, x)} }

// Columns names columns of the given types c0, c1, …
func Columns(types ...sqltype.Type) []expr.Column {
	out := make([]expr.Column, len(types))
	for i, t := range types {
		out[i] = expr.Column{ID: expr.ColumnID(i), Name: fmt.Sprintf("c%d", i), T: t, Null: true}
	}
	return out
}
