package executor_test

import (
	"testing"

	"github.com/basaltdb/basalt/executor/optest"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
)

// split is an Unnest over the parts of column 1, which passes column 0.
func split(t *testing.T, in physical.Node, name string, pass, ordinal []int, args ...expr.Expr) *physical.Unnest {
	t.Helper()
	fn, err := function.ResolveTable(name, expr.ArgsOf(args))
	if err != nil {
		t.Fatal(err)
	}
	n := &physical.Unnest{Input: in, Fn: fn, Args: args, Outer: fn.Outer, PassCols: pass, Ordinal: ordinal}
	types := make([]sqltype.Type, 0, len(pass)+len(ordinal))
	for _, p := range pass {
		types = append(types, in.Base().Cols[p].T)
	}
	for _, o := range ordinal {
		types = append(types, fn.Result[o])
	}
	n.Info = info(types...)
	return n
}

func TestUnnest(t *testing.T) {
	in := optest.Input{Types: []sqltype.Type{bigint, text}, Rows: optest.Rows{{1, "a,b,c"}, {2, nil}, {3, ""}, {4, "a part that does not fit into a view,d"}, {nil, "e,,f"}}}
	parts := optest.Call(t, "split_by_string", optest.Field(1, text), optest.Literal(text, ","))
	long := "a part that does not fit into a view"
	for _, c := range []struct {
		name          string
		pass, ordinal []int
		args          []expr.Expr
		want          optest.Rows
	}{
		{"explode", []int{0}, []int{0}, []expr.Expr{parts}, optest.Rows{{1, "a"}, {1, "b"}, {1, "c"}, {4, long}, {4, "d"}, {nil, "e"}, {nil, ""}, {nil, "f"}}},
		{"explode_outer", []int{0}, []int{0}, []expr.Expr{parts},
			optest.Rows{{1, "a"}, {1, "b"}, {1, "c"}, {2, nil}, {3, nil}, {4, long}, {4, "d"}, {nil, "e"}, {nil, ""}, {nil, "f"}}},
		{"posexplode_outer", []int{}, []int{1, 0}, []expr.Expr{parts},
			optest.Rows{{"a", 0}, {"b", 1}, {"c", 2}, {nil, nil}, {nil, nil}, {long, 0}, {"d", 1}, {"e", 0}, {"", 1}, {"f", 2}}},
		{"posexplode", []int{0}, []int{}, []expr.Expr{parts}, optest.Rows{{1}, {1}, {1}, {4}, {4}, {nil}, {nil}, {nil}}},
		{"explode_numbers_outer", []int{0}, []int{0}, []expr.Expr{optest.Field(0, bigint)},
			optest.Rows{{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}, {4, 0}, {4, 1}, {4, 2}, {4, 3}, {nil, nil}}},
	} {
		optest.Run(t, optest.Case{
			Inputs: []optest.Input{in}, Want: c.want,
			Plan: func(n ...physical.Node) physical.Node {
				return split(t, n[0], c.name, c.pass, c.ordinal, c.args...)
			},
		})
	}
}

// A row that gives more than a batch is cut, and batches are never larger.
func TestUnnestCutsRows(t *testing.T) {
	var want optest.Rows
	for _, n := range []int{5000, 0, 3, 4093} {
		for i := range n {
			want = append(want, []any{n, i})
		}
	}
	optest.Run(t, optest.Case{
		Inputs: []optest.Input{numbers(5000, 0, 3, 4093)}, Want: want, Ordered: true, OneOrder: true,
		Plan: func(n ...physical.Node) physical.Node {
			return split(t, n[0], "explode_numbers", []int{0}, []int{0}, optest.Field(0, bigint))
		},
	})
}

func TestUnnestFails(t *testing.T) {
	rt := optest.Variation{BatchRows: 7, Instances: 1}.Runtime()
	table := optest.NewTable([]sqltype.Type{bigint}, rows(1, 1<<40))
	_, err := optest.Collect(split(t, table.Scan(0), "explode_numbers", []int{0}, []int{0}, optest.Field(0, bigint)), rt)
	if err == nil {
		t.Error("2^40 numbers must be refused")
	}
}
