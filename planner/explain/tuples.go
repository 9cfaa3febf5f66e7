package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// Walk visits every node of a plan, inputs first, those of shared plans before the others.
func Walk(p *fragment.Plan, f func(physical.Node)) {
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		for _, c := range n.Children() {
			visit(c)
		}
		f(n)
	}
	for _, c := range p.CTEs {
		visit(c.Plan)
	}
	visit(p.Root)
}

// tuples prints what the columns of every node's batches are.
func (t *text) tuples() {
	t.line("")
	t.line("Tuples:")
	Walk(t.plan, func(n physical.Node) {
		info := n.Base()
		if passesTuples(n) {
			return
		}
		t.line(fmt.Sprintf("TupleDescriptor{id=%d, tbl=%s}", info.ID, tupleTable(n)))
		for i, c := range info.Cols {
			t.line(fmt.Sprintf("  SlotDescriptor{id=%d, col=%s, type=%s, nullable=%t, position=%d}", c.ID, c.Name, c.T, c.Null, i))
		}
	})
}

func tupleTable(n physical.Node) string {
	if s, ok := n.(*physical.Scan); ok {
		return s.Table
	}
	return "null"
}

// passesTuples: the node's rows are rows of its inputs, so that it has no tuple of its own.
func passesTuples(n physical.Node) bool {
	switch n.(type) {
	case *physical.Filter, *physical.Limit, *physical.Exchange, *physical.HashJoin, *physical.NestedLoopJoin:
		return true
	}
	return false
}

// tupleIDs lists the tuples that a node's rows are made of; N marks those that may be all NULL.
func tupleIDs(n physical.Node) string {
	return strings.Join(tupleList(n), " ")
}

func tupleList(n physical.Node) []string {
	if !passesTuples(n) {
		return []string{fmt.Sprint(n.Base().ID)}
	}
	switch n := n.(type) {
	case *physical.HashJoin:
		return joinTuples(n.Kind, n.Probe, n.Build)
	case *physical.NestedLoopJoin:
		return joinTuples(n.Kind, n.Probe, n.Build)
	}
	return tupleList(n.Children()[0])
}

func joinTuples(kind physical.JoinKind, probe, build physical.Node) []string {
	p, b := tupleList(probe), tupleList(build)
	switch kind {
	case physical.Semi, physical.Anti, physical.NullAwareAnti, physical.Mark:
		return p
	case physical.RightSemi, physical.RightAnti:
		return b
	case physical.Left, physical.Single:
		b = nullable(b)
	case physical.Right:
		p = nullable(p)
	case physical.Full:
		p, b = nullable(p), nullable(b)
	}
	return append(slices.Clip(p), b...)
}

func nullable(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.TrimSuffix(s, "N") + "N"
	}
	return out
}
