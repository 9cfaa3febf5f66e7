package planner_test

import (
	"testing"

	"github.com/basaltdb/basalt/bench/tpcds"
	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/planner/plantest"
)

// products are the queries that ask for one: inventory with every warehouse, sales with returns of all channels.
var products = map[string]bool{"q22": true, "q77": true}

// TestTPCDSShapes checks what must hold of every TPC-DS plan: no pairs of rows that the query did not ask for, and with
// statistics no build side ten times its probe side.
func TestTPCDSShapes(t *testing.T) {
	for _, bare := range []bool{false, true} {
		snap, err := plantest.Parse(tpcds.Schema, bare)
		if err != nil {
			t.Fatal(err)
		}
		planned := 0
		for _, q := range tpcds.Queries() {
			b, err := boundOver(snap, q.SQL)
			if err != nil {
				t.Errorf("%s: %v", q.Name, err)
				continue
			}
			p, err := planner.Plan(b, planner.Options{Instances: 2, Verify: true, Functions: &function.Context{}})
			if err != nil {
				t.Errorf("%s: %v", q.Name, err)
				continue
			}
			planned++
			eachNode(p, func(n physical.Node) {
				switch n := n.(type) {
				case *physical.NestedLoopJoin:
					rows := min(n.Probe.Base().Rows, n.Build.Base().Rows)
					if rows > 1 && n.Kind != physical.Single && !products[q.Name] {
						t.Errorf("%s, bare=%t: node %d pairs %.0f rows with %.0f", q.Name, bare, n.ID, n.Probe.Base().Rows, n.Build.Base().Rows)
					}
				case *physical.HashJoin:
					if probe, build := n.Probe.Base().Rows, n.Build.Base().Rows; build > 10*probe && !bare {
						t.Errorf("%s: node %d hashes %.0f rows for %.0f", q.Name, n.ID, build, probe)
					}
				}
			})
		}
		if planned != 103 {
			t.Errorf("%d queries planned", planned)
		}
	}
}

func boundOver(snap catalog.Snapshot, sql string) (*bind.Bound, error) {
	stmts, err := parser.Parse(sql, parser.Options{})
	if err != nil {
		return nil, err
	}
	return bind.Query(stmts[0].Statement.(ast.Query), &bind.Env{Snapshot: snap, Database: plantest.Database, Functions: &function.Context{}})
}
