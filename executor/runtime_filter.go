package executor

import (
	"context"
	"sync"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// runtimeFilters are the filters that a query's hash joins made of their build sides, by
// id. A join publishes before its probe pipeline starts; scans ask when they open. Safe
// for concurrent use.
type runtimeFilters struct {
	mu   sync.Mutex
	byID map[int]*runtimeFilter
}

// runtimeFilter is what a build side's key column tells about rows that can match.
// Immutable once published.
type runtimeFilter struct {
	layout *hashtable.Layout // of the one key
	typ    sqltype.Type
	rows   int // build rows; 0: nothing can match
	// min and max bound the keys of types that order as values; nil else.
	min, max *vector.Value
	// values are all distinct keys, ascending, when there are few.
	values []vector.Value
	// A key is tested exactly by bits [x-base] where integers lie close together, else by bloom.
	bits  []uint64
	base  int64
	bloom *hashtable.Bloom
}

// Limits of runtime filters.
const (
	maxFilterValues = 128     // of an IN list for pruning
	maxFilterBits   = 1 << 27 // span of an exact bit filter
	// A reader drops a filter that lets pass more than this many percent of filterTrial rows.
	dropPercent = 70
	filterTrial = 1 << 15
)

func newRuntimeFilters() *runtimeFilters { return &runtimeFilters{byID: map[int]*runtimeFilter{}} }

func (f *runtimeFilters) publish(id int, x *runtimeFilter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byID[id] = x
}

// filtersFor gives a scan its filters, most selective first as the plan lists them, and
// the predicates that let it skip files, row groups and pages. Filters that no join
// published are left out.
func (f *runtimeFilters) filtersFor(refs []physical.RuntimeFilterRef) ([]storage.Filter, []storage.Predicate) {
	if f == nil {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var filters []storage.Filter
	var prune []storage.Predicate
	for _, ref := range refs {
		x := f.byID[ref.ID]
		if x == nil {
			continue
		}
		filters = append(filters, storage.Filter{Columns: []int{ref.Column}, New: func() (storage.FilterFunc, error) {
			return x.newReaderFilter().filter, nil
		}})
		prune = append(prune, x.prune(ref.Column)...)
	}
	return filters, prune
}

// prune says the filter in the language of metadata.
func (x *runtimeFilter) prune(column int) []storage.Predicate {
	switch {
	case x.values != nil:
		return []storage.Predicate{{Op: storage.OpIn, Column: column, Values: x.values}}
	case x.min != nil:
		return []storage.Predicate{
			{Op: storage.OpGe, Column: column, Values: []vector.Value{*x.min}},
			{Op: storage.OpLe, Column: column, Values: []vector.Value{*x.max}},
		}
	case x.rows == 0:
		return []storage.Predicate{{Op: storage.OpIn, Column: column}}
	}
	return nil
}

// publishFilters makes the join's runtime filters. Only kinds that drop probe rows without
// a match may filter them.
func (j *hashJoin) publishFilters(ctx context.Context, parts []*hashtable.Rows, skip vector.Bitmap) error {
	switch j.n.Kind {
	case physical.Inner, physical.Semi, physical.Right, physical.RightSemi, physical.RightAnti:
	default:
		return nil
	}
	if j.filters == nil {
		return nil
	}
	for _, spec := range j.n.RuntimeFilters {
		if j.nullSafe(spec.Key) {
			continue
		}
		x, err := j.makeFilter(ctx, spec.Key, parts, skip)
		if err != nil {
			return err
		}
		if x != nil {
			j.filters.publish(spec.ID, x)
		}
	}
	return nil
}

// filterChunk is how many keys are decoded at a time.
const filterChunk = 4096

func (j *hashJoin) makeFilter(ctx context.Context, key int, parts []*hashtable.Rows, skip vector.Bitmap) (*runtimeFilter, error) {
	t := j.layout.Type(key)
	l, err := hashtable.NewJoinLayout([]sqltype.Type{t}, []bool{false})
	if err != nil {
		return nil, err
	}
	x := &runtimeFilter{layout: l, typ: t}
	distinct := hashtable.NewGroupTable(l, j.arena.NewWriter(), maxFilterValues)
	keys := hashtable.NewKeys(l)
	each := func(do func(v *vector.Vector, sel []int32) error) error {
		return eachKey(ctx, parts, key, t, skip, do)
	}
	first := &keyBounds{typ: t}
	groups := make([]uint32, filterChunk)
	err = each(func(v *vector.Vector, sel []int32) error {
		n := v.Len
		if sel != nil {
			n = len(sel)
		}
		x.rows += n
		first.add(v, sel)
		if distinct.Groups() <= maxFilterValues {
			keys.Encode([]*vector.Vector{v}, v.Len, sel)
			distinct.FindOrAdd(keys, groups[:keys.N])
		}
		return nil
	})
	if err != nil || x.rows == 0 {
		return x, err
	}
	x.min, x.max = first.values()
	if distinct.Groups() <= maxFilterValues {
		x.values = sortedValues(distinct, t)
	}
	if span, ok := first.span(); ok && span < uint64(max(64*x.rows, 1<<16)) && span < maxFilterBits {
		x.base, x.bits = first.lo, make([]uint64, span/64+1)
		return x, each(func(v *vector.Vector, sel []int32) error {
			x.setBits(v, sel)
			return nil
		})
	}
	x.bloom = hashtable.NewBloom(x.rows)
	return x, each(func(v *vector.Vector, sel []int32) error {
		keys.Encode([]*vector.Vector{v}, v.Len, sel)
		x.bloom.Add(keys.Hash())
		return nil
	})
}

// eachKey decodes one key column of all build rows that can match.
func eachKey(ctx context.Context, parts []*hashtable.Rows, key int, t sqltype.Type, skip vector.Bitmap, do func(v *vector.Vector, sel []int32) error) error {
	v := &vector.Vector{Type: t}
	base := 0
	for _, rows := range parts {
		for lo := 0; lo < rows.N; lo += filterChunk {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(filterChunk, rows.N-lo)
			v.Reset(n)
			rows.Decode(key, lo, v)
			var sel []int32
			if skip != nil {
				sel = make([]int32, 0, n)
				for i := range n {
					if skip.Get(base + lo + i) {
						sel = append(sel, int32(i))
					}
				}
			}
			if err := do(v, sel); err != nil {
				return err
			}
		}
		base += rows.N
	}
	return nil
}
