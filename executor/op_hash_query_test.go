package executor_test

import (
	"testing"

	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

func aggregateCall(t *testing.T, name string, distinct bool, args ...expr.Expr) *expr.Aggregate {
	t.Helper()
	list := make([]function.Arg, len(args))
	for i, a := range args {
		list[i].Type = a.Type()
	}
	fn, err := function.ResolveAggregate(name, list)
	if err != nil {
		t.Fatal(err)
	}
	return &expr.Aggregate{Fn: fn, Args: args, Distinct: distinct}
}

// A join with a runtime filter under a split aggregation, as lower makes them.
func TestHashQuery(t *testing.T) {
	types := []sqltype.Type{bigint, text}
	var facts optest.Rows
	for i := range 60 {
		facts = append(facts, []any{i % 20, "fact"})
	}
	facts = append(facts, []any{nil, "no key"})
	places := optest.Rows{{3, "north"}, {4, "south, a name that is longer"}, {5, "north"}, {nil, "nowhere"}, {99, "far"}}
	for _, kind := range []physical.JoinKind{physical.Inner, physical.Right} {
		want := optest.Rows{{"north", 6, 2}, {"south, a name that is longer", 3, 1}}
		if kind == physical.Right {
			want = append(want, []any{"nowhere", 0, 0}, []any{"far", 0, 0})
		}
		optest.Run(t, optest.Case{
			Inputs: []optest.Input{{Types: types, Rows: facts}, {Types: types, Rows: places}},
			Want:   want,
			Plan: func(in ...physical.Node) physical.Node {
				join := &physical.HashJoin{Info: info(bigint, text), Kind: kind, Probe: in[0], Build: in[1],
					ProbeKeys: []expr.Expr{optest.Field(0, bigint)}, BuildKeys: []expr.Expr{optest.Field(0, bigint)},
					ProbeCols: []int{0}, BuildCols: []int{1}, RuntimeFilters: []physical.RuntimeFilter{{ID: 4}}}
				in[0].(*physical.Scan).RuntimeFilters = []physical.RuntimeFilterRef{{ID: 4, Column: 0}}
				partial := &physical.Aggregate{Info: info(text, bigint, bigint), Phase: physical.Partial, Input: join,
					Groups: []expr.Expr{optest.Field(1, text)}, Aggs: []*expr.Aggregate{
						aggregateCall(t, "count", false, optest.Field(0, bigint)),
						aggregateCall(t, "count", true, optest.Field(0, bigint)),
					}}
				final := *partial
				final.Phase, final.Groups = physical.Final, []expr.Expr{optest.Field(0, text)}
				final.Input = &physical.Exchange{Info: partial.Info, Kind: physical.HashExchange, Input: partial}
				return &final
			},
		})
	}
}
