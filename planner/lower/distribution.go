package lower

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Why a join is not colocate, in the order in which the conditions are checked: words
// of Doris, spelled as there.
const (
	reasonDisabled      = "Session disabled"
	reasonHint          = "Has join hint"
	reasonTransformed   = "Src column hash been transformed by expr"
	reasonRedistributed = "The src data has been redistributed"
	reasonNotBucketed   = "table is not bucketed"
	reasonOtherGroup    = "Tables are not in the same group"
	reasonUnstable      = "Colocate group is not stable"
	reasonKeys          = "Inconsistent distribution of table and querie"
	reasonWholeBuild    = "The join needs the whole build side"
)

// origin is where a column of a stream comes from, when it is a bare column of a scan.
type origin struct {
	scan  *physical.Scan // nil: of something that is no table
	moved bool           // an exchange lies between
}

// carrier is a column that holds the bucket column of some ordinal for every row of a
// stream, or NULL where an outer join found no match (nulled).
type carrier struct {
	col    expr.ColumnID
	nulled bool
}

// spread tells that all rows of a stream with equal values of the bucket columns are in the
// same bucket, and in which: the one that the hash of leftmost gives. Streams without such an order
// have none (nil). Not changed once made.
type spread struct {
	leftmost *physical.Scan
	carriers [][]carrier // by ordinal of the bucket columns
}

func (s *spread) bucketing() *storage.Bucketing { b, _, _ := s.leftmost.Buckets(); return b }
func (s *spread) buckets() int                  { _, n, _ := s.leftmost.Buckets(); return n }

// types are those of the bucket columns.
func (s *spread) types() []sqltype.Type { return bucketTypes(s.leftmost) }

func bucketTypes(s *physical.Scan) []sqltype.Type {
	b, _, ok := s.Buckets()
	if !ok {
		return nil
	}
	cols := s.Source.Columns()
	out := make([]sqltype.Type, len(b.Columns))
	for i, c := range b.Columns {
		out[i] = cols[c].Type
	}
	return out
}

// carries reports whether col holds bucket column i; whole: for every row.
func (s *spread) carries(i int, col expr.ColumnID, whole bool) bool {
	for _, c := range s.carriers[i] {
		if c.col == col && !(whole && c.nulled) {
			return true
		}
	}
	return false
}

// scanned is the stream of a scan.
func (l *lowerer) scanned(s *physical.Scan, n *logical.Scan) stream {
	out := stream{node: s, from: map[expr.ColumnID]origin{}}
	for _, c := range n.Cols {
		out.from[c.ID] = origin{scan: s}
	}
	b, _, ok := s.Buckets()
	if !ok {
		return out
	}
	out.spread = &spread{leftmost: s, carriers: make([][]carrier, len(b.Columns))}
	for i, ordinal := range b.Columns {
		for k, c := range n.Cols {
			if n.Ordinal[k] == ordinal {
				out.spread.carriers[i] = append(out.spread.carriers[i], carrier{col: c.ID})
			}
		}
	}
	return out
}

// foreign is a stream of columns that are bare columns of no table that could be bucketed; moved: rows came by an exchange.
func foreign(node physical.Node, single, moved bool) stream {
	out := stream{node: node, single: single, from: map[expr.ColumnID]origin{}}
	for _, c := range node.Base().Cols {
		out.from[c.ID] = origin{moved: moved}
	}
	return out
}

// together: rows with equal groups are on one instance, as an exchange by some of the groups sent them.
func (s stream) together(groups []expr.Expr) bool {
	if len(s.sentBy) == 0 {
		return false
	}
	for _, id := range s.sentBy {
		if !slices.ContainsFunc(groups, func(g expr.Expr) bool {
			c, ok := g.(*expr.Column)
			return ok && c.ID == id
		}) {
			return false
		}
	}
	return true
}

// as is the stream under another node that leaves every row where it is.
func (s stream) as(n physical.Node) stream {
	s.node = n
	return s
}

// moved is the stream behind an exchange under node n.
func (s stream) moved(n physical.Node, single bool) stream {
	from := make(map[expr.ColumnID]origin, len(s.from))
	for id, o := range s.from {
		from[id] = origin{scan: o.scan, moved: true}
	}
	return stream{node: n, single: single, from: from}
}

// renamed adds the columns of a projection or the groups of an aggregation that pass a column through.
func (s stream) renamed(exprs []expr.Expr, cols []expr.Column) stream {
	from := make(map[expr.ColumnID]origin, len(s.from)+len(cols))
	for id, o := range s.from {
		from[id] = o
	}
	var sp *spread
	if s.spread != nil {
		sp = &spread{leftmost: s.spread.leftmost, carriers: make([][]carrier, len(s.spread.carriers))}
		for i, list := range s.spread.carriers {
			sp.carriers[i] = slices.Clone(list)
		}
	}
	for i, e := range exprs {
		c, ok := bare(e)
		if !ok || c.ID == cols[i].ID {
			continue
		}
		if o, ok := s.from[c.ID]; ok {
			from[cols[i].ID] = o
		}
		for k := 0; sp != nil && k < len(sp.carriers); k++ {
			for _, x := range s.spread.carriers[k] {
				if x.col == c.ID {
					sp.carriers[k] = append(sp.carriers[k], carrier{cols[i].ID, x.nulled})
				}
			}
		}
	}
	s.from, s.spread = from, sp
	return s
}

