package lower

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// selectiveEnough is the largest part of the probe side's key values that a build side may
// hold for a runtime filter to be worth its price: a filter that lets everything through costs 40 % of a
// scan (PERFORMANCE.md, rule 9).
const selectiveEnough = 0.6

// worthFiltering is the table size below which reading it costs less than testing a filter.
const worthFiltering = 8192

// DefaultMaxFilters bounds the keys of one query that have runtime filters.
const DefaultMaxFilters = 32

// FilterMode restricts runtime filters by where they would travel.
type FilterMode uint8

// Filter modes. Local filters stay in the fragment of the join that makes them; remote ones
// cross an exchange.
const (
	GlobalFilters FilterMode = iota
	LocalFilters
	RemoteFilters
)

// FilterOptions steer runtime filters.
type FilterOptions struct {
	Mode  FilterMode
	Kinds physical.FilterKind // forms to make; 0: physical.DefaultFilters
	Max   int                 // keys with filters; 0: DefaultMaxFilters
	// KeepAll makes filters that estimates think useless, too.
	KeepAll bool
	NoTopN  bool // leaves out those of ORDER BY … LIMIT
}

// joinKeys is what the estimates say of a hash join's keys.
type joinKeys struct {
	join   *physical.HashJoin
	useful []bool // by key: a filter would drop enough of the probe side
}

