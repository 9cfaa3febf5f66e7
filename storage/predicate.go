package storage

import (
	"sort"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/vector"
)

// Op is a comparison of the pruning language.
type Op uint8

// Pruning operators. NULL never satisfies a comparison.
const (
	OpEq Op = iota
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpIn
	OpIsNull
	OpIsNotNull
	OpPrefix // string starts with Values[0]
	OpOr     // any of Children
	OpAnd    // all of Children
)

// Predicate is the small filter language that metadata can answer: comparisons of a column
// with constants of the column's own type, combined by OR and AND.
type Predicate struct {
	Op       Op
	Column   int            // source ordinal
	Values   []vector.Value // one, or the sorted list of OpIn
	Children []Predicate    // OpOr, OpAnd
}

// Range is what metadata knows of a column in a file, row group or page.
type Range struct {
	Min, Max *vector.Value // nil: unknown
	Nulls    int64         // -1: unknown
	Rows     int64
	// HasNaN tells that NaN rows may lie outside of [Min, Max] (floats).
	HasNaN bool
}

// MayMatch reports whether any row could satisfy p, where lookup gives what is known of a
// column. It errs towards true.
func (p *Predicate) MayMatch(lookup func(column int) Range) bool {
	switch p.Op {
	case OpAnd:
		for i := range p.Children {
			if !p.Children[i].MayMatch(lookup) {
				return false
			}
		}
		return true
	case OpOr:
		for i := range p.Children {
			if p.Children[i].MayMatch(lookup) {
				return true
			}
		}
		return false
	}
	r := lookup(p.Column)
	if p.Op == OpIsNull {
		return r.Nulls != 0
	}
	if r.Nulls >= 0 && r.Rows > 0 && r.Nulls == r.Rows {
		return false
	}
	if p.Op == OpIsNotNull || r.Min == nil || r.Max == nil {
		return true
	}
	return p.mayCompare(r)
}

// mayCompare decides a comparison against known bounds. NaN sorts above every number.
func (p *Predicate) mayCompare(r Range) bool {
	lo, hi := *r.Min, *r.Max
	switch p.Op {
	case OpEq:
		return inRange(p.Values[0], lo, hi, r.HasNaN)
	case OpNe:
		return r.HasNaN || lo.Compare(hi) != 0 || lo.Compare(p.Values[0]) != 0
	case OpLt:
		return lo.Compare(p.Values[0]) < 0
	case OpLe:
		return lo.Compare(p.Values[0]) <= 0
	case OpGt:
		return r.HasNaN || hi.Compare(p.Values[0]) > 0
	case OpGe:
		return r.HasNaN || hi.Compare(p.Values[0]) >= 0
	case OpIn:
		n := len(p.Values)
		if n > 0 && r.HasNaN && p.Values[n-1].F != p.Values[n-1].F {
			return true
		}
		at := sort.Search(n, func(i int) bool { return p.Values[i].Compare(lo) >= 0 })
		return at < n && p.Values[at].Compare(hi) <= 0
	case OpPrefix:
		prefix := p.Values[0].S
		return (len(hi.S) < len(prefix) && hi.S >= prefix[:len(hi.S)] || hi.S >= prefix) &&
			(lo.S < prefix || len(lo.S) >= len(prefix) && lo.S[:len(prefix)] == prefix)
	}
	return true
}

func inRange(v, lo, hi vector.Value, hasNaN bool) bool {
	if hasNaN && v.F != v.F {
		return true
	}
	return lo.Compare(v) <= 0 && hi.Compare(v) >= 0
}

// ScanCounters count what a scan did. Fields are added to atomically.
type ScanCounters struct {
	PartitionsTotal, PartitionsPruned atomic.Int64 // pruned when the scan started, by Prune
	TabletsTotal, TabletsPruned       atomic.Int64
	FilesTotal, FilesPruned           atomic.Int64
	RowGroupsTotal, RowGroupsPruned   atomic.Int64
	PagesRead, PagesSkipped           atomic.Int64
	BytesRead                         atomic.Int64
	RowsRead, RowsFiltered            atomic.Int64 // decoded for the first filter; dropped by filters
}
