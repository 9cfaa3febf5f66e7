package executor_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// windowTypes: the partition key, the sort key, the value, and a number that is unique.
var windowTypes = []sqltype.Type{sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt)}

// windowCase is one call to test. at gives the call's value for row i of a sorted partition, whose frame is [from, to).
type windowCase struct {
	name    string
	args    []expr.Expr
	frame   expr.Frame
	ignore  bool
	ordered bool // by the sort key; else by the unique number behind it, too
	at      func(part [][]any, i, from, to int) any
}

func (c windowCase) call(t *testing.T) *expr.Window {
	t.Helper()
	fn, err := function.ResolveWindow(c.name, expr.ArgsOf(c.args))
	if err != nil {
		t.Fatal(err)
	}
	args, err := expr.CastArgs(fn.Params, c.args)
	if err != nil {
		t.Fatal(err)
	}
	w := &expr.Window{Fn: fn, Args: args, Frame: c.frame, IgnoreNulls: c.ignore, Peers: 2}
	if c.ordered {
		w.Peers = 1
	}
	return w
}

// plan is the window over a sort of its input; keys partitions by the first column.
func (c windowCase) plan(t *testing.T, keys int) optest.Plan {
	return func(in ...physical.Node) physical.Node {
		field := func(i int) expr.Expr { return optest.Field(i, windowTypes[i]) }
		order := []expr.SortKey{{Expr: field(1), NullsFirst: true}, {Expr: field(3)}}
		s := &physical.Sort{Info: physical.Info{ID: 1, Cols: in[0].Base().Cols}, Input: in[0], Limit: -1, Within: true, Partition: keys}
		w := &physical.Window{Order: order, Funcs: []*expr.Window{c.call(t)}}
		if keys > 0 {
			w.Partition = []expr.Expr{field(0)}
			s.Keys = []expr.SortKey{{Expr: field(0), NullsFirst: true}}
		}
		s.Keys = append(s.Keys, order...)
		w.Info = physical.Info{ID: 2, Cols: append(slices.Clone(s.Cols), expr.Column{ID: 99, Name: "w", T: w.Funcs[0].Type(), Null: true})}
		w.Input = s
		return w
	}
}

func less(a, b any) bool {
	x, y := -1<<40, -1<<40
	if a != nil {
		x = a.(int)
	}
	if b != nil {
		y = b.(int)
	}
	return x < y
}

// rows computes the call as its definition says.
func (c windowCase) rows(in optest.Rows, keys int) optest.Rows {
	parts := map[any][][]any{}
	for _, r := range in {
		k := any("all")
		if keys > 0 {
			k = r[0]
		}
		parts[k] = append(parts[k], r)
	}
	var out optest.Rows
	for _, p := range parts {
		slices.SortFunc(p, func(a, b []any) int {
			for _, k := range []int{1, 3} {
				if less(a[k], b[k]) {
					return -1
				}
				if less(b[k], a[k]) {
					return 1
				}
			}
			return 0
		})
		for i := range p {
			from, to := c.frameOf(p, i)
			out = append(out, append(slices.Clone(p[i]), c.at(p, i, from, to)))
		}
	}
	return out
}

func (c windowCase) frameOf(p [][]any, i int) (from, to int) {
	in := func(j int) bool {
		return c.after(&c.frame.Start, p, i, j) && c.before(&c.frame.End, p, i, j)
	}
	if c.frame.Rows { // of many rows
		lo, hi := 0, len(p)
		if c.frame.Start.Kind != expr.UnboundedPreceding {
			lo = min(max(0, i+shift(&c.frame.Start)), len(p))
		}
		if c.frame.End.Kind != expr.UnboundedFollowing {
			hi = min(max(0, i+shift(&c.frame.End)+1), len(p))
		}
		return min(lo, hi), hi
	}
	from = len(p)
	for j := range p {
		if in(j) {
			from, to = min(from, j), j+1
		}
	}
	return min(from, to), to
}

// after: row j is not before the start of the frame of row i.
func (c windowCase) after(b *expr.Bound, p [][]any, i, j int) bool {
	if b.Kind == expr.UnboundedPreceding {
		return true
	}
	return !less(p[j][1], p[i][1]) // CURRENT ROW
}

func (c windowCase) before(b *expr.Bound, p [][]any, i, j int) bool {
	if b.Kind == expr.UnboundedFollowing {
		return true
	}
	return !less(p[i][1], p[j][1])
}

func shift(b *expr.Bound) int {
	switch b.Kind {
	case expr.Preceding:
		return -int(b.Rows)
	case expr.Following:
		return int(b.Rows)
	}
	return 0
}

