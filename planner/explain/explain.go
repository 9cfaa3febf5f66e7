// Package explain prints plans: Text in the layout of Doris (fragments, root first), Tree as one
// indented tree. Both give one line of output a line of text, without a trailing newline.
package explain

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Options choose what is printed.
type Options struct {
	Verbose bool // tuple ids, estimates as they were made, descriptors at the end
	Stable  bool // estimates are masked, for golden files
	// Analyze, when set, gives lines with what was measured of a node; "" for none.
	Analyze func(physical.NodeID) string
}

// Text is EXPLAIN.
func Text(p *fragment.Plan, opts Options) string {
	t := &text{opts: opts, plan: p}
	for i, f := range p.Fragments {
		if i > 0 {
			t.line("")
		}
		t.fragment(f)
	}
	for _, c := range p.CTEs {
		t.line("")
		t.line(fmt.Sprintf("SHARED PLAN %d: %s", c.ID, c.Name))
		t.node("  ", c.Plan)
	}
	if opts.Verbose {
		t.tuples()
	}
	t.materializations()
	return strings.TrimSuffix(t.b.String(), "\n")
}

// Analyze is EXPLAIN ANALYZE: Text with what measured gives for each node.
func Analyze(p *fragment.Plan, measured func(physical.NodeID) string) string {
	return Text(p, Options{Analyze: measured})
}

type text struct {
	b    strings.Builder
	opts Options
	plan *fragment.Plan
}

func (t *text) line(s string) {
	t.b.WriteString(strings.TrimRight(s, " "))
	t.b.WriteByte('\n')
}

func (t *text) fragment(f *fragment.Fragment) {
	t.line(fmt.Sprintf("PLAN FRAGMENT %d", f.ID))
	outputs := ""
	if f.ID == 0 {
		names := make([]string, 0, len(f.Root.Base().Cols))
		for _, c := range f.Root.Base().Cols {
			names = append(names, c.Name)
		}
		outputs = strings.Join(names, " | ")
	}
	t.line(" OUTPUT EXPRS:" + outputs)
	t.line("  PARTITION: " + partition(f))
	if colocated(f.Root) {
		t.line("  HAS_COLO_PLAN_NODE: true")
	}
	t.line("")
	switch root := f.Root.(type) {
	case *physical.Write:
		t.line("  OLAP TABLE SINK")
		t.line(fmt.Sprintf("    TUPLE ID: %d", root.Input.Base().ID))
		t.line("    " + tableSink(root))
		t.line("    TABLE: " + root.Table)
	default:
		t.sink(f)
	}
	t.line("")
	t.node("  ", f.Root)
}

func (t *text) sink(f *fragment.Fragment) {
	if f.Sink == nil {
		t.line("  RESULT SINK")
		return
	}
	t.line("  STREAM DATA SINK")
	t.line(fmt.Sprintf("    EXCHANGE ID: %02d", f.Sink.ID))
	t.line("    " + distribution(f.Sink))
}

// partition tells how the rows of a fragment are spread: by the exchange or the buckets of the scan that its
// probe path ends in.
func partition(f *fragment.Fragment) string {
	n := f.Root
	for {
		if x, ok := n.(*physical.Exchange); ok {
			return distribution(x)
		}
		ch := n.Children()
		if len(ch) == 0 {
			break
		}
		n = ch[0]
	}
	if s, ok := n.(*physical.Scan); ok && s.Fixed() {
		b, _, _ := s.Buckets()
		names := make([]string, len(b.Columns))
		for i, c := range b.Columns {
			names[i] = sourceColumn(s, c)
		}
		return "HASH_PARTITIONED: " + strings.Join(names, ", ")
	}
	if f.Instances == 1 {
		if _, ok := n.(*physical.Values); ok {
			return "UNPARTITIONED"
		}
	}
	return "RANDOM"
}