// bare is a column under casts that change no value's hash.
func bare(e expr.Expr) (*expr.Column, bool) {
	for {
		switch x := e.(type) {
		case *expr.Column:
			return x, true
		case *expr.Call:
			if x.Fn.Name == "cast" && len(x.Args) == 1 && sameBucketType(x.Type(), x.Args[0].Type()) {
				e = x.Args[0]
				continue
			}
		}
		return nil, false
	}
}

// sameBucketType reports whether equal values of both types have equal bucket hashes, in the eyes
// of colocate groups: the same type, whatever the length of text.
func sameBucketType(a, b sqltype.Type) bool {
	if a.Kind == sqltype.Varchar && b.Kind == sqltype.Varchar {
		return true
	}
	if a.Kind != b.Kind {
		return false
	}
	if a.Kind == sqltype.Decimal || a.Kind == sqltype.DateTime {
		return a.Precision == b.Precision && a.Scale == b.Scale
	}
	return true
}

// notColocate is the first condition of colocate joins that p fails over its distributed
// inputs, "" when it passes all: this is the one place where that is decided.
func (l *lowerer) notColocate(p *joinPlan, probe, build stream) string {
	if l.opts.NoColocate {
		return reasonDisabled
	}
	if p.n.Hint != "" {
		return reasonHint
	}
	if l.coversBuckets(p, probe, build) {
		if p.kind == physical.NullAwareAnti || p.kind == physical.Mark {
			return reasonWholeBuild
		}
		return ""
	}
	return firstFailure(p, probe, build)
}

// coversBuckets: the equalities between bare columns that did not move cover all bucket columns of both
// sides, ordinal by ordinal, and the tables of both sides put equal values into the same
// bucket. Other conjuncts do not matter.
func (l *lowerer) coversBuckets(p *joinPlan, probe, build stream) bool {
	a, b := probe.spread, build.spread
	if probe.single || build.single || a == nil || b == nil || len(a.carriers) != len(b.carriers) || a.buckets() != b.buckets() {
		return false
	}
	for i := range a.carriers {
		found := false
		for _, k := range p.keys {
			x, ok1 := bare(k.probe)
			y, ok2 := bare(k.build)
			if !ok1 || !ok2 || !a.carries(i, x.ID, k.nullSafe) || !b.carries(i, y.ID, k.nullSafe) {
				continue
			}
			found = found || notAligned(probe.from[x.ID].scan, build.from[y.ID].scan) == ""
		}
		if !found {
			return false
		}
	}
	return true
}

// firstFailure is the first condition, in the order of the reasons, that a conjunct fails.
func firstFailure(p *joinPlan, probe, build stream) string {
	rank := []string{reasonTransformed, reasonRedistributed, reasonNotBucketed, reasonOtherGroup, reasonUnstable, reasonKeys}
	worst := len(rank) - 1
	for _, k := range p.keys {
		worst = min(worst, slices.Index(rank, failureOf(k, probe, build)))
	}
	return rank[worst]
}

func failureOf(k keyPair, probe, build stream) string {
	x, ok1 := bare(k.probe)
	y, ok2 := bare(k.build)
	if !ok1 || !ok2 {
		return reasonTransformed
	}
	from1, ok1 := probe.from[x.ID]
	from2, ok2 := build.from[y.ID]
	switch {
	case !ok1, !ok2:
		return reasonTransformed
	case from1.moved, from2.moved, probe.single, build.single:
		return reasonRedistributed
	case from1.scan == nil, from2.scan == nil, !isBucketed(from1.scan), !isBucketed(from2.scan):
		return reasonNotBucketed
	}
	if r := notAligned(from1.scan, from2.scan); r != "" {
		return r
	}
	return reasonKeys
}

func isBucketed(s *physical.Scan) bool {
	p, ok := s.Source.(storage.Partitioned)
	return ok && p.Layout().Bucketing != nil
}

// notAligned says why equal values of the bucket columns of two scans are not in equal buckets; "" when they are.
func notAligned(a, b *physical.Scan) string {
	la, lb := a.Source.(storage.Partitioned).Layout(), b.Source.(storage.Partitioned).Layout()
	if la.Bucketing.Random || lb.Bucketing.Random {
		return reasonOtherGroup
	}
	natural := la.Table == lb.Table && len(a.Selection.Partitions) <= 1 && slices.Equal(a.Selection.Partitions, b.Selection.Partitions)
	switch {
	case natural:
	case la.Group != "" && la.Group == lb.Group:
		if !la.GroupStable || !lb.GroupStable {
			return reasonUnstable
		}
	case BucketedAlike(a, b):
	default:
		return reasonOtherGroup
	}
	if !la.Bucketing.Trusted || !lb.Bucketing.Trusted {
		return reasonUnstable
	}
	if la.Bucketing.Hash != lb.Bucketing.Hash || !sameTypes(bucketTypes(a), bucketTypes(b)) {
		return reasonUnstable // a group promises both
	}
	return ""
}