func sumOf(part [][]any, _, from, to int) any {
	sum, found := 0, false
	for _, r := range part[from:to] {
		if r[2] != nil {
			sum, found = sum+r[2].(int), true
		}
	}
	if !found {
		return nil
	}
	return sum
}

func maxOf(part [][]any, _, from, to int) any {
	var out any
	for _, r := range part[from:to] {
		if r[2] != nil && (out == nil || r[2].(int) > out.(int)) {
			out = r[2]
		}
	}
	return out
}

func countOf(part [][]any, _, from, to int) any { return to - from }

func textOf(part [][]any, _, from, to int) any {
	out, sep := "", ""
	for _, r := range part[from:to] {
		if r[2] != nil {
			out, sep = out+sep+fmt.Sprint(r[2]), ", "
		}
	}
	if sep == "" {
		return nil
	}
	return out
}

func rowsFrame(start expr.BoundKind, a int64, end expr.BoundKind, b int64) expr.Frame {
	return expr.Frame{Rows: true, Start: expr.Bound{Kind: start, Rows: a}, End: expr.Bound{Kind: end, Rows: b}}
}

func windowCases() []windowCase {
	value := optest.Field(2, windowTypes[2])
	number := func(n int) expr.Expr { return optest.Literal(sqltype.T(sqltype.BigInt), n) }
	whole := expr.WholeFrame()
	running := expr.Frame{End: expr.Bound{Kind: expr.CurrentRow}}
	at := func(part [][]any, i int) any {
		if i < 0 || i >= len(part) {
			return nil
		}
		return part[i][2]
	}
	cases := []windowCase{
		{name: "row_number", frame: whole, at: func(_ [][]any, i, _, _ int) any { return i + 1 }},
		{name: "rank", frame: whole, ordered: true, at: func(p [][]any, i, _, _ int) any {
			for i > 0 && p[i-1][1] == p[i][1] {
				i--
			}
			return i + 1
		}},
		{name: "dense_rank", frame: whole, ordered: true, at: func(p [][]any, i, _, _ int) any {
			n := 1
			for ; i > 0; i-- {
				if p[i-1][1] != p[i][1] {
					n++
				}
			}
			return n
		}},
		{name: "cume_dist", frame: whole, ordered: true, at: func(p [][]any, i, _, _ int) any {
			for i+1 < len(p) && p[i+1][1] == p[i][1] {
				i++
			}
			return float64(i+1) / float64(len(p))
		}},
		{name: "ntile", args: []expr.Expr{number(3)}, frame: whole, at: func(p [][]any, i, _, _ int) any {
			for bucket, left := 1, len(p); ; bucket++ {
				size := (left + 3 - bucket) / (4 - bucket)
				if i < size {
					return bucket
				}
				i, left = i-size, left-size
			}
		}},
		{name: "lag", args: []expr.Expr{value, number(2)}, frame: whole, at: func(p [][]any, i, _, _ int) any { return at(p, i-2) }},
		{name: "lead", args: []expr.Expr{value}, frame: whole, at: func(p [][]any, i, _, _ int) any { return at(p, i+1) }},
		{name: "lag", args: []expr.Expr{value}, ignore: true, frame: whole, at: func(p [][]any, i, _, _ int) any {
			for i--; i >= 0 && p[i][2] == nil; i-- {
			}
			return at(p, i)
		}},
		{name: "first_value", args: []expr.Expr{value}, frame: running, at: func(p [][]any, _, from, _ int) any { return at(p, from) }},
		{name: "last_value", args: []expr.Expr{value}, frame: running, ordered: true, at: func(p [][]any, _, _, to int) any { return at(p, to-1) }},
		{name: "nth_value", args: []expr.Expr{value, number(2)}, frame: rowsFrame(expr.Preceding, 1, expr.Following, 1), at: func(p [][]any, _, from, to int) any {
			if from+1 < to {
				return at(p, from+1)
			}
			return nil
		}},
	}
	frames := []expr.Frame{
		whole, running, rowsFrame(expr.UnboundedPreceding, 0, expr.CurrentRow, 0), rowsFrame(expr.Preceding, 2, expr.CurrentRow, 0),
		rowsFrame(expr.Preceding, 1, expr.Following, 2), rowsFrame(expr.Preceding, 3, expr.Preceding, 2),
		rowsFrame(expr.CurrentRow, 0, expr.UnboundedFollowing, 0), rowsFrame(expr.UnboundedPreceding, 0, expr.Following, 1),
	}
	for _, f := range frames {
		cases = append(cases,
			windowCase{name: "sum", args: []expr.Expr{value}, frame: f, ordered: true, at: sumOf},
			windowCase{name: "max", args: []expr.Expr{value}, frame: f, ordered: true, at: maxOf},
			windowCase{name: "count", frame: f, ordered: true, at: countOf})
		if !f.IsWhole() {
			text := optest.Field(2, windowTypes[2])
			cases = append(cases, windowCase{name: "group_concat", args: []expr.Expr{text}, frame: f, ordered: true, at: textOf})
		}
	}
	return cases
}

