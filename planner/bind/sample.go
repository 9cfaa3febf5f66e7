package bind

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// TABLESAMPLE of Doris's tables picks tablets, as Doris does: of each partition as many as hold its share of the rows
// that are asked for, so that nothing else is read. Of other tables PERCENT and sizes keep each row by chance, and
// ROWS the first ones. Hive's BUCKET x OUT OF y keeps the rows that would lie in bucket x of y, reading but the buckets
// that may have them where the table is bucketed by these columns.

// sampled is it, a scan of table t, under the table's TABLESAMPLE.
func (b *binder) sampled(it fromItem, t *ast.TableName, fc *fromContext) (fromItem, error) {
	scan, ok := it.node.(*logical.Scan)
	s := t.Sample
	if s == nil || !ok {
		return it, nil
	}
	if s.Kind == "BUCKET" {
		return b.sampledBucket(it, scan, s, fc)
	}
	stats := scan.Source.Stats()
	fraction, err := sampleFraction(s, stats.Bytes)
	if err != nil {
		return it, err
	}
	if p, ok := scan.Source.(storage.Partitioned); ok && p.Layout().Bucketing != nil && p.Layout().Bucketing.Hash == bucket.DorisCRC32 {
		rows := s.N
		if s.Kind != "ROWS" {
			rows = int64(math.Ceil(fraction * float64(max(stats.Rows, 0))))
		}
		seed := rand.Uint64()
		if s.Repeatable != nil {
			seed = uint64(*s.Repeatable)
		}
		restrict(scan, p, sampledTablets(p, selectionOf(scan, p), rows, seed))
		return it, nil
	}
	if s.Repeatable != nil {
		return it, sqlerr.Unsupported("TABLESAMPLE … REPEATABLE of a table without Doris's buckets").At(s.Position())
	}
	if s.Kind == "ROWS" {
		it.node = &logical.Limit{Input: scan, Count: s.N}
		return it, nil
	}
	chance := expr.MustCall("<", expr.MustCall("rand"), expr.Lit(vector.FloatValue(fraction)))
	it.node = &logical.Filter{Input: scan, Conds: []expr.Expr{chance}}
	return it, nil
}

// sampleFraction is the part of a table of so many bytes that a sample asks for; of ROWS it is 0.
func sampleFraction(s *ast.Sample, bytes int64) (float64, error) {
	percent := float64(s.N)
	if s.Percent != "" {
		var err error
		if percent, err = strconv.ParseFloat(s.Percent, 64); err != nil {
			return 0, sqlerr.New(sqlerr.Syntax, "'%s' is no number", s.Percent).At(s.Position())
		}
	}
	switch {
	case s.N < 0:
		return 0, sqlerr.New(sqlerr.WrongArguments, "a sample cannot be negative: %d", s.N).At(s.Position())
	case s.Kind == "ROWS":
		return 0, nil
	case s.Kind == "BYTES":
		return min(1, float64(s.N)/float64(max(bytes, 1))), nil
	case percent > 100:
		return 0, sqlerr.New(sqlerr.WrongArguments, "a sample is at most 100 PERCENT").At(s.Position())
	}
	return percent / 100, nil
}

// selectionOf is what a scan reads of p, its source.
func selectionOf(scan *logical.Scan, p storage.Partitioned) *storage.Selection {
	if scan.Selection != nil {
		return scan.Selection
	}
	return p.Selection()
}

// restrict makes the scan read only sel of p, its source.
func restrict(scan *logical.Scan, p storage.Partitioned, sel *storage.Selection) {
	scan.Source, scan.Selection = p.Restrict(sel), sel
}

// bucketsOf are the buckets of the i-th partition that sel selects.
func bucketsOf(p storage.Partitioned, sel *storage.Selection, i int) []int32 {
	if sel.Buckets != nil && sel.Buckets[i] != nil {
		return sel.Buckets[i]
	}
	all := make([]int32, max(p.Layout().Partitions[sel.Partitions[i]].Buckets, 1))
	for k := range all {
		all[k] = int32(k)
	}
	return all
}

