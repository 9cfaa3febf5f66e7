package optimize

import (
	"math"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// fixed is a source with given statistics.
type fixed struct {
	storage.Source
	stats storage.Stats
}

func (f fixed) Stats() *storage.Stats { return &f.stats }

var integer = sqltype.T(sqltype.Int)

// table makes a scan of integer columns with ids from first and ranges [1, max[i]].
func table(first expr.ColumnID, rows int64, max ...int64) *logical.Scan {
	s := &logical.Scan{Limit: -1}
	stats := storage.Stats{Rows: rows}
	for i, m := range max {
		s.Cols = append(s.Cols, expr.Column{ID: first + expr.ColumnID(i), Name: string(rune('a' + i)), T: integer})
		s.Ordinal = append(s.Ordinal, i)
		lo, hi := vector.IntValue(integer, 1), vector.IntValue(integer, m)
		stats.Columns = append(stats.Columns, storage.ColumnStats{Min: &lo, Max: &hi, Distinct: -1})
	}
	s.Source = fixed{stats: stats}
	return s
}

func TestEstimates(t *testing.T) {
	fact := table(1, 1_000_000, 1_000, 10_000, 50) // refers to dim.a and other.a
	dim := table(11, 1_000, 1_000, 20)
	pairs := table(21, 100_000, 1_000, 10_000)
	col := func(s *logical.Scan, i int) expr.Expr { return expr.Ref(s.Cols[i]) }
	num := func(v int64) expr.Expr { return expr.Lit(vector.IntValue(integer, v)) }
	filter := func(s *logical.Scan, conds ...expr.Expr) *logical.Scan {
		m := *s
		m.Filter = conds
		return &m
	}
	join := func(kind logical.JoinKind, l, r logical.Node, on ...expr.Expr) logical.Node {
		return &logical.Join{Kind: kind, LeftInput: l, RightInput: r, On: on}
	}
	check := func(what string, n logical.Node, want float64) {
		t.Helper()
		if got := NewEstimates().Rows(n); math.Abs(got-want) > 0.05*want+0.5 {
			t.Errorf("%s: %.1f rows, want about %.1f", what, got, want)
		}
	}
	cmp := expr.MustCall
	check("table", fact, 1_000_000)
	check("equality", filter(fact, cmp("=", col(fact, 0), num(7))), 1_000)
	check("an interval is one share", filter(fact, cmp(">=", col(fact, 1), num(1000)), cmp("<", col(fact, 1), num(2000))), 100_000)
	check("in", filter(fact, cmp("in", col(fact, 2), num(1), num(2), num(3))), 60_000)
	check("outside of the range", filter(fact, cmp("=", col(fact, 2), num(99))), 0)
	check("foreign key", join(logical.Inner, fact, dim, expr.Eq(col(fact, 0), col(dim, 0))), 1_000_000)
	check("foreign key, filtered", join(logical.Inner, fact, filter(dim, cmp("=", col(dim, 1), num(1))), expr.Eq(col(fact, 0), col(dim, 0))), 50_000)
	check("compound key", join(logical.Inner, fact, pairs, expr.Eq(col(fact, 0), col(pairs, 0)), expr.Eq(col(fact, 1), col(pairs, 1))), 1_000_000)
	short := table(31, 1_000_000, 100) // refers to the first tenth of dim.a
	check("foreign key over a part of the keys", join(logical.Inner, short, dim, expr.Eq(col(short, 0), col(dim, 0))), 1_000_000)
	check("the same, filtered", join(logical.Inner, short, filter(dim, cmp("=", col(dim, 1), num(1))), expr.Eq(col(short, 0), col(dim, 0))), 500_000)
	check("semi", join(logical.Semi, fact, filter(dim, cmp("=", col(dim, 1), num(1))), expr.Eq(col(fact, 0), col(dim, 0))), 50_000)
	check("anti", join(logical.Anti, fact, filter(dim, cmp("=", col(dim, 1), num(1))), expr.Eq(col(fact, 0), col(dim, 0))), 950_000)
	check("left", join(logical.Left, dim, filter(fact, cmp("=", col(fact, 2), num(1))), expr.Eq(col(fact, 0), col(dim, 0))), 20_000)
	check("cross", join(logical.Inner, dim, dim), 1_000_000)
	check("limit", &logical.Limit{Input: fact, Count: 10, Offset: 5}, 10)
	groups := func(n logical.Node, g ...expr.Expr) logical.Node {
		a := &logical.Aggregate{Input: n, Groups: g}
		for i, e := range g {
			a.Cols = append(a.Cols, expr.Column{ID: expr.ColumnID(100 + i), T: e.Type()})
		}
		return a
	}
	check("groups", groups(fact, col(fact, 0), col(fact, 2)), 50_000)
	check("no more groups than rows", groups(fact, col(fact, 0), col(fact, 1)), 1_000_000)
	check("one group", groups(fact), 1)
}
