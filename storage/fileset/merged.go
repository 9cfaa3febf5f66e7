package fileset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// A merged source gives one row a key. Files of a bucket whose keys may meet are a cluster, which is read by
// merging; a file that meets no other is read as any file is. Conditions on keys hold for all rows of a key or
// for none, so they go down to the files; others are asked of merged rows.

// Merging implements storage.Merged.
func (s *Source) Merging() (keys []int, aggregations []function.Aggregation) {
	if !s.merged() {
		return nil, nil
	}
	return s.set.Merge.Keys, s.set.Merge.Columns
}

// Unmerged implements storage.Merged.
func (s *Source) Unmerged() storage.Partitioned {
	return &Source{set: s.set, sel: s.sel, files: s.files, raw: true}
}

func (s *Source) merged() bool { return s.set.Merge != nil && !s.raw }

// keyRequest is the part of req that is about keys alone, and the filters that are not.
func (s *set) keyRequest(req *storage.ScanRequest) (down *storage.ScanRequest, after []storage.Filter) {
	isKey := func(column int) bool { return slices.Contains(s.Merge.Keys, column) }
	out := *req
	out.Limit, out.Filters, out.BatchRows = -1, nil, 0
	out.Prune = ofColumns(req.Prune, isKey)
	if req.Moving != nil {
		out.Moving = func() []storage.Predicate { return ofColumns(req.Moving(), isKey) }
	}
	for _, f := range req.Filters {
		if slices.ContainsFunc(f.Columns, func(c int) bool { return !isKey(c) }) {
			after = append(after, f)
		} else {
			out.Filters = append(out.Filters, f)
		}
	}
	return &out, after
}

// ofColumns are the predicates that look at nothing but columns that keep chooses.
func ofColumns(list []storage.Predicate, keep func(column int) bool) []storage.Predicate {
	var only func(p *storage.Predicate) bool
	only = func(p *storage.Predicate) bool {
		if p.Op != storage.OpOr && p.Op != storage.OpAnd {
			return keep(p.Column)
		}
		for i := range p.Children {
			if !only(&p.Children[i]) {
				return false
			}
		}
		return true
	}
	var out []storage.Predicate
	for i := range list {
		if only(&list[i]) {
			out = append(out, list[i])
		}
	}
	return out
}

// cluster are files of one bucket whose keys may meet, in the order of their versions.
type cluster struct {
	set    *set
	bucket int32
	files  []int32
	rows   int64
	part   keyRange // of the first key column
}

// Rows implements storage.Split.
func (c *cluster) Rows() int64 { return c.rows }

// Bucket implements Bucketed.
func (c *cluster) Bucket() int32 { return c.bucket }

// String implements storage.Split.
func (c *cluster) String() string {
	return fmt.Sprintf("%s, merged with %d more files%s", filepath.Base(c.set.Files[c.files[0]].Path), len(c.files)-1, c.part)
}

// clusters groups files, which are in order of partition and bucket, by what must be merged. Files that meet no
// other are returned on their own.
func (s *Source) clusters(files []int32) (alone []int32, out []*cluster) {
	random := s.set.Layout.Bucketing != nil && s.set.Layout.Bucketing.Random
	for len(files) > 0 {
		first, n := &s.set.Files[files[0]], 1
		for n < len(files) {
			f := &s.set.Files[files[n]]
			if f.Partition != first.Partition || f.Bucket != first.Bucket && !random {
				break
			}
			n++
		}
		for _, c := range s.set.meeting(files[:n]) {
			if len(c) == 1 {
				alone = append(alone, c[0])
				continue
			}
			k := &cluster{set: s.set, bucket: s.set.Files[c[0]].Bucket, files: c}
			for _, f := range c {
				k.rows += rowsOf(&s.set.Files[f])
			}
			out = append(out, k)
		}
		files = files[n:]
	}
	return alone, out
}

// meeting divides files of one bucket so that no key is in two parts: by the bounds of the first key column.
func (s *set) meeting(files []int32) [][]int32 {
	key := s.Merge.Keys[0]
	ranges := make(map[int32]storage.Range, len(files))
	for _, f := range files {
		r := s.rangeOf(f, key)
		if r.Min == nil || r.Max == nil || r.HasNaN {
			return [][]int32{inOrder(files)}
		}
		ranges[f] = r
	}
	byLow := slices.Clone(files)
	slices.SortStableFunc(byLow, func(a, b int32) int {
		x, y := ranges[a], ranges[b]
		switch { // NULL comes first
		case x.Nulls != 0 && y.Nulls != 0:
			return 0
		case x.Nulls != 0:
			return -1
		case y.Nulls != 0:
			return 1
		}
		return x.Min.Compare(*y.Min)
	})
	var out [][]int32
	var high *vector.Value
	nulls := false
	for _, f := range byLow {
		r := ranges[f]
		if high == nil || !(nulls && r.Nulls != 0) && r.Min.Compare(*high) > 0 {
			out = append(out, nil)
			high = r.Max
		}
		nulls = nulls || r.Nulls != 0
		out[len(out)-1] = append(out[len(out)-1], f)
		if r.Max.Compare(*high) > 0 {
			high = r.Max
		}
	}
	for i := range out {
		out[i] = inOrder(out[i])
	}
	return out
}

// inOrder sorts files as they are listed: by version.
func inOrder(files []int32) []int32 {
	out := slices.Clone(files)
	slices.Sort(out)
	return out
}

// mergedSplits lists the splits of a merged source.
func (s *Source) mergedSplits(ctx context.Context, req *storage.ScanRequest) ([]storage.Split, error) {
	down, _ := s.set.keyRequest(req)
	alone, clusters := s.clusters(s.prune(down))
	whole := *req
	if len(clusters) > 0 {
		whole.Limit = -1
	}
	out, err := s.splits(ctx, alone, &whole)
	if err != nil {
		return nil, err
	}
	for _, c := range clusters {
		parts, err := c.cut(ctx, down)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			out = append(out, p)
		}
	}
	return out, nil
}

