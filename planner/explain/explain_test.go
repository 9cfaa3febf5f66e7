package explain_test

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/explain"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// example is a limit over a gathered scan.
func example() *fragment.Plan {
	cols := []expr.Column{{ID: 3, Name: "t.a", T: sqltype.T(sqltype.Int), Null: true}}
	scan := &physical.Scan{Info: physical.Info{ID: 0, Cols: cols, Rows: 1000}, Table: "test.t", Alias: "t", Columns: []int{0}, Limit: -1}
	gather := &physical.Exchange{Info: physical.Info{ID: 1, Cols: cols, Rows: 1000}, Kind: physical.Gather, Input: scan}
	limit := &physical.Limit{Info: physical.Info{ID: 2, Cols: cols, Rows: 5}, Input: gather, Count: 5, Offset: 2}
	return fragment.Cut(limit, nil, 2)
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.Trim(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestText(t *testing.T) {
	check(t, explain.Text(example(), explain.Options{}), `
PLAN FRAGMENT 0
 OUTPUT EXPRS:t.a
  PARTITION: UNPARTITIONED

  RESULT SINK

  2:LIMIT
  |  offset: 2
  |  limit: 5
  |
  1:EXCHANGE

PLAN FRAGMENT 1
 OUTPUT EXPRS:
  PARTITION: RANDOM

  STREAM DATA SINK
    EXCHANGE ID: 01
    UNPARTITIONED

  0:OlapScanNode
     TABLE: test.t
     COLUMNS: t.a
     cardinality=1000
     avgRowSize=4.0
     numNodes=1
`)
}

func TestVerbose(t *testing.T) {
	got := explain.Text(example(), explain.Options{Verbose: true, Stable: true})
	for _, want := range []string{"     tuple ids: 0\n", "     cardinality=*\n",
		"TupleDescriptor{id=0, tbl=test.t}\n  SlotDescriptor{id=3, col=t.a, type=int, nullable=true, position=0}\n"} {
		if !strings.Contains(got+"\n", want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestAnalyze(t *testing.T) {
	got := explain.Analyze(example(), func(id physical.NodeID) string {
		if id == 0 {
			return "rows: 7\ntime: 3ms\n"
		}
		return ""
	})
	if want := "     cardinality=1000\n     avgRowSize=4.0\n     numNodes=1\n     rows: 7\n     time: 3ms"; !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant it to end in\n%s", got, want)
	}
}

func TestTree(t *testing.T) {
	check(t, explain.Tree(example(), explain.Options{}), `
2:LIMIT [offset: 2] limit=5
└─ 1:EXCHANGE gather
   └─ 0:OlapScanNode [TABLE: test.t; COLUMNS: t.a] rows=1000
`)
}