func distribution(x *physical.Exchange) string {
	switch x.Kind {
	case physical.HashExchange:
		return "HASH_PARTITIONED: " + exprList(x.Keys)
	case physical.BucketExchange:
		return "BUCKET_SHFFULE_HASH_PARTITIONED: " + exprList(x.Keys) // spelled as Doris spells it
	}
	return "UNPARTITIONED"
}

// tableSink tells whether the rows that are written arrive spread by key.
func tableSink(w *physical.Write) string {
	if x, ok := w.Input.(*physical.Exchange); ok && x.Kind == physical.HashExchange {
		return distribution(x)
	}
	return "RANDOM"
}

// colocated reports whether a fragment joins or groups without moving rows because of buckets.
func colocated(n physical.Node) bool {
	switch n := n.(type) {
	case *physical.Exchange:
		return false
	case *physical.HashJoin:
		if n.Distribution == physical.Colocate {
			return true
		}
	}
	for _, c := range n.Children() {
		if colocated(c) {
			return true
		}
	}
	return n.Base().Run != nil
}

func exprList(es []expr.Expr) string {
	out := make([]string, len(es))
	for i, e := range es {
		out[i] = expr.String(e)
	}
	return strings.Join(out, ", ")
}

// node prints n and what is below it in the same fragment: a single input at the same column, a
// build side as a branch before the probe side.
func (t *text) node(indent string, n physical.Node) {
	d := describe(n)
	ch := n.Children()
	if _, ok := n.(*physical.Exchange); ok {
		ch = nil
	}
	t.line(fmt.Sprintf("%s%d:%s", strings.TrimSuffix(indent, "|"), n.Base().ID, d.name))
	bar := indent + "   "
	if len(ch) > 0 {
		bar = indent + "|  "
	}
	for _, l := range d.lines {
		t.line(bar + l)
	}
	for _, l := range t.common(n, d) {
		t.line(bar + l)
	}
	for i := len(ch) - 1; i > 0; i-- {
		t.line(indent + "|")
		t.branch(indent, ch[i])
	}
	if len(ch) > 0 {
		t.line(indent + "|")
		t.node(indent, ch[0])
	}
}

// branch prints a subtree behind "|----".
func (t *text) branch(indent string, n physical.Node) {
	inner := &text{opts: t.opts, plan: t.plan}
	inner.node("", n)
	for i, l := range strings.Split(strings.TrimSuffix(inner.b.String(), "\n"), "\n") {
		if i == 0 {
			t.line(indent + "|----" + l)
		} else {
			t.line(indent + "|    " + l)
		}
	}
}

// common are the lines that every node may have.
func (t *text) common(n physical.Node, d description) []string {
	var out []string
	info := n.Base()
	if d.limit >= 0 {
		out = append(out, fmt.Sprintf("limit: %d", d.limit))
	}
	if d.cardinality {
		out = append(out, "cardinality="+t.rows(info.Rows))
	}
	if s, ok := n.(*physical.Scan); ok {
		out = append(out, t.afterCardinality(s)...)
	}
	if t.opts.Verbose && info.Estimate != "" {
		out = append(out, "estimated by: "+info.Estimate)
	}
	if t.opts.Verbose && info.Run != nil {
		out = append(out, fmt.Sprintf("runs bucket by bucket: %d buckets", len(info.Run.Buckets)))
	}
	if t.opts.Verbose {
		out = append(out, "tuple ids: "+tupleIDs(n))
	}
	if t.opts.Analyze != nil {
		if s := t.opts.Analyze(info.ID); s != "" {
			out = append(out, strings.Split(strings.TrimRight(s, "\n"), "\n")...)
		}
	}
	return out
}

func (t *text) rows(r float64) string {
	switch {
	case t.opts.Stable:
		return "*"
	case r < 0:
		return "-1"
	case r > 0 && r < 1:
		return "1"
	}
	return fmt.Sprintf("%.0f", r)
}
