package lower

import (
	"fmt"

	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
)

// joinPlan is a join while it is being lowered: sides are already probe and build.
type joinPlan struct {
	n            *logical.Join
	kind         physical.JoinKind
	probe, build logical.Node
	keys         []keyPair
	marks        int // keys[:marks] are the IN comparison
	markConds    int // Mark, NullAwareAnti: so many conditions are
	residual     []expr.Expr
}

type keyPair struct {
	probe, build expr.Expr
	nullSafe     bool
}

// join hashes the build side where an equality allows it, else it compares all pairs.
func (l *lowerer) join(n *logical.Join, need expr.ColumnSet) (stream, error) {
	p := l.sides(n)
	var probeNeed, buildNeed expr.ColumnSet
	probeNeed.AddAll(need)
	buildNeed.AddAll(need)
	for _, k := range p.keys {
		expr.AddColumns(&probeNeed, k.probe)
		expr.AddColumns(&buildNeed, k.build)
	}
	for _, c := range p.residual {
		expr.AddColumns(&probeNeed, c)
		expr.AddColumns(&buildNeed, c)
	}
	probe, err := l.node(p.probe, probeNeed)
	if err != nil {
		return stream{}, err
	}
	build, err := l.node(p.build, buildNeed)
	if err != nil {
		return stream{}, err
	}
	if len(p.keys) == 0 {
		return l.nestedLoop(p, probe, build, need), nil
	}
	return l.hashJoin(p, probe, build, need), nil
}

// sides finds the keys and decides which input is hashed: the smaller one, where the kind
// of join leaves the choice.
func (l *lowerer) sides(n *logical.Join) *joinPlan {
	p := &joinPlan{n: n, kind: straight[n.Kind], probe: n.LeftInput, build: n.RightInput}
	l.findKeys(p)
	left, right := l.est.Rows(n.LeftInput), l.est.Rows(n.RightInput)
	swap := false
	switch n.Kind {
	case logical.Inner:
		swap = left < right
	case logical.Left, logical.Semi, logical.Anti:
		swap = left*2 < right && len(p.keys) > 0
	case logical.Right, logical.Full:
		swap = left < right
	}
	if n.Hint != "" || n.NoReorder {
		swap = false
	}
	if n.Kind == logical.Right && len(p.keys) == 0 {
		swap = true // nested loops stream the side that is kept
	}
	if !swap {
		return p
	}
	p.kind, p.probe, p.build = swapped[n.Kind], n.RightInput, n.LeftInput
	for i, k := range p.keys {
		p.keys[i] = keyPair{k.build, k.probe, k.nullSafe}
	}
	return p
}

// straight is the physical kind with the left input as probe side.
var straight = map[logical.JoinKind]physical.JoinKind{
	logical.Inner: physical.Inner, logical.Left: physical.Left, logical.Right: physical.Right, logical.Full: physical.Full,
	logical.Semi: physical.Semi, logical.Anti: physical.Anti, logical.NullAwareAnti: physical.NullAwareAnti,
	logical.Mark: physical.Mark, logical.Single: physical.Single,
}

// swapped is the physical kind with the right input as probe side.
var swapped = map[logical.JoinKind]physical.JoinKind{
	logical.Inner: physical.Inner, logical.Left: physical.Right, logical.Right: physical.Left, logical.Full: physical.Full,
	logical.Semi: physical.RightSemi, logical.Anti: physical.RightAnti,
}

// findKeys splits the condition into equalities between the inputs and the rest.
func (l *lowerer) findKeys(p *joinPlan) {
	n := p.n
	lcols := expr.SetOfColumns(n.LeftInput.Columns())
	rcols := expr.SetOfColumns(n.RightInput.Columns())
	marks := 0
	switch n.Kind {
	case logical.Mark:
		marks = n.FromMarkKey
	case logical.NullAwareAnti:
		marks = max(1, n.FromMarkKey)
	}
	p.markConds = marks
	for i, c := range n.On {
		k, ok := keyOf(c, lcols, rcols, i < marks)
		if !ok {
			p.residual = append(p.residual, c)
			continue
		}
		p.keys = append(p.keys, k)
		if i < marks {
			p.marks++
		}
	}
	if p.marks < marks {
		// A comparison that cannot be hashed may be NULL, which only the nested loop tells.
		p.keys, p.marks, p.residual = nil, 0, n.On
	}
}