// sampledTablets picks tablets of sel with at least so many rows: in each partition from the seed's tablet on, those with
// the partition's share of them.
func sampledTablets(p storage.Partitioned, sel *storage.Selection, rows int64, seed uint64) *storage.Selection {
	tablets, sizes := make([][]int32, len(sel.Partitions)), make([][]int64, len(sel.Partitions))
	sums, total := make([]int64, len(sel.Partitions)), int64(0)
	for i, at := range sel.Partitions {
		for _, n := range bucketsOf(p, sel, i) {
			one := p.Restrict(&storage.Selection{Partitions: []int{at}, Buckets: [][]int32{{n}}})
			if size := one.Stats().Rows; size != 0 { // -1 where it is not known: a tablet is as good as a row
				tablets[i], sizes[i] = append(tablets[i], n), append(sizes[i], max(size, 1))
				sums[i] += max(size, 1)
			}
		}
		total += sums[i]
	}
	out := &storage.Selection{}
	for i, at := range sel.Partitions {
		want := sums[i]
		if rows < total {
			want = int64(math.Ceil(float64(rows) * float64(sums[i]) / float64(total)))
		}
		var picked []int32
		for k := range tablets[i] {
			if want <= 0 {
				break
			}
			n := int((seed + uint64(k)) % uint64(len(tablets[i])))
			picked = append(picked, tablets[i][n])
			want -= sizes[i][n]
		}
		if len(picked) > 0 {
			slices.Sort(picked)
			out.Partitions, out.Buckets = append(out.Partitions, at), append(out.Buckets, picked)
		}
	}
	return out
}

// sampledBucket is TABLESAMPLE(BUCKET x OUT OF y [ON e, …]). Without ON it is by the columns that the table is bucketed
// by, or by chance.
func (b *binder) sampledBucket(it fromItem, scan *logical.Scan, s *ast.Sample, fc *fromContext) (fromItem, error) {
	if s.N < 1 || s.N > s.OutOf || s.OutOf > math.MaxInt32 {
		return it, sqlerr.New(sqlerr.WrongArguments, "BUCKET %d OUT OF %d: buckets are 1 to %d", s.N, s.OutOf, s.OutOf).At(s.Position())
	}
	p, _ := scan.Source.(storage.Partitioned)
	var by *storage.Bucketing
	if p != nil {
		by = p.Layout().Bucketing
	}
	var on []expr.Expr
	for _, e := range s.On {
		bound, err := b.expr(fc.scope(it), e)
		if err != nil {
			return it, err
		}
		on = append(on, bound)
	}
	if len(on) == 0 && by != nil {
		for _, ordinal := range by.Columns {
			on = append(on, expr.Ref(scan.Cols[ordinal]))
		}
	}
	if len(on) == 0 {
		on = []expr.Expr{expr.MustCall("rand")}
	}
	hash := bucket.HiveV2
	if by != nil {
		hash = by.Hash
	}
	if by != nil && by.Trusted && by.Buckets > 0 && bucketedBy(scan, by, on) {
		n := int64(by.Buckets)
		if n%s.OutOf == 0 || s.OutOf%n == 0 {
			restrict(scan, p, everyBucket(p, selectionOf(scan, p), int32((s.N-1)%n), int32(min(s.OutOf, n))))
		}
		if n%s.OutOf == 0 {
			return it, nil
		}
	}
	number, err := bucketNumber("bucket", hash, int(s.OutOf), on)
	if err != nil {
		return it, at(err, s)
	}
	want := expr.Lit(vector.IntValue(sqltype.T(sqltype.Int), s.N-1))
	it.node = &logical.Filter{Input: scan, Conds: []expr.Expr{expr.MustCall("=", number, want)}}
	return it, nil
}

// bucketedBy reports whether on are the bucket columns, in their order.
func bucketedBy(scan *logical.Scan, by *storage.Bucketing, on []expr.Expr) bool {
	if by.Random || len(on) != len(by.Columns) {
		return false
	}
	for i, e := range on {
		c, ok := e.(*expr.Column)
		if !ok || c.ID != scan.Cols[by.Columns[i]].ID {
			return false
		}
	}
	return true
}

// everyBucket is the part of sel in the buckets first, first+step, …
func everyBucket(p storage.Partitioned, sel *storage.Selection, first, step int32) *storage.Selection {
	out := &storage.Selection{}
	for i, at := range sel.Partitions {
		own := slices.DeleteFunc(slices.Clone(bucketsOf(p, sel, i)), func(n int32) bool { return n%step != first%step })
		if len(own) > 0 {
			out.Partitions, out.Buckets = append(out.Partitions, at), append(out.Buckets, own)
		}
	}
	return out
}
