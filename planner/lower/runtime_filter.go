package lower

import (
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// selectiveEnough is the largest part of the probe side's key values that a build side may
// hold for a runtime filter to be worth its price: a filter that lets everything through costs 40 % of a
// scan (PERFORMANCE.md, rule 9).
const selectiveEnough = 0.6

// worthFiltering is the table size below which reading it costs less than testing a filter.
const worthFiltering = 8192

// maxRuntimeFilters bounds the filters of one query.
const maxRuntimeFilters = 32

// joinKeys is what the estimates say of a hash join's keys.
type joinKeys struct {
	join   *physical.HashJoin
	useful []bool // by key: a filter would drop enough of the probe side
}

// joinKeys judges the keys of a join while its logical inputs are at hand.
func (l *lowerer) joinKeys(p *joinPlan, j *physical.HashJoin) joinKeys {
	out := joinKeys{join: j, useful: make([]bool, len(p.keys))}
	for i, k := range p.keys {
		b, ok1 := k.build.(*expr.Column)
		c, ok2 := k.probe.(*expr.Column)
		if k.nullSafe || !ok2 {
			continue
		}
		domain := l.est.Domain(p.probe, c.ID)
		ndv := l.est.Rows(p.build)
		if ok1 {
			ndv = l.est.Distinct(p.build, b.ID)
		}
		out.useful[i] = ndv <= selectiveEnough*domain || ok1 && l.est.Selective(p.build, b.ID) || reducedBelow(p.build) && ndv < domain
	}
	return out
}

// reducedBelow reports a filter in a build side whose effect is unknown.
func reducedBelow(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Scan:
		return len(n.Filter) > 0 && (n.Source == nil || n.Source.Stats().Rows < 0)
	case *logical.Filter:
		return true
	}
	for _, c := range n.Children() {
		if reducedBelow(c) {
			return true
		}
	}
	return false
}

// runtimeFilters hands the build keys of selective joins to the scans that make their probe keys.
func (l *lowerer) runtimeFilters(root physical.Node) {
	if l.opts.NoRuntimeFilters {
		return
	}
	useful := map[*physical.HashJoin][]bool{}
	for _, k := range l.keys {
		useful[k.join] = k.useful
	}
	next := 0
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		if j, ok := n.(*physical.HashJoin); ok && dropsUnmatchedProbe(j.Kind) {
			for i, key := range j.ProbeKeys {
				if next == maxRuntimeFilters || !useful[j][i] {
					continue
				}
				f, ok := key.(*expr.Field)
				if !ok {
					continue
				}
				if targets := targetsOf(j.Probe, int(f.Index), nil); len(targets) > 0 {
					j.RuntimeFilters = append(j.RuntimeFilters, physical.RuntimeFilter{ID: next, Key: i})
					for _, t := range targets {
						t.scan.RuntimeFilters = append(t.scan.RuntimeFilters, physical.RuntimeFilterRef{ID: next, Column: t.ordinal})
					}
					next++
				}
			}
		}
		for _, c := range n.Children() {
			visit(c)
		}
	}
	for _, c := range l.order {
		visit(c.Plan)
	}
	visit(root)
}

// dropsUnmatchedProbe: rows of the probe side without a match do not show in the result.
func dropsUnmatchedProbe(k physical.JoinKind) bool {
	switch k {
	case physical.Inner, physical.Semi, physical.Right, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

type target struct {
	scan    *physical.Scan
	ordinal int
}

// targetsOf follows output i of n down to the scans that read it. Rows that the filter takes away there
// must not change anything but rows with that value: it passes filters, projections of the bare column, joins,
// grouping columns and all inputs of a union, and stops at limits, sorts with limits, shared subplans.
func targetsOf(n physical.Node, i int, dst []target) []target {
	switch n := n.(type) {
	case *physical.Scan:
		if n.Source != nil {
			if rows := n.Source.Stats().Rows; rows >= 0 && rows < worthFiltering {
				return dst
			}
		}
		return append(dst, target{n, n.Columns[i]})
	case *physical.Filter:
		return targetsOf(n.Input, i, dst)
	case *physical.Exchange:
		return targetsOf(n.Input, i, dst)
	case *physical.Project:
		if f, ok := n.Exprs[i].(*expr.Field); ok {
			return targetsOf(n.Input, int(f.Index), dst)
		}
	case *physical.Sort:
		if n.Limit < 0 && n.Offset == 0 {
			return targetsOf(n.Input, i, dst)
		}
	case *physical.Aggregate:
		if i < len(n.Groups) && n.Sets == nil {
			if f, ok := n.Groups[i].(*expr.Field); ok {
				return targetsOf(n.Input, int(f.Index), dst)
			}
		}
	case *physical.Union:
		for _, in := range n.Inputs {
			dst = targetsOf(in, i, dst)
		}
	case *physical.HashJoin:
		return joinTargets(n.Kind, n.Probe, n.Build, n.ProbeCols, n.BuildCols, i, dst)
	case *physical.NestedLoopJoin:
		return joinTargets(n.Kind, n.Probe, n.Build, n.ProbeCols, n.BuildCols, i, dst)
	}
	return dst
}

// joinTargets follows an output of a lower join to its side. A row that loses its match because
// the other side's was dropped must not come back with NULLs, so that joins which keep such rows are a border. The build
// side of a lower join is scanned after the upper join's build side as well: pipelines run from the top.
func joinTargets(kind physical.JoinKind, probe, build physical.Node, probeCols, buildCols []int, i int, dst []target) []target {
	if i < len(probeCols) {
		if kind == physical.Right || kind == physical.Full {
			return dst
		}
		return targetsOf(probe, probeCols[i], dst)
	}
	if i -= len(probeCols); i >= len(buildCols) {
		return dst // the mark
	}
	switch kind {
	case physical.Inner, physical.Right, physical.RightSemi, physical.RightAnti:
		return targetsOf(build, buildCols[i], dst)
	}
	return dst
}