// keyOf reads an equality with one side over each input. Sides without columns count only for
// the comparison of IN.
func keyOf(e expr.Expr, lcols, rcols expr.ColumnSet, mark bool) (keyPair, bool) {
	c, ok := e.(*expr.Call)
	if !ok || c.Fn.Name != "=" && c.Fn.Name != "<=>" {
		return keyPair{}, false
	}
	a, b := expr.Columns(c.Args[0]), expr.Columns(c.Args[1])
	if !mark && (a.Empty() || b.Empty()) || expr.IsVolatile(e) {
		return keyPair{}, false
	}
	safe := c.Fn.Name == "<=>"
	switch {
	case a.SubsetOf(lcols) && b.SubsetOf(rcols):
		return keyPair{c.Args[0], c.Args[1], safe}, true
	case b.SubsetOf(lcols) && a.SubsetOf(rcols):
		return keyPair{c.Args[1], c.Args[0], safe}, true
	}
	return keyPair{}, false
}

// hashJoin distributes both sides and makes the operator.
func (l *lowerer) hashJoin(p *joinPlan, probe, build stream, need expr.ColumnSet) stream {
	probeKeys, buildKeys := make([]expr.Expr, len(p.keys)), make([]expr.Expr, len(p.keys))
	for i, k := range p.keys {
		probeKeys[i], buildKeys[i] = k.probe, k.build
	}
	probe, probeFields := l.keyed(probe, probeKeys)
	build, buildFields := l.keyed(build, buildKeys)
	j := &physical.HashJoin{
		Kind: p.kind, ProbeKeys: probeFields, BuildKeys: buildFields, NullSafe: make([]bool, len(p.keys)),
		MarkKeys: p.marks, MarkNullOK: p.n.MarkNullOK,
	}
	for i, k := range p.keys {
		j.NullSafe[i] = k.nullSafe
	}
	out := l.distribute(p, j, probe, build)
	both := append(append([]expr.Column(nil), probe.cols()...), build.cols()...)
	j.Residual = fields(both, p.residual)
	j.Info, j.ProbeCols, j.BuildCols = l.joinOutput(p, probe.cols(), build.cols(), need)
	l.keys = append(l.keys, l.joinKeys(p, j))
	return out
}

// distribute brings matching rows together, in the order of the network's cost: not at all where both sides
// lie in equal buckets, by sending the build side to the buckets of the probe side, by giving the whole build side to
// every instance, or by splitting both sides by key.
func (l *lowerer) distribute(p *joinPlan, j *physical.HashJoin, probe, build stream) stream {
	j.Reason = l.notColocate(p, probe, build)
	if j.Reason == "" {
		j.Distribution, j.Probe, j.Build = physical.Colocate, probe.node, build.node
		if BucketedAlike(probe.spread.leftmost, build.spread.leftmost) {
			j.Reason = fmt.Sprintf("files are bucketed alike (%s, %d buckets)", probe.spread.bucketing().Hash, probe.spread.buckets())
		}
		return joined(p, j, probe, build, true)
	}
	if probe.single {
		j.Distribution, j.Probe, j.Build = physical.Broadcast, probe.node, l.gather(build)
		return joined(p, j, probe, build, false)
	}
	if keys, ok := l.bucketKeys(p, probe, build, j.BuildKeys); ok {
		j.Distribution, j.Probe = physical.BucketShuffle, probe.node
		j.Build = &physical.Exchange{
			Info: l.info(build.cols(), build.rows()), Kind: physical.BucketExchange, Input: build.node, Keys: keys,
			Hash: probe.spread.bucketing().Hash, Buckets: probe.spread.buckets(),
		}
		return joined(p, j, probe, build, false)
	}
	if l.broadcasts(p, probe, build) {
		j.Distribution, j.Probe, j.Build = physical.Broadcast, probe.node, l.broadcast(build)
		return joined(p, j, probe, build, false)
	}
	j.Distribution, j.Probe, j.Build = physical.Partitioned, l.hashed(probe, j.ProbeKeys), l.hashed(build, j.BuildKeys)
	return joined(p, j, probe.moved(nil, false), build, false)
}

// tableOverhead is what a hash table takes beyond its rows.
const tableOverhead = 1.1