// Every call under every variation of the harness, with partitions and without, against its definition.
func TestWindow(t *testing.T) {
	rng := rand.New(rand.NewSource(7))
	var rows optest.Rows
	for i := range 40 {
		row := []any{rng.Intn(5), rng.Intn(4), rng.Intn(20), i}
		for k := range 3 {
			if rng.Intn(6) == 0 {
				row[k] = nil
			}
		}
		rows = append(rows, row)
	}
	cases := windowCases()
	if testing.Short() {
		cases = cases[:12]
	}
	for i, c := range cases {
		for keys := range 2 {
			t.Run(fmt.Sprintf("%s %s %d", c.name, c.frame.String(), keys), func(t *testing.T) {
				optest.Run(t, optest.Case{
					Inputs: []optest.Input{{Types: windowTypes, Rows: rows}}, Plan: c.plan(t, keys), Want: c.rows(rows, keys), Seed: int64(i),
				})
			})
		}
	}
	optest.Run(t, optest.Case{Inputs: []optest.Input{{Types: windowTypes}}, Plan: cases[0].plan(t, 1), Want: nil})
}

// Many rows: radix partitions, batches larger than a vector's, streams over one large partition.
func TestWindowOfManyRows(t *testing.T) {
	rng := rand.New(rand.NewSource(8))
	for _, partitions := range []int{1, 7, 3000} {
		var rows optest.Rows
		for i := range 36_000 {
			rows = append(rows, []any{rng.Intn(partitions), rng.Intn(1000), rng.Intn(20), i})
		}
		for _, c := range windowCases() {
			if c.name != "row_number" && c.name != "lag" && (c.name != "sum" || !c.frame.Rows || c.frame.Start.Kind != expr.Preceding) {
				continue
			}
			want := optest.Texts(append(slices.Clone(windowTypes), c.call(t).Type()), c.rows(rows, 1))
			slices.Sort(want)
			for _, memory := range []int64{0, 200 << 10} {
				v := optest.Variation{BatchRows: 1024, Instances: 3, Seed: 1}
				if memory > 0 {
					v.Memory, v.Disk = memory, t.TempDir()
				}
				table := optest.NewTable(windowTypes, rows)
				table.Cut(1024)
				got, err := optest.Collect(c.plan(t, 1)(table.Scan(100)), v.Runtime())
				if err != nil {
					if c.ignore && memory > 0 {
						continue // holds whole partitions
					}
					t.Fatalf("%s, %d partitions, %s: %v", c.name, partitions, v, err)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("%s, %d partitions, %s: rows differ", c.name, partitions, v)
				}
			}
		}
	}
}

// OVER () by all drivers, and the calls without an order that need one driver.
func TestWindowOverAll(t *testing.T) {
	var rows, sums, numbers optest.Rows
	for i := range 100 {
		rows = append(rows, []any{i % 3, i, i, i})
		sums = append(sums, []any{i % 3, i, i, i, 4950, 100})
		numbers = append(numbers, []any{i + 1})
	}
	value := optest.Field(2, windowTypes[2])
	over := func(total bool, cases ...windowCase) optest.Plan {
		return func(in ...physical.Node) physical.Node {
			w := &physical.Window{Info: physical.Info{ID: 2, Cols: slices.Clone(in[0].Base().Cols)}, Input: in[0], Total: total}
			for i, c := range cases {
				f := c.call(t)
				f.Peers = 0
				w.Funcs = append(w.Funcs, f)
				w.Cols = append(w.Cols, expr.Column{ID: expr.ColumnID(90 + i), T: f.Type()})
			}
			if total {
				return w
			}
			last := w.Cols[len(w.Cols)-1]
			return &physical.Project{Info: physical.Info{ID: 3, Cols: []expr.Column{last}}, Input: w,
				Exprs: []expr.Expr{optest.Field(len(w.Cols)-1, last.T)}}
		}
	}
	in := []optest.Input{{Types: windowTypes, Rows: rows}}
	whole := expr.WholeFrame()
	optest.Run(t, optest.Case{Inputs: in, Want: sums, Plan: over(true,
		windowCase{name: "sum", args: []expr.Expr{value}, frame: whole}, windowCase{name: "count", frame: whole})})
	optest.Run(t, optest.Case{Inputs: in, Want: numbers, Plan: over(false, windowCase{name: "row_number", frame: whole})})
}
