package executor_test

import (
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// TestNestedLoopJoin compares every kind with pairs taken one by one, with a small build side
// and a large one.
func TestNestedLoopJoin(t *testing.T) {
	types := []sqltype.Type{bigint, text}
	few := optest.Rows{{2, "x"}, {nil, "y"}, {5, "a string longer than a view"}}
	var many optest.Rows
	for i := range 9 {
		many = append(many, []any{i, "m"})
	}
	many = append(many, []any{nil, nil})
	kinds := []physical.JoinKind{physical.Inner, physical.Left, physical.Right, physical.Full, physical.Semi, physical.Anti,
		physical.NullAwareAnti, physical.Mark, physical.RightSemi, physical.RightAnti}
	for _, kind := range kinds {
		for _, c := range []struct{ probe, build optest.Rows }{{few, many}, {many, few}, {few, nil}, {nil, few}, {many, many}} {
			for _, cross := range []bool{false, true} {
				join := nestedLoops{kind: kind, cross: cross}
				optest.Run(t, optest.Case{
					Inputs: []optest.Input{{Types: types, Rows: c.probe}, {Types: types, Rows: c.build}},
					Want:   join.want(c.probe, c.build),
					Plan:   func(in ...physical.Node) physical.Node { return join.plan(t, in[0], in[1]) },
				})
			}
		}
	}
}

type nestedLoops struct {
	kind  physical.JoinKind
	cross bool
}

// plan joins on probe.c0 < build.c0 and yields both columns of the probe and c0 of the build.
func (j nestedLoops) plan(t *testing.T, probe, build physical.Node) physical.Node {
	n := &physical.NestedLoopJoin{Kind: j.kind, Probe: probe, Build: build, ProbeCols: []int{0, 1}, BuildCols: []int{0}}
	switch j.kind {
	case physical.Semi, physical.Anti, physical.NullAwareAnti, physical.Mark:
		n.BuildCols = nil
	case physical.RightSemi, physical.RightAnti:
		n.ProbeCols = nil
	}
	if !j.cross {
		if j.kind == physical.Mark || j.kind == physical.NullAwareAnti {
			n.MarkConds = 1
		}
		n.Conds = []expr.Expr{optest.Call(t, "<", optest.Field(0, bigint), optest.Field(2, bigint))}
	}
	n.Info = info(j.types()...)
	return n
}

// types are those of the output.
func (j nestedLoops) types() []sqltype.Type {
	switch j.kind {
	case physical.Semi, physical.Anti, physical.NullAwareAnti:
		return []sqltype.Type{bigint, text}
	case physical.Mark:
		return []sqltype.Type{bigint, text, boolean}
	case physical.RightSemi, physical.RightAnti:
		return []sqltype.Type{bigint}
	}
	return []sqltype.Type{bigint, text, bigint}
}

// compare is the condition of a pair: 1 true, 0 unknown, -1 false.
func (j nestedLoops) compare(p, b []any) int {
	switch {
	case j.cross:
		return 1
	case p[0] == nil || b[0] == nil:
		return 0
	case p[0].(int) < b[0].(int):
		return 1
	}
	return -1
}

func (j nestedLoops) want(probe, build optest.Rows) optest.Rows {
	var out optest.Rows
	matched := make([]bool, len(build))
	for _, p := range probe {
		match, unknown := false, false
		for i, b := range build {
			switch j.compare(p, b) {
			case 0:
				unknown = true
			case 1:
				match, matched[i] = true, true
				switch j.kind {
				case physical.Inner, physical.Left, physical.Right, physical.Full:
					out = append(out, []any{p[0], p[1], b[0]})
				}
			}
		}
		switch j.kind {
		case physical.Left, physical.Full:
			if !match {
				out = append(out, []any{p[0], p[1], nil})
			}
		case physical.Semi:
			if match {
				out = append(out, p)
			}
		case physical.Anti:
			if !match {
				out = append(out, p)
			}
		case physical.NullAwareAnti:
			if !match && !unknown {
				out = append(out, p)
			}
		case physical.Mark:
			mark := any(match)
			if !match && unknown {
				mark = nil
			}
			out = append(out, []any{p[0], p[1], mark})
		}
	}
	for i, b := range build {
		switch {
		case (j.kind == physical.Right || j.kind == physical.Full) && !matched[i]:
			out = append(out, []any{nil, nil, b[0]})
		case j.kind == physical.RightSemi && matched[i], j.kind == physical.RightAnti && !matched[i]:
			out = append(out, []any{b[0]})
		}
	}
	return out
}

// TestNestedLoopJoinSpills: a build side that does not fit comes back from disk, block by block, and
// every pair is met once.
func TestNestedLoopJoinSpills(t *testing.T) {
	types := []sqltype.Type{bigint, text}
	rows := func(r *rand.Rand, n int) optest.Rows {
		var out optest.Rows
		for i := range n {
			switch row := []any{r.Intn(1000), fmt.Sprint(strings.Repeat("x", r.Intn(40)), i)}; r.Intn(20) {
			case 0:
				out = append(out, []any{nil, row[1]})
			default:
				out = append(out, row)
			}
		}
		return out
	}
	kinds := []physical.JoinKind{physical.Inner, physical.Left, physical.Right, physical.Full, physical.Semi, physical.Anti,
		physical.NullAwareAnti, physical.Mark, physical.RightSemi, physical.RightAnti}
	for i, kind := range kinds {
		r := rand.New(rand.NewSource(int64(i)))
		probe, build := rows(r, 60), rows(r, 1500)
		for k := range build { // most of the probe rows have few matches, some have none
			if v, ok := build[k][0].(int); ok {
				build[k][0] = v / 3
			}
		}
		if kind == physical.Anti || kind == physical.NullAwareAnti {
			build = build[:1400] // and no NULL, which would leave nothing
			for k := range build {
				if build[k][0] == nil {
					build[k][0] = 0
				}
			}
		}
		join := nestedLoops{kind: kind}
		want := optest.Texts(join.types(), join.want(probe, build))
		for _, v := range []optest.Variation{
			{Instances: 1, BatchRows: 1024, Memory: 24 << 10}, {Instances: 3, BatchRows: 7, Memory: 40 << 10}} {
			v.Disk = t.TempDir()
			p, b := optest.NewTable(types, probe), optest.NewTable(types, build)
			p.Cut(5)
			b.Cut(50)
			rt := v.Runtime()
			got, err := optest.Collect(join.plan(t, p.Scan(2), b.Scan(3)), rt)
			if err != nil {
				t.Fatalf("kind %d, %s: %v", kind, v, err)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("kind %d, %s: %d rows, want %d", kind, v, len(got), len(want))
			}
			if rt.Profile.Node(1).SpilledBytes.Load() == 0 {
				t.Errorf("kind %d, %s: nothing was spilled", kind, v)
			}
			if used := rt.Budget.Used(); used != 0 {
				t.Errorf("kind %d, %s: %d bytes left", kind, v, used)
			}
			if left, err := os.ReadDir(v.Disk); err != nil || len(left) > 0 {
				t.Errorf("kind %d, %s: files left: %v, %v", kind, v, left, err)
			}
		}
	}
}

// TestSingleJoin: a scalar subquery gives one row at most.
func TestSingleJoin(t *testing.T) {
	plan := func(in ...physical.Node) physical.Node {
		return nestedLoops{kind: physical.Single}.plan(t, in[0], in[1])
	}
	types := []sqltype.Type{bigint, text}
	probe := optest.Rows{{1, "a"}, {7, "b"}, {nil, "c"}}
	optest.Run(t, optest.Case{
		Inputs: []optest.Input{{Types: types, Rows: probe}, {Types: types, Rows: optest.Rows{{3, ""}, {0, ""}}}},
		Plan:   plan, Want: optest.Rows{{1, "a", 3}, {7, "b", nil}, {nil, "c", nil}},
	})
	for _, build := range []optest.Rows{{{3, ""}, {4, ""}}, {{3, ""}, {4, ""}, {0, ""}, {0, ""}, {0, ""}}} {
		p, b := optest.NewTable(types, probe), optest.NewTable(types, build)
		_, err := optest.Collect(plan(p.Scan(2), b.Scan(3)), optest.Variation{Instances: 2, BatchRows: 3}.Runtime())
		if !sqlerr.Is(err, sqlerr.SubqueryMoreThanOne) {
			t.Errorf("%d build rows: %v", len(build), err)
		}
	}
}
