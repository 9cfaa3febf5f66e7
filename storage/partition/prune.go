package partition

import (
	"slices"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Pruning holds the limits of Prune.
type Pruning struct {
	// MaxProduct bounds the combinations of values whose buckets are computed
	// (max_distribution_pruner_recursion_depth); more prune no buckets.
	MaxProduct int
}

// DefaultPruning has Doris's limits.
var DefaultPruning = Pruning{MaxProduct: 100}

// Prune is the part of sel (nil: of all of l) in which a row may satisfy every one of preds; cols are the columns of
// the source. It is sel itself when nothing can be left out. preds are exact about the source's ordinals and
// types, as storage.Predicate says; those on other columns say nothing here.
//
// The values that preds leave of each column are kept as ranges, so that n constants and m partitions take
// O((n+m) log n). Ranges over several columns are pruned by the leading column, and by the next where the leading
// one is a point. An OR over several columns is the union of what its branches select.
func (o Pruning) Prune(l *storage.Layout, cols []storage.Column, sel *storage.Selection, preds []storage.Predicate) *storage.Selection {
	full := sel
	if full == nil {
		full = l.Full()
	}
	p := pruner{Pruning: o, l: l, cols: cols, columns: slices.Clone(l.Columns), hashed: l.Bucketing != nil && prunable(l.Bucketing, cols)}
	if p.hashed {
		for _, c := range l.Bucketing.Columns {
			if !slices.Contains(p.columns, c) {
				p.columns = append(p.columns, c)
			}
		}
	}
	if len(p.columns) == 0 || len(preds) == 0 {
		return full
	}
	preds = conjuncts(nil, preds)
	out := p.selected(full, p.narrowed(nil, preds))
	for i := range preds {
		if preds[i].Op == storage.OpOr && p.columnsOf(&preds[i]) > 1 {
			out = p.either(out, preds, &preds[i])
		}
	}
	if sel != nil && same(out, sel) {
		return sel
	}
	return out
}

// prunable: every file holds only rows of its bucket, by a hash of columns whose types it knows.
func prunable(b *storage.Bucketing, cols []storage.Column) bool {
	if b.Random || !b.Trusted || len(b.Columns) == 0 {
		return false
	}
	for _, c := range b.Columns {
		if !b.Hash.Supports(cols[c].Type) {
			return false
		}
	}
	return true
}

// conjuncts flattens nested ANDs.
func conjuncts(dst, preds []storage.Predicate) []storage.Predicate {
	for i := range preds {
		if preds[i].Op == storage.OpAnd {
			dst = conjuncts(dst, preds[i].Children)
		} else {
			dst = append(dst, preds[i])
		}
	}
	return dst
}

type pruner struct {
	Pruning
	l       *storage.Layout
	cols    []storage.Column
	columns []int // ordinals of partition and bucket columns
	hashed  bool  // buckets can be pruned
}

// domains are what conditions leave of each column that matters, by ordinal.
type domains map[int]*domain

func (d domains) of(column int) *domain {
	if x, ok := d[column]; ok {
		return x
	}
	return everything
}

func (p *pruner) narrowed(base domains, preds []storage.Predicate) domains {
	out := domains{}
	for _, c := range p.columns {
		d := base.of(c)
		for i := range preds {
			d = d.intersect(domainOf(&preds[i], c))
		}
		out[c] = d
	}
	return out
}

// columnsOf counts the columns that matter in a predicate.
func (p *pruner) columnsOf(pred *storage.Predicate) int {
	seen := map[int]bool{}
	var visit func(q *storage.Predicate)
	visit = func(q *storage.Predicate) {
		for i := range q.Children {
			visit(&q.Children[i])
		}
		if len(q.Children) == 0 && slices.Contains(p.columns, q.Column) {
			seen[q.Column] = true
		}
	}
	visit(pred)
	return len(seen)
}

// either is the union of what the branches of an OR select of sel, all other conjuncts holding too.
func (p *pruner) either(sel *storage.Selection, preds []storage.Predicate, or *storage.Predicate) *storage.Selection {
	base := p.narrowed(nil, preds)
	var out *storage.Selection
	for i := range or.Children {
		part := p.selected(sel, p.narrowed(base, or.Children[i:i+1]))
		if out == nil {
			out = part
		} else {
			out = unite(out, part)
		}
	}
	return out
}

// selected is the part of sel that the domains meet.
func (p *pruner) selected(sel *storage.Selection, d domains) *storage.Selection {
	out := &storage.Selection{}
	for _, c := range p.columns {
		if d[c].empty() {
			return out
		}
	}
	tuples, hashed := p.tuples(d)
	hits := map[int][]int32{} // by number of buckets
	for i, at := range sel.Partitions {
		part := &p.l.Partitions[at]
		if !p.meets(&part.Bounds, d) {
			continue
		}
		buckets, all := sel.BucketsOf(i)
		if hashed && part.Buckets > 0 {
			hit, ok := hits[part.Buckets]
			if !ok {
				hit = p.numbers(tuples, part.Buckets)
				hits[part.Buckets] = hit
			}
			if !all {
				hit = common(hit, buckets)
			}
			if len(hit) == 0 {
				continue
			}
			if buckets, all = hit, len(hit) == part.Buckets; all {
				buckets = nil
			}
		}
		out.Partitions = append(out.Partitions, at)
		out.Buckets = append(out.Buckets, buckets)
	}
	if !slices.ContainsFunc(out.Buckets, func(b []int32) bool { return b != nil }) {
		out.Buckets = nil
	}
	return out
}

// tuples are the combinations of values that the bucket columns can have.
func (p *pruner) tuples(d domains) ([][]vector.Value, bool) {
	if !p.hashed {
		return nil, false
	}
	out := [][]vector.Value{nil}
	for _, c := range p.l.Bucketing.Columns {
		values, ok := d[c].points(p.cols[c].Type, p.MaxProduct)
		if !ok || len(out)*len(values) > p.MaxProduct {
			return nil, false
		}
		next := make([][]vector.Value, 0, len(out)*len(values))
		for _, t := range out {
			for _, v := range values {
				next = append(next, append(slices.Clip(t), v))
			}
		}
		out = next
	}
	return out, true
}

func (p *pruner) numbers(tuples [][]vector.Value, buckets int) []int32 {
	out := make([]int32, len(tuples))
	for i, t := range tuples {
		out[i] = p.l.Bucketing.Hash.Number(t, buckets)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// meets reports whether a partition may hold a row of the domains.
func (p *pruner) meets(b *storage.PartitionBounds, d domains) bool {
	switch {
	case p.l.Kind == storage.Unpartitioned, len(p.l.Columns) == 0:
		return true
	case p.l.Kind == storage.RangePartitions:
		return p.rangeMeets(b, d, 0, true, true)
	}
	if len(b.Values) == 0 {
		return true
	}
	for _, tuple := range b.Values {
		found := true
		for k, c := range p.l.Columns {
			found = found && d[c].has(tuple[k])
		}
		if found {
			return true
		}
	}
	return false
}

// rangeMeets looks for a row in [Lower, Upper) from column k on; low and high tell that the columns before are equal to those
// of the bound. NULL is below every value, where Min is.
func (p *pruner) rangeMeets(b *storage.PartitionBounds, d domains, k int, low, high bool) bool {
	if k == len(p.l.Columns) {
		return !high // the upper bound itself is outside
	}
	if !low && !high {
		return true
	}
	dom := d[p.l.Columns[k]]
	lo, hi := b.Lower[k], b.Upper[k]
	var inside span
	if low {
		inside.lo, inside.loOpen = endValue(lo), true
	}
	if high {
		inside.hi, inside.hiOpen = endValue(hi), true
	}
	pinned := low && high && compareEndpoint(lo, hi) == 0
	nothing := low && lo.Max || high && hi.Min || pinned
	if !nothing && dom.meets(closed(inside)) || dom.null && !low && !(high && hi.Min) {
		return true
	}
	if low && atEndpoint(dom, lo) && p.rangeMeets(b, d, k+1, true, pinned) {
		return true
	}
	return high && !pinned && atEndpoint(dom, hi) && p.rangeMeets(b, d, k+1, false, true)
}

// endValue is the value of an endpoint, nil for Min and Max.
func endValue(e storage.Endpoint) *vector.Value {
	if e.Min || e.Max {
		return nil
	}
	return &e.Value
}

// closed has closed ends where the type has neighbours.
func closed(s span) span {
	if s.lo != nil && s.loOpen {
		if v, ok := neighbour(*s.lo, 1); ok {
			s.lo, s.loOpen = &v, false
		}
	}
	if s.hi != nil && s.hiOpen {
		if v, ok := neighbour(*s.hi, -1); ok {
			s.hi, s.hiOpen = &v, false
		}
	}
	return s
}

// atEndpoint reports whether a value of the domain can be at the endpoint itself.
func atEndpoint(d *domain, e storage.Endpoint) bool {
	switch {
	case e.Min:
		return d.null
	case e.Max:
		return false
	}
	return d.has(e.Value)
}

// common is the intersection of two ascending lists.
func common(a, b []int32) []int32 {
	var out []int32
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); ok {
			out = append(out, x)
		}
	}
	return out
}

// unite is what a or b selects.
func unite(a, b *storage.Selection) *storage.Selection {
	out := &storage.Selection{}
	add := func(p int, buckets []int32) {
		out.Partitions = append(out.Partitions, p)
		out.Buckets = append(out.Buckets, buckets)
	}
	i, j := 0, 0
	for i < len(a.Partitions) || j < len(b.Partitions) {
		switch {
		case j == len(b.Partitions) || i < len(a.Partitions) && a.Partitions[i] < b.Partitions[j]:
			x, _ := a.BucketsOf(i)
			add(a.Partitions[i], x)
			i++
		case i == len(a.Partitions) || b.Partitions[j] < a.Partitions[i]:
			y, _ := b.BucketsOf(j)
			add(b.Partitions[j], y)
			j++
		default:
			x, all := a.BucketsOf(i)
			y, allToo := b.BucketsOf(j)
			var buckets []int32
			if !all && !allToo {
				buckets = slices.Concat(x, y)
				slices.Sort(buckets)
				buckets = slices.Compact(buckets)
			}
			add(a.Partitions[i], buckets)
			i, j = i+1, j+1
		}
	}
	return out
}

// same reports whether two selections are equal.
func same(a, b *storage.Selection) bool {
	if !slices.Equal(a.Partitions, b.Partitions) {
		return false
	}
	for i := range a.Partitions {
		x, all := a.BucketsOf(i)
		y, allToo := b.BucketsOf(i)
		if all != allToo || !slices.Equal(x, y) {
			return false
		}
	}
	return true
}

// Values lists the tuples of partition columns that rows of a partition can have, where they are known and not more
// than limit: those of lists and folders, and of ranges of one column that are short.
func Values(l *storage.Layout, at, limit int) (tuples [][]vector.Value, ok bool) {
	b := &l.Partitions[at].Bounds
	switch {
	case l.Kind == storage.ListPartitions || l.Kind == storage.PathPartitions:
		return b.Values, len(b.Values) > 0 && len(b.Values) <= limit
	case l.Kind != storage.RangePartitions || len(l.Columns) != 1 || b.Lower[0].Min || b.Upper[0].Max || b.Upper[0].Min:
		return nil, false
	}
	hi := b.Upper[0].Value
	for v := b.Lower[0].Value; v.Compare(hi) < 0; {
		if len(tuples) == limit {
			return nil, false
		}
		tuples = append(tuples, []vector.Value{v})
		if v, ok = neighbour(v, 1); !ok {
			return nil, false
		}
	}
	return tuples, len(tuples) > 0
}