// BucketedAlike: two tables whose files are bucketed in the Hive way with equal hash, number of buckets and types.
func BucketedAlike(a, b *physical.Scan) bool {
	la, lb := a.Source.(storage.Partitioned).Layout(), b.Source.(storage.Partitioned).Layout()
	ba, na, ok1 := a.Buckets()
	bb, nb, ok2 := b.Buckets()
	if !ok1 || !ok2 || !physical.BucketedLikeHive(la) || !physical.BucketedLikeHive(lb) {
		return false
	}
	types := bucketTypes(a)
	for _, t := range types {
		if !ba.Hash.Supports(t) {
			return false
		}
	}
	return na == nb && ba.Hash == bb.Hash && sameTypes(types, bucketTypes(b))
}

func sameTypes(a, b []sqltype.Type) bool { return slices.EqualFunc(a, b, sameBucketType) }

// bucketKeys are the build side's expressions for the bucket columns of the probe side, by
// ordinal, when the build side can be sent to the probe's buckets.
func (l *lowerer) bucketKeys(p *joinPlan, probe, build stream, buildFields []expr.Expr) ([]expr.Expr, bool) {
	s := probe.spread
	if l.opts.NoBucketShuffle || p.n.Hint != "" || s == nil || probe.single || !s.leftmost.Fixed() {
		return nil, false
	}
	if p.kind == physical.NullAwareAnti || p.kind == physical.Mark {
		return nil, false
	}
	if l.opts.BucketShuffleRatio > 0 && float64(s.buckets()) < float64(l.opts.Instances)*l.opts.BucketShuffleRatio {
		return nil, false
	}
	out := make([]expr.Expr, len(s.carriers))
	types := s.types()
	for i := range s.carriers {
		for j, k := range p.keys {
			x, ok := bare(k.probe)
			if ok && s.carries(i, x.ID, k.nullSafe) && sameBucketType(k.build.Type(), types[i]) && s.bucketing().Hash.Supports(types[i]) {
				out[i] = buildFields[j]
				break
			}
		}
		if out[i] == nil {
			return nil, false
		}
	}
	return out, true
}

// joined is the stream of a join that keeps the probe's rows where they are (and, colocate, the build's).
func joined(p *joinPlan, n physical.Node, probe, build stream, colocate bool) stream {
	out := stream{node: n, single: probe.single, from: map[expr.ColumnID]origin{}}
	for id, o := range build.from {
		out.from[id] = origin{scan: o.scan, moved: o.moved || !colocate}
	}
	for id, o := range probe.from {
		out.from[id] = o
	}
	if probe.spread == nil {
		return out
	}
	probeNulled, buildNulled := false, false
	switch p.kind {
	case physical.Left, physical.Single:
		buildNulled = true
	case physical.Right:
		probeNulled = true
	case physical.Full:
		probeNulled, buildNulled = true, true
	}
	sp := &spread{leftmost: probe.spread.leftmost, carriers: make([][]carrier, len(probe.spread.carriers))}
	add := func(from *spread, nulled bool) {
		for i, list := range from.carriers {
			for _, c := range list {
				sp.carriers[i] = append(sp.carriers[i], carrier{c.col, c.nulled || nulled})
			}
		}
	}
	add(probe.spread, probeNulled)
	if colocate {
		add(build.spread, buildNulled)
	}
	out.spread = sp
	return out
}

// colocatedGroups: rows with equal groups are in one bucket, so that every bucket aggregates
// for itself. Grouping sets group by less than all.
func (l *lowerer) colocatedGroups(in stream, groups []expr.Expr) bool {
	s := in.spread
	if l.opts.NoColocate || s == nil || in.single || !s.leftmost.Fixed() {
		return false
	}
	for i := range s.carriers {
		if !slices.ContainsFunc(groups, func(g expr.Expr) bool {
			c, ok := bare(g)
			return ok && s.carries(i, c.ID, true)
		}) {
			return false
		}
	}
	return true
}

// grouped is the stream of an aggregation's outputs: its groups may be bare columns, its aggregates
// are none. moved: an exchange was needed.
func (s stream) grouped(n physical.Node, groups []expr.Expr, cols []expr.Column, single, moved bool) stream {
	all := s.renamed(groups, cols[:len(groups)])
	out := stream{node: n, single: single, from: map[expr.ColumnID]origin{}}
	for _, c := range cols[:len(groups)] {
		if o, ok := all.from[c.ID]; ok {
			out.from[c.ID] = origin{scan: o.scan, moved: o.moved || moved}
		}
	}
	if !moved {
		out.spread = all.spread
	}
	return out
}