// broadcasts decides between Broadcast and Partitioned. A join that keeps unmatched build rows needs them split;
// whether a NULL-aware one's build side holds any row, or a NULL, is for all to know.
func (l *lowerer) broadcasts(p *joinPlan, probe, build stream) bool {
	switch p.kind {
	case physical.Right, physical.Full, physical.RightSemi, physical.RightAnti:
		return false
	case physical.NullAwareAnti, physical.Mark:
		return true
	}
	switch p.n.Hint {
	case "shuffle":
		return false
	case "broadcast":
		return true
	}
	if l.opts.PreferShuffle && build.rows() >= probe.rows() {
		return false
	}
	if l.opts.BroadcastBytes > 0 && build.rows()*rowBytes(build.cols())*tableOverhead > l.opts.BroadcastBytes {
		return false
	}
	return build.rows() <= l.opts.BroadcastRowLimit
}

// rowBytes is the width of a row in memory, text guessed.
func rowBytes(cols []expr.Column) float64 {
	bytes := 0
	for _, c := range cols {
		bytes += c.T.Physical().Size()
	}
	return float64(bytes)
}

func (l *lowerer) broadcast(in stream) physical.Node {
	return &physical.Exchange{Info: l.info(in.cols(), in.rows()), Kind: physical.BroadcastRows, Input: in.node}
}

// keyed gives the positions of keys in in's batch; computed ones are projected behind its columns.
func (l *lowerer) keyed(in stream, keys []expr.Expr) (stream, []expr.Expr) {
	out := make([]expr.Expr, len(keys))
	var extra []expr.Column
	var exprs []expr.Expr
	cols := in.cols()
	for i, k := range keys {
		k = field(in.cols(), k)
		if f, ok := k.(*expr.Field); ok {
			out[i] = f
			continue
		}
		c := expr.Column{ID: l.opts.IDs.New(), Name: expr.String(keys[i]), T: k.Type(), Null: k.Nullable()}
		extra, exprs = append(extra, c), append(exprs, k)
		out[i] = &expr.Field{Index: expr.FieldIndex(len(cols) + len(extra) - 1), Name: c.Name, T: c.T, Null: c.Null}
	}
	if len(extra) == 0 {
		return in, out
	}
	all := make([]expr.Expr, 0, len(cols)+len(extra))
	for i := range cols {
		all = append(all, fieldAt(cols, i))
	}
	p := &physical.Project{
		Info:  l.info(append(append([]expr.Column(nil), cols...), extra...), in.rows()),
		Input: in.node, Exprs: append(all, exprs...),
	}
	return in.as(p), out
}

// joinOutput picks the needed columns of both sides, by the kind of join, and the mark.
func (l *lowerer) joinOutput(p *joinPlan, probe, build []expr.Column, need expr.ColumnSet) (info physical.Info, probeCols, buildCols []int) {
	outer := p.n.Columns()
	probeCols, buildCols = []int{}, []int{}
	cols := []expr.Column{}
	add := func(side []expr.Column, at []int) {
		for _, i := range at {
			c := side[i]
			if k := position(outer, c.ID); k >= 0 {
				c.Null = c.Null || outer[k].Null
			}
			cols = append(cols, c)
		}
	}
	switch p.kind {
	case physical.RightSemi, physical.RightAnti:
	default:
		probeCols = positions(probe, need)
		add(probe, probeCols)
	}
	switch p.kind {
	case physical.Semi, physical.Anti, physical.NullAwareAnti, physical.Mark:
	default:
		buildCols = positions(build, need)
		add(build, buildCols)
	}
	if p.kind == physical.Mark {
		cols = append(cols, *p.n.MarkColumn)
	}
	return l.info(cols, l.est.Rows(p.n)), probeCols, buildCols
}

// nestedLoop compares all pairs; every instance gets the whole build side.
func (l *lowerer) nestedLoop(p *joinPlan, probe, build stream, need expr.ColumnSet) stream {
	j := &physical.NestedLoopJoin{Kind: p.kind, Probe: probe.node, MarkConds: p.markConds, MarkNullOK: p.n.MarkNullOK}
	single := probe.single
	switch {
	case single:
		j.Build = l.gather(build)
	case p.kind == physical.Full:
		j.Probe, j.Build, single = l.gather(probe), l.gather(build), true
	default:
		j.Build = l.broadcast(build)
	}
	both := append(append([]expr.Column(nil), probe.cols()...), build.cols()...)
	j.Conds = fields(both, p.residual)
	j.Info, j.ProbeCols, j.BuildCols = l.joinOutput(p, probe.cols(), build.cols(), need)
	if j.Kind == physical.Full {
		probe = probe.moved(probe.node, single)
	}
	out := joined(p, j, probe, build, false)
	out.single = single
	return out
}