// clusterRows is about how many rows a part of a cluster has that is read by one driver.
const clusterRows = 256 << 10

// cut divides a large cluster by ranges of the first key column, at the borders of the row groups of its files.
func (c *cluster) cut(ctx context.Context, req *storage.ScanRequest) ([]*cluster, error) {
	parts := int(c.rows / clusterRows)
	if parts < 2 {
		return []*cluster{c}, nil
	}
	key := c.set.Merge.Keys[0]
	var borders []vector.Value
	for _, f := range c.files {
		file := &c.set.Files[f]
		if small(file) || file.Schema.constantOf(key) != nil {
			continue
		}
		src, err := c.set.open(f)
		if err != nil {
			return nil, err
		}
		bounded, ok := src.(storage.BoundedSource)
		if !ok {
			continue
		}
		own := *c.set.request(f, req)
		own.Counters = nil
		splits, err := src.Splits(ctx, &own)
		if err != nil {
			return nil, err
		}
		for _, sp := range splits {
			if r := bounded.SplitRange(sp, key); r.Min != nil {
				borders = append(borders, *r.Min)
			}
		}
	}
	slices.SortFunc(borders, vector.Value.Compare)
	borders = slices.CompactFunc(borders, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
	if len(borders) > 0 {
		borders = borders[1:] // nothing but NULL is below the first
	}
	parts = min(parts, len(borders)+1)
	out := make([]*cluster, parts)
	for i := range out {
		p := *c
		p.rows = c.rows / int64(parts)
		if i > 0 {
			p.part.lo = &borders[(i*(len(borders)+1))/parts-1]
		}
		if i+1 < parts {
			p.part.hi = &borders[((i+1)*(len(borders)+1))/parts-1]
		}
		out[i] = &p
	}
	return out, nil
}

// open starts reading a cluster.
func (c *cluster) open(req *storage.ScanRequest) (storage.Reader, error) {
	down, after := c.set.keyRequest(req)
	cols := slices.Clone(c.set.Merge.Keys)
	at := func(column int) int {
		i := slices.Index(cols, column)
		if i < 0 {
			i = len(cols)
			cols = append(cols, column)
		}
		return i
	}
	r := &clusterReader{limit: req.BatchRows}
	for _, column := range req.Columns {
		r.output = append(r.output, at(column))
	}
	for _, f := range after {
		fn, err := f.New()
		if err != nil {
			return nil, err
		}
		own := clusterFilter{fn: fn}
		for _, column := range f.Columns {
			own.columns = append(own.columns, at(column))
		}
		r.filters = append(r.filters, own)
	}
	down.Columns = cols
	c.part.restrict(down, c.set.Merge.Keys[0])
	down = sharedFilters(down)
	m := &keyorder.Merging{Unique: true, Columns: make([]function.Aggregation, len(cols))}
	var order []keyorder.Key
	for i := range c.set.Merge.Keys {
		m.Keys, order = append(m.Keys, i), append(order, keyorder.Key{Column: i})
	}
	types := make([]sqltype.Type, len(cols))
	for i, column := range cols {
		types[i], m.Columns[i] = c.set.Columns[column].Type, c.set.Merge.Columns[column]
	}
	readers := make([]storage.Reader, len(c.files))
	for i, f := range c.files {
		readers[i] = &packReader{pack: &pack{set: c.set, files: []int32{f}}, req: down}
	}
	var err error
	r.rows, err = keyorder.NewMerger(readers, types, order, m)
	return r, err
}

// clusterReader reads merged rows.
type clusterReader struct {
	rows    *keyorder.Merger
	filters []clusterFilter
	output  []int // positions in the merged rows
	limit   int   // of rows in a batch; 0: none
	cur     *vector.Batch
	at      int
	args    []*vector.Vector
	out     vector.Batch
}

// clusterFilter is a filter over merged rows.
type clusterFilter struct {
	columns []int
	fn      storage.FilterFunc
}

// Next implements storage.Reader.
func (r *clusterReader) Next(ctx context.Context) (*vector.Batch, error) {
	for r.cur == nil || r.at >= r.cur.NumRows() {
		b, err := r.rows.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if r.cur, err = r.filtered(b); err != nil {
			return nil, err
		}
		r.at = 0
	}
	if n := r.cur.NumRows(); r.limit > 0 && n > r.limit {
		lo := r.at
		r.at = min(lo+r.limit, n)
		return r.cur.View(lo, r.at), nil
	}
	r.at = r.cur.NumRows()
	return r.cur, nil
}

// filtered is what the filters leave of b, with the columns that were asked for.
func (r *clusterReader) filtered(b *vector.Batch) (*vector.Batch, error) {
	var sel []int32
	for i := range r.filters {
		f := &r.filters[i]
		r.args = r.args[:0]
		for _, c := range f.columns {
			r.args = append(r.args, b.Cols[c])
		}
		next, err := f.fn(r.args, b.Len, sel)
		if err != nil {
			return nil, err
		}
		if len(next) == 0 {
			return &vector.Batch{}, nil
		}
		if len(next) < b.Len {
			sel = next
		}
	}
	r.out = vector.Batch{Cols: r.out.Cols[:0], Len: b.Len, Sel: sel}
	for _, c := range r.output {
		r.out.Cols = append(r.out.Cols, b.Cols[c])
	}
	return &r.out, nil
}

// Close implements storage.Reader.
func (r *clusterReader) Close() { r.rows.Close() }
