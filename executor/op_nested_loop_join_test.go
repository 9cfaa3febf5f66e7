package executor_test

import (
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
	types := []sqltype.Type{bigint, text, bigint}
	switch j.kind {
	case physical.Semi, physical.Anti, physical.NullAwareAnti:
		n.BuildCols, types = nil, types[:2]
	case physical.Mark:
		n.BuildCols, types[2] = nil, boolean
	case physical.RightSemi, physical.RightAnti:
		n.ProbeCols, types = nil, types[2:]
	}
	if !j.cross {
		if j.kind == physical.Mark || j.kind == physical.NullAwareAnti {
			n.MarkConds = 1
		}
		n.Conds = []expr.Expr{optest.Call(t, "<", optest.Field(0, bigint), optest.Field(2, bigint))}
	}
	n.Info = info(types...)
	return n
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
