package executor

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// inputNode is a plan node that only says its columns.
type inputNode struct{ physical.Info }

// Children implements physical.Node.
func (n *inputNode) Children() []physical.Node { return nil }

func inputOf(types []sqltype.Type) *inputNode {
	n := &inputNode{}
	for _, t := range types {
		n.Cols = append(n.Cols, expr.Column{T: t, Null: true})
	}
	return n
}

// runJoin returns the rows of the join as sorted text.
func runJoin(t testing.TB, n *physical.HashJoin, rt *Runtime, filters *runtimeFilters, probe, build []*vector.Batch) ([]string, error) {
	t.Helper()
	j, err := newHashJoin(n, rt, filters)
	if err != nil {
		t.Fatal(err)
	}
	j.spillable = j.canSpill()
	sink := hashJoinSink{j}
	defer sink.Abort()
	if err := runSink(t, rt, sink, build); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var rows []string
	ctx := context.Background()
	err = eachDriver(rt, func(d *Driver) error {
		p, err := newHashJoinProbe(j)
		if err != nil {
			return err
		}
		for i := d.Index; i < len(probe); i += rt.Instances {
			for flow := HasMore; flow == HasMore; {
				var out *vector.Batch
				out, flow, err = p.Apply(ctx, probe[i])
				if err != nil {
					return err
				}
				if out != nil {
					mu.Lock()
					rows = appendRows(rows, out)
					mu.Unlock()
				}
				if flow == Finished {
					return nil
				}
			}
		}
		_, err = p.Flush(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	if j.wantsMatched() {
		rows = append(rows, drainSource(t, rt, hashJoinTail{j})...)
	}
	if away := (&hashJoinAway{j: j}); !away.Idle() {
		more, err := drain(rt, away)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		away.Retire()
	}
	slices.Sort(rows)
	return rows, nil
}

// rowRef is one live row.
type rowRef struct {
	b   *vector.Batch
	row int
}

func allRows(batches []*vector.Batch) []rowRef {
	var out []rowRef
	for _, b := range batches {
		for i := range b.NumRows() {
			out = append(out, rowRef{b, b.Row(i)})
		}
	}
	return out
}

// naiveJoin joins by comparing every pair. pass is the residual. It is false where a
// Single join must fail.
func naiveJoin(n *physical.HashJoin, keys []int, probe, build []*vector.Batch, pass func(p, b rowRef) bool) ([]string, bool) {
	pr, br := allRows(probe), allRows(build)
	pick := func(r rowRef, cols []int) string {
		var s strings.Builder
		for _, c := range cols {
			if r.b == nil {
				s.WriteString("NULL|")
			} else {
				s.WriteString(cell(r.b.Cols[c], r.row) + "|")
			}
		}
		return s.String()
	}
	// compare is 1 equal, 0 different, -1 unknown.
	compare := func(p, b rowRef, key int) int {
		x, y := cell(p.b.Cols[keys[key]], p.row), cell(b.b.Cols[keys[key]], b.row)
		switch {
		case n.NullSafe[key] && x == y:
			return 1
		case n.NullSafe[key]:
			return 0
		case x == "NULL" || y == "NULL":
			return -1
		case x == y:
			return 1
		}
		return 0
	}
	var rows []string
	used := make([]bool, len(br))
	none := rowRef{}
	for _, p := range pr {
		matches, unknown := 0, false
		for i, b := range br {
			all, open, corr := true, true, true
			for key := range keys {
				c := compare(p, b, key)
				all = all && c == 1
				if key < n.MarkKeys {
					open = open && c != 0
				} else {
					corr = corr && c == 1
				}
			}
			if !corr || !pass(p, b) {
				continue
			}
			if !all {
				unknown = unknown || open && n.MarkKeys > 0
				continue
			}
			matches++
			used[i] = true
			switch n.Kind {
			case physical.Inner, physical.Left, physical.Right, physical.Full, physical.Single:
				rows = append(rows, pick(p, n.ProbeCols)+pick(b, n.BuildCols))
			}
		}
		switch n.Kind {
		case physical.Single:
			if matches > 1 {
				return nil, false
			}
			fallthrough
		case physical.Left, physical.Full:
			if matches == 0 {
				rows = append(rows, pick(p, n.ProbeCols)+pick(none, n.BuildCols))
			}
		case physical.Semi:
			if matches > 0 {
				rows = append(rows, pick(p, n.ProbeCols))
			}
		case physical.Anti:
			if matches == 0 {
				rows = append(rows, pick(p, n.ProbeCols))
			}
		case physical.NullAwareAnti:
			if matches == 0 && !unknown {
				rows = append(rows, pick(p, n.ProbeCols))
			}
		case physical.Mark:
			mark := "0"
			if matches > 0 {
				mark = "1"
			} else if unknown && !n.MarkNullOK {
				mark = "NULL"
			}
			rows = append(rows, pick(p, n.ProbeCols)+mark+"|")
		}
	}
	for i, b := range br {
		switch {
		case (n.Kind == physical.Right || n.Kind == physical.Full) && !used[i]:
			rows = append(rows, pick(none, n.ProbeCols)+pick(b, n.BuildCols))
		case n.Kind == physical.RightSemi && used[i], n.Kind == physical.RightAnti && !used[i]:
			rows = append(rows, pick(b, n.BuildCols))
		}
	}
	slices.Sort(rows)
	return rows, true
}

var allJoinKinds = []physical.JoinKind{physical.Inner, physical.Left, physical.Right, physical.Full, physical.Semi, physical.Anti,
	physical.NullAwareAnti, physical.Mark, physical.Single, physical.RightSemi, physical.RightAnti}

// randomJoin makes a join of a kind over random key types; the columns of both sides are
// the keys and one BIGINT.
func randomJoin(r *rand.Rand, kind physical.JoinKind) (*physical.HashJoin, []int, []sqltype.Type) {
	keyTypes := []sqltype.Type{bigint, text, sqltype.T(sqltype.Int), sqltype.T(sqltype.Double), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.SmallInt)}
	n := &physical.HashJoin{Kind: kind}
	var types []sqltype.Type
	var keys []int
	for i := range 1 + r.Intn(3) {
		types = append(types, keyTypes[r.Intn(len(keyTypes))])
		keys = append(keys, i)
		n.ProbeKeys = append(n.ProbeKeys, field(i, types[i]))
		n.BuildKeys = append(n.BuildKeys, field(i, types[i]))
		n.NullSafe = append(n.NullSafe, r.Intn(4) == 0)
	}
	types = append(types, bigint)
	n.Probe, n.Build = inputOf(types), inputOf(types)
	n.ProbeCols = []int{len(keys), 0}
	switch kind {
	case physical.Mark, physical.NullAwareAnti:
		n.MarkKeys = 1 + r.Intn(len(keys))
		n.MarkNullOK = kind == physical.Mark && r.Intn(3) == 0
		for i := range n.MarkKeys {
			n.NullSafe[i] = false
		}
	case physical.Semi, physical.Anti:
	case physical.RightSemi, physical.RightAnti:
		n.ProbeCols, n.BuildCols = nil, []int{0, len(keys)}
	default:
		n.BuildCols = []int{0, len(keys)}
	}
	return n, keys, types
}

func TestHashJoin(t *testing.T) {
	for _, kind := range allJoinKinds {
		for seed := range seeds(60) {
			r := rand.New(rand.NewSource(seed))
			n, keys, types := randomJoin(r, kind)
			distinct := make([]int, len(types))
			for i := range distinct {
				distinct[i] = 2 + r.Intn(60)
			}
			size := 1 + r.Intn(200)
			probe := randomBatches(r, types, 1+r.Intn(400), size, distinct, r.Intn(3) > 0)
			rows := r.Intn(300)
			if r.Intn(6) == 0 {
				rows = 0
			}
			if kind == physical.Single {
				distinct[0], rows = 100_000, rows/10
			}
			if r.Intn(3) == 0 { // likely unique
				distinct[0], rows = 5000, min(rows, 20)
			}
			build := randomBatches(r, types, rows, 1+r.Intn(100), distinct, r.Intn(3) > 0)
			rt := &Runtime{Instances: 1 + r.Intn(4), BatchRows: 1 + r.Intn(300)}
			name := fmt.Sprintf("kind %d seed %d types %v null-safe %v mark keys %d", kind, seed, types, n.NullSafe, n.MarkKeys)
			want, ok := naiveJoin(n, keys, probe, build, func(p, b rowRef) bool { return true })
			got, err := runJoin(t, n, rt, nil, probe, build)
			if !ok {
				if !sqlerr.Is(err, sqlerr.SubqueryMoreThanOne) {
					t.Fatalf("%s: got error %v, want 1242", name, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sameRows(t, name, got, want)
		}
	}
}

// call resolves a function over arguments of exactly its types.
func call(t testing.TB, name string, args ...expr.Expr) expr.Expr {
	t.Helper()
	list := make([]function.Arg, len(args))
	for i, a := range args {
		list[i].Type = a.Type()
		if l, ok := a.(*expr.Literal); ok {
			list[i].Const = &l.Value
		}
	}
	fn, err := function.Resolve(name, list)
	if err != nil {
		t.Fatal(err)
	}
	return &expr.Call{Fn: fn, Args: args}
}

// The residual: probe's last column < build's last column.
func TestHashJoinResidual(t *testing.T) {
	for _, kind := range allJoinKinds {
		for seed := range seeds(40) {
			r := rand.New(rand.NewSource(seed))
			n, keys, types := randomJoin(r, kind)
			last := len(types) - 1
			n.Residual = []expr.Expr{call(t, "<", field(last, bigint), field(len(types)+last, bigint))}
			distinct := make([]int, len(types))
			for i := range distinct {
				distinct[i] = 2 + r.Intn(20)
			}
			if kind == physical.Single {
				distinct[0] = 500
			}
			probe := randomBatches(r, types, 1+r.Intn(300), 1+r.Intn(200), distinct, r.Intn(3) > 0)
			build := randomBatches(r, types, r.Intn(150), 1+r.Intn(100), distinct, r.Intn(3) > 0)
			rt := &Runtime{Instances: 1 + r.Intn(4), BatchRows: 1 + r.Intn(300), Functions: &function.Context{}}
			name := fmt.Sprintf("kind %d seed %d types %v null-safe %v mark keys %d", kind, seed, types, n.NullSafe, n.MarkKeys)
			want, ok := naiveJoin(n, keys, probe, build, func(p, b rowRef) bool {
				x, y := p.b.Cols[last], b.b.Cols[last]
				return !x.IsNull(p.row) && !y.IsNull(b.row) && x.Value(p.row).Int64() < y.Value(b.row).Int64()
			})
			got, err := runJoin(t, n, rt, nil, probe, build)
			if !ok {
				if !sqlerr.Is(err, sqlerr.SubqueryMoreThanOne) {
					t.Fatalf("%s: got error %v, want 1242", name, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sameRows(t, name, got, want)
		}
	}
}

func TestHashJoinOverBudget(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	n, _, types := randomJoin(r, physical.Inner)
	distinct := make([]int, len(types))
	for i := range distinct {
		distinct[i] = 1 << 20
	}
	batches := randomBatches(r, types, 50_000, 4096, distinct, false)
	b := budget.New("query", 1<<20, nil)
	_, err := runJoin(t, n, &Runtime{Instances: 2, Budget: b}, nil, batches, batches)
	if !sqlerr.Is(err, sqlerr.OutOfMemory) || !strings.Contains(err.Error(), "hash join build #0") {
		t.Fatalf("got %v, want an error that names the join", err)
	}
	if b.Used() != 0 {
		t.Fatalf("%d bytes are still claimed", b.Used())
	}
}

// Runtime filters let pass every row that has a match and few others.
func TestRuntimeFilters(t *testing.T) {
	for seed := range seeds(120) {
		r := rand.New(rand.NewSource(seed))
		n, keys, types := randomJoin(r, physical.Semi)
		spread := []int{20, 3000, 1 << 30}[r.Intn(3)]
		distinct := []int{spread, spread, spread, spread}[:len(types)]
		n.RuntimeFilters = []physical.RuntimeFilter{{ID: 7, Key: 0}}
		n.NullSafe = make([]bool, len(keys))
		build := randomBatches(r, types, 1+r.Intn(500), 100, distinct, true)
		probe := append(randomBatches(r, types, 2000, 400, distinct, true), build...)
		filters := newRuntimeFilters()
		if _, err := runJoin(t, n, &Runtime{Instances: 2}, filters, probe, build); err != nil {
			t.Fatal(err)
		}
		in := map[string]bool{}
		for _, b := range allRows(build) {
			in[cell(b.b.Cols[0], b.row)] = true
		}
		// Only rows without any NULL key were built.
		made := filters.forScan([]physical.RuntimeFilterRef{{ID: 7, Column: 3}, {ID: 8, Column: 1}}, nil, &NodeProfile{})
		fs, prune := made.filters, made.prune
		if len(fs) != 1 || fs[0].Columns[0] != 3 {
			t.Fatalf("filters %v", fs)
		}
		built := map[string]bool{}
		for _, b := range allRows(build) {
			null := false
			for _, k := range keys {
				null = null || b.b.Cols[k].IsNull(b.row)
			}
			if !null {
				built[cell(b.b.Cols[0], b.row)] = true
			}
		}
		f, err := fs[0].New()
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range probe {
			sel, err := f([]*vector.Vector{b.Cols[0]}, b.Len, b.Sel)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(sel) {
				t.Fatalf("seed %d: selection %v", seed, sel)
			}
			pass := map[int]bool{}
			for _, row := range sel {
				pass[int(row)] = true
			}
			for i := range b.NumRows() {
				row := b.Row(i)
				key := cell(b.Cols[0], row)
				if built[key] && !pass[row] {
					t.Fatalf("seed %d type %v: key %s was built and is filtered out", seed, types[0], key)
				}
				if key == "NULL" && pass[row] {
					t.Fatalf("seed %d: NULL passes", seed)
				}
				for _, p := range prune {
					if v := b.Cols[0].Value(row); built[key] && !p.MayMatch(func(int) storage.Range { return storage.Range{Min: &v, Max: &v, Rows: 1} }) {
						t.Fatalf("seed %d: key %s is pruned by %v", seed, key, p)
					}
				}
			}
		}
	}
}

func TestRuntimeFilterGivesUp(t *testing.T) {
	vals := make([]int64, 4096)
	for i := range vals {
		vals[i] = int64(i % 100)
	}
	x := &runtimeFilter{typ: bigint, rows: 1, bits: make([]uint64, 2)}
	x.layout, _ = hashtable.NewJoinLayout([]sqltype.Type{bigint}, []bool{false})
	x.bits[0] = ^uint64(0)
	x.bits[1] = 1<<16 - 1
	f := (&scanFilter{x: x}).newReader()
	v := vector.FromValues(bigint, vals, nil)
	first, _ := f.filter([]*vector.Vector{v}, len(vals), nil)
	if want := len(vals) * 80 / 100; len(first) > want+40 || len(first) < want-40 {
		t.Fatalf("%d of %d rows pass", len(first), len(vals))
	}
	for range filterTrial / len(vals) {
		first, _ = f.filter([]*vector.Vector{v}, len(vals), nil)
	}
	if len(first) != len(vals) {
		t.Fatalf("the filter still drops rows: %d of %d pass", len(first), len(vals))
	}
}
