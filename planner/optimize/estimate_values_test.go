package optimize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

var text = sqltype.T(sqltype.String)

// skewed makes a scan of 10,000 rows as ANALYZE would describe it: k has 1,000 values, of which 1 is half of the rows and
// 2 a tenth; s has texts of which "spam" is a fifth; n is a number with most values below 100, but a maximum of 1,000,000.
func skewed(first expr.ColumnID) *logical.Scan {
	num := func(v int64) vector.Value { return vector.IntValue(integer, v) }
	str := func(v string) vector.Value { return vector.StringValue(text, v) }
	k := storage.ColumnStats{Distinct: 1000, Origin: storage.OriginAnalyzed, Common: []storage.CommonValue{{Value: num(1), Fraction: 0.5}, {Value: num(2), Fraction: 0.1}}}
	s := storage.ColumnStats{Distinct: 5000, Origin: storage.OriginSample, Common: []storage.CommonValue{{Value: str("spam"), Fraction: 0.2}}}
	n := storage.ColumnStats{Distinct: 2000, Origin: storage.OriginAnalyzed}
	for i := range 101 {
		k.Histogram = append(k.Histogram, num(int64(3+i*10)))
		s.Histogram = append(s.Histogram, str(fmt.Sprintf("text %03d", i)))
		n.Histogram = append(n.Histogram, num(int64(i)))
	}
	n.Histogram[100] = num(1_000_000)
	lo, hi := num(0), num(1_000_000)
	n.Min, n.Max = &lo, &hi
	scan := &logical.Scan{Limit: -1, Table: "skewed", Source: fixed{stats: storage.Stats{Rows: 10_000, Columns: []storage.ColumnStats{k, s, n}}}}
	for i, c := range []string{"k", "s", "n"} {
		t := integer
		if c == "s" {
			t = text
		}
		scan.Cols = append(scan.Cols, expr.Column{ID: first + expr.ColumnID(i), Name: c, T: t})
		scan.Ordinal = append(scan.Ordinal, i)
	}
	return scan
}

func TestEstimatesOfSkewedColumns(t *testing.T) {
	scan := skewed(1)
	col := func(i int) expr.Expr { return expr.Ref(scan.Cols[i]) }
	num := func(v int64) expr.Expr { return expr.Lit(vector.IntValue(integer, v)) }
	str := func(v string) expr.Expr { return expr.Lit(vector.StringValue(text, v)) }
	call := expr.MustCall
	length := call("length", col(1))
	for _, c := range []struct {
		cond expr.Expr
		want float64
		by   string
	}{
		{call("=", col(0), num(1)), 5000, "frequent values, analyzed"},
		{call("=", col(0), num(77)), 4, "frequent values, analyzed"},
		{call("=", col(0), num(5000)), 0.5, "frequent values, analyzed"},
		{call("<>", col(0), num(1)), 5000, "frequent values, analyzed"},
		{call("in", col(0), num(1), num(2), num(3)), 6004, "frequent values, analyzed"},
		{call("<=", col(0), num(1)), 5000, "histogram, analyzed"},
		{call("<", col(0), num(1)), 0.5, "histogram, analyzed"},
		{call(">", col(0), num(2)), 4000, "histogram, analyzed"},
		{call("=", col(1), str("spam")), 2000, "frequent values, sample"},
		{call("<", col(2), num(50)), 5000, "histogram, analyzed"},
		{call(">", col(2), num(98)), 200, "histogram, analyzed"},
		{call("<", col(1), str("text 025")), 2000 + 0.25*8000, "histogram, sample"},
		{call("like", col(1), str("sp%")), 2000, "tried on known values, sample"},
		{call("like", col(1), str("text 0%")), 8000, "tried on known values, sample"},
		{call("=", length, expr.Lit(vector.IntValue(length.Type(), 4))), 2000, "tried on known values, sample"},
	} {
		n := &logical.Filter{Input: scan, Conds: []expr.Expr{c.cond}}
		e := NewEstimates()
		if got := e.Rows(n); got < 0.9*c.want-1 || got > 1.1*c.want+101 {
			t.Errorf("%s: %.1f rows, want about %.1f", expr.String(c.cond), got, c.want)
		}
		if got := e.Explain(n); !strings.Contains(got, "("+c.by+")") {
			t.Errorf("%s: explained by %q, want %q", expr.String(c.cond), got, c.by)
		}
	}
}

// TestSkewedJoin: two columns whose frequent value is the same meet far more often than even ones.
func TestSkewedJoin(t *testing.T) {
	a, b := skewed(1), skewed(11)
	on := expr.Eq(expr.Ref(a.Cols[0]), expr.Ref(b.Cols[0]))
	n := &logical.Join{Kind: logical.Inner, LeftInput: a, RightInput: b, On: []expr.Expr{on}}
	if got := NewEstimates().Rows(n); got < 25e6 || got > 27e6 {
		t.Errorf("%.0f rows, want about %.0f", got, 1e8*(0.25+0.01))
	}
	if got := NewEstimates().Explain(n); !strings.Contains(got, "frequent values of both (analyzed, analyzed)") {
		t.Error(got)
	}
}

// TestBackOff: conditions on one table count less and less, those on several tables in full.
func TestBackOff(t *testing.T) {
	a, b := table(1, 1_000_000, 100, 100, 100), table(11, 1000, 100)
	equal := func(s *logical.Scan, i int) expr.Expr {
		return expr.MustCall("=", expr.Ref(s.Cols[i]), expr.Lit(vector.IntValue(integer, 7)))
	}
	n := &logical.Filter{Input: a, Conds: []expr.Expr{equal(a, 0), equal(a, 1), equal(a, 2)}}
	if got := NewEstimates().Rows(n); got < 5 || got > 100 {
		t.Errorf("three conditions on one table: %.1f rows", got)
	}
	cross := &logical.Filter{Input: &logical.Join{Kind: logical.Inner, LeftInput: a, RightInput: b}, Conds: []expr.Expr{equal(a, 0), equal(b, 0)}}
	if got := NewEstimates().Rows(cross); got < 99_000 || got > 101_000 {
		t.Errorf("conditions on two tables: %.1f rows", got)
	}
}

func TestExplainedScan(t *testing.T) {
	s := table(1, 1_000_000, 100, 1000)
	s.Filter = []expr.Expr{expr.MustCall("<", expr.Ref(s.Cols[1]), expr.Lit(vector.IntValue(integer, 500)))}
	if got, want := NewEstimates().Explain(s), "table 1000000 rows; b < 500: 0.499 (range, footer)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	s.Source = nil
	if got := NewEstimates().Explain(s); !strings.HasPrefix(got, "table 100000 rows (guess); b < 500: 0.333 (guess)") {
		t.Errorf("%q", got)
	}
}
