package basalt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/explain"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/optimize"
)

const explainTitle = "Explain String"

// explain prints a statement's plan: by default the fragments in Doris's layout, else the
// stage that its words name.
func (x *execution) explain(ctx context.Context, st *ast.Explain) (*Rows, error) {
	if st.Mode == "ANALYZE" {
		return x.explainAnalyze(ctx, st)
	}
	if st.Process && (st.Mode == "REWRITTEN" || st.Mode == "OPTIMIZED" || st.Mode == "ALL") {
		return x.explainProcess(st)
	}
	if st.Mode == "ALL" {
		return x.explainAll(st)
	}
	text, err := x.explained(st.Mode, st)
	if err != nil {
		return nil, err
	}
	if st.Mode == "JSON" { // one cell, as in MySQL
		r := newResult(explainColumns(st))
		r.Add(str(text))
		return r.rows(x.s), nil
	}
	return x.explainRows(text), nil
}

// explained is the text of one stage. Each stage binds anew: a bound plan can be planned only once.
func (x *execution) explained(mode string, st *ast.Explain) (string, error) {
	if mode == "PARSED" {
		return ast.Format(st.Statement), nil
	}
	bound, err := x.bindExplained(st.Statement)
	if err != nil {
		return "", err
	}
	switch mode {
	case "ANALYZED", "LOGICAL":
		return logical.Format(bound.Plan), nil
	case "REWRITTEN":
		root, err := planner.Optimize(bound, x.plannerOptions())
		if err != nil {
			return "", err
		}
		return logical.Format(root), nil
	}
	x.verbose = mode == "VERBOSE"
	plan, err := x.plan(bound)
	if err != nil {
		return "", err
	}
	hints := bound.HintLog()
	if hints != "" {
		hints = "\n\n" + hints
	}
	switch mode {
	case "", "PHYSICAL":
		return explain.Text(plan, explain.Options{}) + hints, nil
	case "VERBOSE":
		return explain.Text(plan, explain.Options{Verbose: true}) + hints, nil
	case "TREE", "OPTIMIZED":
		return explain.Tree(plan, explain.Options{}) + hints, nil
	case "JSON":
		return planJSON(plan), nil
	case "SHAPE":
		return explain.Shape(plan) + hints, nil
	case "GRAPH":
		return explain.Graph(plan), nil
	case "DISTRIBUTED":
		return explain.Text(plan, explain.Options{}) + instancesOf(plan), nil
	}
	return "", sqlerr.Unsupported("EXPLAIN " + mode + " PLAN").At(st.Position())
}

// planJSON is a plan's nodes, inputs first, as the operators of a query profile without what was measured.
func planJSON(plan *fragment.Plan) string {
	data, err := json.MarshalIndent(struct {
		Operators []OperatorProfile `json:"operators"`
	}{operatorsOf(plan, nil)}, "", "  ")
	if err != nil {
		return "{}" // plain data: cannot happen
	}
	return string(data)
}

// instancesOf lists how many copies of each fragment run.
func instancesOf(plan *fragment.Plan) string {
	var b strings.Builder
	b.WriteString("\n\nINSTANCES")
	for _, f := range plan.Fragments {
		fmt.Fprintf(&b, "\n  fragment %d: %d", f.ID, f.Instances)
	}
	return b.String()
}

// explainAll prints every stage with the time that it took, as Doris's EXPLAIN ALL PLAN does.
func (x *execution) explainAll(st *ast.Explain) (*Rows, error) {
	var out []string
	for _, stage := range []string{"PARSED", "ANALYZED", "REWRITTEN", "OPTIMIZED", "DISTRIBUTED"} {
		start := time.Now()
		text, err := x.explained(stage, st)
		if err != nil {
			return nil, err
		}
		took := time.Since(start).Round(time.Microsecond)
		out = append(out, fmt.Sprintf("========== %s PLAN (time: %s) ==========\n%s\n", stage, took, text))
	}
	return x.explainRows(strings.Join(out, "\n")), nil
}

// explainProcess lists the passes that changed the plan, with the plan before and after.
func (x *execution) explainProcess(st *ast.Explain) (*Rows, error) {
	bound, err := x.bindExplained(st.Statement)
	if err != nil {
		return nil, err
	}
	opts := x.plannerOptions()
	opts.Trace = &optimize.Trace{Keep: true}
	if _, err := planner.Optimize(bound, opts); err != nil {
		return nil, err
	}
	r := newResult(textCols("Rule", "Before", "After"))
	for _, s := range opts.Trace.Steps {
		if s.Changed {
			r.Add(str(s.Pass), str(s.Before), str(s.After))
		}
	}
	return r.rows(x.s), nil
}

// explainColumns are the result columns of EXPLAIN.
func explainColumns(st *ast.Explain) []Column {
	if st.Process && (st.Mode == "REWRITTEN" || st.Mode == "OPTIMIZED" || st.Mode == "ALL") {
		return textCols("Rule", "Before", "After")
	}
	return []Column{{Name: explainTitle, Type: sqltype.VarcharOf(0)}}
}

// explainAnalyze runs the statement, drops its rows and prints the plan with what each
// operator did. A write writes.
func (x *execution) explainAnalyze(ctx context.Context, st *ast.Explain) (*Rows, error) {
	bound, err := x.bindAnalyzed(st)
	if err != nil {
		return nil, err
	}
	plan, err := x.plan(bound)
	if err != nil {
		return nil, err
	}
	run, err := x.start(ctx, plan, explainRun, x.runtime(nil))
	if err != nil {
		return nil, err
	}
	defer run.result.Close()
	var rows int64
	for {
		b, err := run.result.Next(ctx)
		if err != nil {
			run.end(rows, err)
			return nil, err
		}
		if b == nil {
			break
		}
		rows += int64(b.NumRows())
	}
	run.result.Close()
	p := run.end(rows, nil)
	return x.explainRows(p.headline() + "\n\n" + p.Text), nil
}

// bindAnalyzed binds what can be run for EXPLAIN ANALYZE: queries.
func (x *execution) bindAnalyzed(st *ast.Explain) (*bind.Bound, error) {
	if _, ok := st.Statement.(ast.Query); !ok {
		return nil, sqlerr.Unsupported("EXPLAIN ANALYZE of " + statementName(st.Statement)).At(st.Position())
	}
	return x.bindExplained(st.Statement)
}

func (x *execution) explainRows(text string) *Rows {
	cols := []Column{{Name: explainTitle, Type: sqltype.VarcharOf(0)}}
	b := newResult(cols)
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		b.Add(str(line))
	}
	return b.rows(x.s)
}
