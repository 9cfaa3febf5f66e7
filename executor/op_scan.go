package executor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// scan deals the splits of a source to its drivers from a shared counter: whoever is
// free takes the next one.
type scan struct {
	n       *physical.Scan
	rt      *Runtime
	node    *NodeProfile
	filters *runtimeFilters

	once     sync.Once
	req      *storage.ScanRequest
	splits   []storage.Split
	err      error
	next     atomic.Int64
	counters *storage.ScanCounters
	topN     *scanTopN             // nil: no top-N above
	bounded  storage.BoundedSource // the source, when topN can skip splits
}

func newScan(n *physical.Scan, rt *Runtime, filters *runtimeFilters) (*scan, error) {
	s := &scan{n: n, rt: rt, node: rt.Profile.Node(n.ID), filters: filters, counters: &storage.ScanCounters{}}
	s.node.addScan(s.counters)
	return s, nil
}

// prepare makes the request and lists the splits, once, when the first driver opens: by
// then the joins above have built the runtime filters.
func (s *scan) prepare(ctx context.Context) {
	req := &storage.ScanRequest{
		Columns: s.n.Columns, Prune: s.n.Prune, BatchRows: s.rt.BatchRows, Limit: s.n.Limit, Counters: s.counters, Pages: s.rt.Pages,
	}
	if s.rt.Budget != nil {
		req.Budget = s.rt.Budget.Reserve(fmt.Sprintf("scan #%d (%s)", s.n.ID, s.n.Table))
	}
	for _, f := range s.n.Filters {
		req.Filters = append(req.Filters, storage.Filter{Columns: f.Columns, New: func() (storage.FilterFunc, error) {
			p, err := eval.CompilePredicate([]expr.Expr{f.Cond}, s.rt.Functions)
			if err != nil {
				return nil, err
			}
			p.Borrow(s.rt.selections)
			return p.Select, nil
		}})
	}
	if len(s.n.RuntimeFilters) > 0 {
		made := s.filters.forScan(s.n.RuntimeFilters, s.n.Source.Columns(), s.node)
		req.Filters = append(req.Filters, made.filters...)
		req.Prune = append(slices.Clip(req.Prune), made.prune...)
		if s.topN = made.topN; s.topN != nil {
			req.Moving = s.topN.prune
		}
	}
	s.req = req
	if s.splits, s.err = s.n.Source.Splits(ctx, req); s.err != nil {
		return
	}
	if src, ok := s.n.Source.(storage.BoundedSource); ok && s.topN != nil {
		s.bounded = src
		s.topN.order(src, s.splits)
	}
	if s.n.Limit < 0 {
		s.splits = divideLast(s.splits, s.rt.Instances)
	}
}

// leastDivided is the number of rows from which a part of a split is worth its opening.
const leastDivided = 32 << 10

// divideLast cuts splits so that none holds more than two thirds of a driver's share of what is left
// when it is dealt out: drivers end together though row groups are few or large (guided
// self-scheduling, Polychronopoulos and Kuck 1987). Parts of one split are dealt out apart,
// because what they share is read by the first one while others would wait for it.
func divideLast(splits []storage.Split, drivers int) []storage.Split {
	if drivers < 2 {
		return splits
	}
	whole := len(splits) // of these none is cut
	var cut [][]storage.Split
	left := int64(0)
	for i, sp := range slices.Backward(splits) {
		left += sp.Rows()
		parts := []storage.Split{sp}
		rows := max(leastDivided, 2*left/int64(3*drivers))
		if d, ok := sp.(storage.Divisible); ok && sp.Rows() > rows {
			parts = d.Divide(rows)
			whole = i
		}
		cut = append(cut, parts)
	}
	slices.Reverse(cut)
	return append(slices.Clip(splits[:whole]), takeTurns(cut[whole:])...)
}

// takeTurns is the first splits of all lists, then the second ones, and so on.
func takeTurns(lists [][]storage.Split) []storage.Split {
	var out []storage.Split
	for k := 0; ; k++ {
		before := len(out)
		for _, l := range lists {
			if k < len(l) {
				out = append(out, l[k])
			}
		}
		if len(out) == before {
			return out
		}
	}
}

// Open implements Source.
func (s *scan) Open(ctx context.Context, _ *Driver) (SourceReader, error) {
	s.once.Do(func() { s.prepare(ctx) })
	if s.err != nil {
		return nil, s.err
	}
	return &scanReader{s: s}, nil
}

type scanReader struct {
	s   *scan
	cur storage.Reader
}

// Next implements SourceReader.
func (r *scanReader) Next(ctx context.Context) (*vector.Batch, error) {
	for {
		if r.cur == nil {
			i := int(r.s.next.Add(1)) - 1
			if i >= len(r.s.splits) {
				return nil, nil
			}
			if r.s.bounded != nil && r.s.topN.skips(r.s.bounded, r.s.splits[i]) {
				continue
			}
			var err error
			if r.cur, err = r.s.n.Source.Open(ctx, r.s.splits[i], r.s.req); err != nil {
				return nil, err
			}
		}
		b, err := r.cur.Next(ctx)
		if err != nil || b != nil {
			return b, err
		}
		r.cur.Close()
		r.cur = nil
	}
}

// Close implements SourceReader.
func (r *scanReader) Close() {
	if r.cur != nil {
		r.cur.Close()
		r.cur = nil
	}
}