// joinKeys judges the keys of a join while its logical inputs are at hand.
func (l *lowerer) joinKeys(p *joinPlan, j *physical.HashJoin) joinKeys {
	out := joinKeys{join: j, useful: make([]bool, len(p.keys))}
	for i, k := range p.keys {
		if l.opts.Filters.KeepAll {
			out.useful[i] = true
			continue
		}
		b, ok1 := k.build.(*expr.Column)
		c, ok2 := widened(k.probe).(*expr.Column)
		if !ok2 {
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

// widened is what a cast of an integer to a wider one is of, else e itself.
func widened(e expr.Expr) expr.Expr {
	c, ok := e.(*expr.Call)
	if !ok || c.Fn.Name != "cast" || len(c.Args) != 1 {
		return e
	}
	from, to := c.Args[0].Type(), c.Type()
	if integerBytes(from) > 0 && integerBytes(from) <= integerBytes(to) {
		return c.Args[0]
	}
	return e
}

// integerBytes is the width of the signed integers that runtime filters convert, 0 for other types.
func integerBytes(t sqltype.Type) int {
	switch t.Kind {
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.BigInt:
		return t.Physical().Size()
	}
	return 0
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

// runtimeFilters hands what joins, set operations and top-Ns will know of their keys to the scans that these come from.
func (l *lowerer) runtimeFilters(root physical.Node) {
	if l.opts.NoRuntimeFilters {
		return
	}
	p := &filterPlacer{opts: l.opts.Filters, useful: map[*physical.HashJoin][]bool{}}
	if p.opts.Kinds == 0 {
		p.opts.Kinds = physical.DefaultFilters
	}
	p.left = p.opts.Max
	if p.left <= 0 {
		p.left = DefaultMaxFilters
	}
	for _, k := range l.keys {
		p.useful[k.join] = k.useful
	}
	for _, c := range l.order {
		p.visit(c.Plan)
	}
	p.visit(root)
}

// filterPlacer walks the plan from the top and numbers filters as it goes.
type filterPlacer struct {
	opts   FilterOptions
	useful map[*physical.HashJoin][]bool
	left   int // keys that may still get filters
	next   int // id
}

func (p *filterPlacer) visit(n physical.Node) {
	switch n := n.(type) {
	case *physical.HashJoin:
		p.hashJoin(n)
	case *physical.NestedLoopJoin:
		p.nestedLoop(n)
	case *physical.SetOp:
		p.setOp(n)
	case *physical.Sort:
		p.topN(n)
	}
	for _, c := range n.Children() {
		p.visit(c)
	}
}

func (p *filterPlacer) hashJoin(j *physical.HashJoin) {
	if !dropsUnmatchedProbe(j.Kind) {
		return
	}
	for i, key := range j.ProbeKeys {
		f, ok := key.(*expr.Field)
		if !ok || !p.useful[j][i] {
			continue
		}
		j.RuntimeFilters = append(j.RuntimeFilters, p.place(i, p.opts.Kinds, p.targets(j.Probe, int(f.Index), route{}))...)
	}
}

// setOp: rows of the right side that the left side does not have change nothing, neither for INTERSECT nor for EXCEPT.
func (p *filterPlacer) setOp(n *physical.SetOp) {
	const few, columns = 4, 3
	if !p.opts.KeepAll && n.Left.Base().Rows*few > n.Right.Base().Rows {
		return
	}
	kinds := p.opts.Kinds & physical.FilterMinMax
	if p.opts.Kinds&^physical.FilterMinMax != 0 {
		kinds |= physical.FilterIn // the number of values is not known before they have gone by
	}
	for i := range min(len(n.Cols), columns) {
		n.RuntimeFilters = append(n.RuntimeFilters, p.place(i, kinds, p.targets(n.Right, i, route{}))...)
	}
}

// place makes a filter of each form for a key and gives it to the targets.
func (p *filterPlacer) place(key int, kinds physical.FilterKind, to []target) []physical.RuntimeFilter {
	if len(to) == 0 || p.left == 0 {
		return nil
	}
	p.left--
	var out []physical.RuntimeFilter
	for _, k := range kinds.Each() {
		out = append(out, physical.RuntimeFilter{ID: p.next, Key: key, Kind: k})
		for _, t := range to {
			t.add(p.next, k)
		}
		p.next++
	}
	return out
}

var rangeOps = map[string]storage.Op{"<": storage.OpLt, "<=": storage.OpLe, ">": storage.OpGt, ">=": storage.OpGe}
var mirrored = map[storage.Op]storage.Op{storage.OpLt: storage.OpGt, storage.OpLe: storage.OpGe, storage.OpGt: storage.OpLt, storage.OpGe: storage.OpLe}

// nestedLoop: of a comparison between the sides, the extreme value of the build side bounds the probe side.
func (p *filterPlacer) nestedLoop(j *physical.NestedLoopJoin) {
	if !dropsUnmatchedProbe(j.Kind) || p.opts.Kinds&physical.FilterMinMax == 0 {
		return
	}
	width := len(j.Probe.Base().Cols)
	for _, cond := range j.Conds {
		c, ok := cond.(*expr.Call)
		if !ok || len(c.Args) != 2 {
			continue
		}
		op, ok := rangeOps[c.Fn.Name]
		a, ok1 := c.Args[0].(*expr.Field)
		b, ok2 := c.Args[1].(*expr.Field)
		if !ok || !ok1 || !ok2 || a.T.Physical() != b.T.Physical() || a.T.Scale != b.T.Scale {
			continue
		}
		if int(a.Index) >= width {
			a, b, op = b, a, mirrored[op]
		}
		if int(a.Index) >= width || int(b.Index) < width || p.left == 0 {
			continue
		}
		to := p.targets(j.Probe, int(a.Index), route{})
		if len(to) == 0 {
			continue
		}
		p.left--
		j.RangeFilters = append(j.RangeFilters, physical.RangeFilter{ID: p.next, Op: op, Probe: int(a.Index), Build: int(b.Index) - width})
		for _, t := range to {
			t.add(p.next, physical.FilterMinMax)
		}
		p.next++
	}
}

// topN: once enough rows have been seen, what sorts behind the last of them need not be read.
func (p *filterPlacer) topN(n *physical.Sort) {
	const most = 1 << 20 // rows that the executor keeps in order while it reads
	if p.opts.NoTopN || n.Limit < 0 || n.Limit > most || n.Offset > most-n.Limit || len(n.Keys) == 0 {
		return
	}
	f, ok := n.Keys[0].Expr.(*expr.Field)
	if !ok {
		return
	}
	to := p.targets(n.Input, int(f.Index), route{streaming: true})
	if made := p.place(0, physical.FilterTopN, to); len(made) > 0 {
		n.TopN = &made[0]
	}
}

// dropsUnmatchedProbe: rows of the probe side without a match do not show in the result.
func dropsUnmatchedProbe(k physical.JoinKind) bool {
	switch k {
	case physical.Inner, physical.Semi, physical.Right, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

// target is a column of a scan that a filter applies to.
type target struct {
	scan    *physical.Scan
	ordinal int
	typ     sqltype.Type // of the filter's values where it is wider, else the zero Type
}

func (t target) add(id int, kind physical.FilterKind) {
	t.scan.RuntimeFilters = append(t.scan.RuntimeFilters, physical.RuntimeFilterRef{ID: id, Column: t.ordinal, Kind: kind, Type: t.typ})
}

// route is the way from the maker of a filter down to a scan.
type route struct {
	streaming bool // rows must not be collected on the way: the filter moves while they flow
	remote    bool // an exchange was crossed
	typ       sqltype.Type
}

// targets follows output i of n down to the scans that read it. Rows that the filter takes away there
// must not change anything but rows with that value: it passes filters, table functions, projections of the bare column (or of it as a
// wider integer), joins, grouping columns and all inputs of unions and set operations, and stops at limits, sorts with
// limits, shared subplans.
func (p *filterPlacer) targets(n physical.Node, i int, r route) []target {
	switch n := n.(type) {
	case *physical.Scan:
		return p.scanTarget(n, i, r)
	case *physical.Filter:
		return p.targets(n.Input, i, r)
	case *physical.Exchange:
		r.remote = true
		return p.targets(n.Input, i, r)
	case *physical.Project:
		f, ok := n.Exprs[i].(*expr.Field)
		if !ok && !r.streaming {
			if f, ok = widened(n.Exprs[i]).(*expr.Field); ok && r.typ == (sqltype.Type{}) {
				r.typ = n.Exprs[i].Type()
			}
		}
		if ok {
			return p.targets(n.Input, int(f.Index), r)
		}
	case *physical.Unnest:
		if i < len(n.PassCols) {
			return p.targets(n.Input, n.PassCols[i], r)
		}
	case *physical.Window: // partitions go or stay whole
		if f := partitionField(n, i); f && !r.streaming {
			return p.targets(n.Input, i, r)
		}
	case *physical.Sort:
		if n.Limit < 0 && n.Offset == 0 && !r.streaming {
			return p.targets(n.Input, i, r)
		}
	case *physical.Aggregate:
		if i < len(n.Groups) && n.Sets == nil && !r.streaming {
			if f, ok := n.Groups[i].(*expr.Field); ok {
				return p.targets(n.Input, int(f.Index), r)
			}
		}
	case *physical.Union:
		var out []target
		for _, in := range n.Inputs {
			out = append(out, p.targets(in, i, r)...)
		}
		return out
	case *physical.SetOp:
		if !r.streaming {
			return append(p.targets(n.Left, i, r), p.targets(n.Right, i, r)...)
		}
	case *physical.HashJoin:
		return p.joinTargets(n.Kind, n.Probe, n.Build, n.ProbeCols, n.BuildCols, i, r)
	case *physical.NestedLoopJoin:
		return p.joinTargets(n.Kind, n.Probe, n.Build, n.ProbeCols, n.BuildCols, i, r)
	}
	return nil
}

func partitionField(n *physical.Window, i int) bool {
	for _, e := range n.Partition {
		if f, ok := e.(*expr.Field); ok && int(f.Index) == i {
			return true
		}
	}
	return false
}

func (p *filterPlacer) scanTarget(n *physical.Scan, i int, r route) []target {
	switch {
	case p.opts.Mode == LocalFilters && r.remote, p.opts.Mode == RemoteFilters && !r.remote && !r.streaming, n.Source == nil:
		return nil
	}
	if rows := n.Source.Stats().Rows; rows >= 0 && rows < worthFiltering && !p.opts.KeepAll {
		return nil
	}
	return []target{{n, n.Columns[i], r.typ}}
}

// joinTargets follows an output of a lower join to its side. A row that loses its match because
// the other side's was dropped must not come back with NULLs, so that joins which keep such rows are a border. The build
// side of a lower join is scanned after the upper join's build side as well: pipelines run from the top.
func (p *filterPlacer) joinTargets(kind physical.JoinKind, probe, build physical.Node, probeCols, buildCols []int, i int, r route) []target {
	if i < len(probeCols) {
		if kind == physical.Right || kind == physical.Full {
			return nil
		}
		return p.targets(probe, probeCols[i], r)
	}
	if i -= len(probeCols); i >= len(buildCols) || r.streaming {
		return nil // the mark
	}
	switch kind {
	case physical.Inner, physical.Right, physical.RightSemi, physical.RightAnti:
		return p.targets(build, buildCols[i], r)
	}
	return nil
}
