package planner_test

import (
	"flag"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/explain"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/planner/plantest"
)

var rewrite = flag.Bool("rewrite", false, "write what the planner gives into the .plan files")

// TestPlans runs the golden files: one a rule, and the full EXPLAIN of the TPC-H queries.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("../test/plan/*/*.plan")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no .plan files")
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".plan")
		t.Run(name, func(t *testing.T) {
			cases, err := plantest.ReadCases(path)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, len(cases))
			for i, c := range cases {
				got[i] = runCase(t, path, c)
				if !*rewrite && got[i] != c.Want {
					t.Errorf("%s:%d: %s\n--- got\n%s\n--- want\n%s", path, c.Number, c.SQL, got[i], c.Want)
				}
			}
			if *rewrite {
				if err := plantest.WriteCases(path, cases, got); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// runCase gives the output of a case and checks what it expects of passes.
func runCase(t *testing.T, path string, c *plantest.Case) string {
	t.Helper()
	trace := &optimize.Trace{}
	opts := planner.Options{Instances: 2, Trace: trace, Verify: true, DisabledPasses: map[string]bool{}, Functions: &function.Context{}}
	for _, p := range c.Args["off"] {
		opts.DisabledPasses[p] = true
	}
	opts.BucketShuffleRatio = 0.8
	for _, s := range c.Args["set"] {
		switch s {
		case "disable_colocate_plan":
			opts.NoColocate = true
		case "no_bucket_shuffle":
			opts.NoBucketShuffle = true
		default:
			t.Fatalf("%s:%d: no setting %s", path, c.Number, s)
		}
	}
	if only := c.Args["only"]; only != nil {
		for _, p := range optimize.Passes() {
			opts.DisabledPasses[p] = !slices.Contains(only, p)
		}
	}
	out, err := output(c, opts)
	if err != nil {
		t.Errorf("%s:%d: %s", path, c.Number, err)
		return "error: " + err.Error()
	}
	for _, p := range c.Args["expect"] {
		if !trace.Changed(p) {
			t.Errorf("%s:%d: %s changed nothing", path, c.Number, p)
		}
	}
	for _, p := range c.Args["expect-not"] {
		if trace.Changed(p) {
			t.Errorf("%s:%d: %s changed the plan", path, c.Number, p)
		}
	}
	return strings.TrimRight(out, "\n")
}

func output(c *plantest.Case, opts planner.Options) (string, error) {
	b, err := bound(c.SQL)
	if err != nil {
		return "", err
	}
	switch c.Command {
	case "plan":
		n, err := planner.Optimize(b, opts)
		if err != nil {
			return "", err
		}
		return logical.Format(n), nil
	case "tree":
		p, err := planner.Plan(b, opts)
		if err != nil {
			return "", err
		}
		return explain.Tree(p, explain.Options{}), nil
	}
	p, err := planner.Plan(b, opts)
	if err != nil {
		return "", err
	}
	return explain.Text(p, explain.Options{}), nil
}

// bound parses and binds one query against the tables of plantest.
func bound(sql string) (*bind.Bound, error) {
	stmts, err := parser.Parse(sql, parser.Options{})
	if err != nil {
		return nil, err
	}
	q := stmts[0].Statement.(ast.Query)
	return bind.Query(q, &bind.Env{Snapshot: plantest.Snapshot(), Database: plantest.Database, Functions: &function.Context{}})
}
