package executor

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// filterBuild makes one runtime filter of one key of a join's build rows.
type filterBuild struct {
	rt       *Runtime
	kinds    physical.FilterKind
	arena    *hashtable.Arena
	key      int
	typ      sqltype.Type
	nullSafe bool
	parts    []*hashtable.Rows
	skip     vector.Bitmap // a zero for each row that nothing finds; nil: all can be found
}

// Sizes of the parts that a filter is made in.
const (
	filterChunk = 1024    // keys that are decoded at a time
	filterTask  = 1 << 14 // keys of one goroutine's task
)

// make looks at all keys once for their bounds and their values as long as these are few, and
// once more to fill a bitmap or a Bloom filter, when one is wanted.
func (b *filterBuild) make(ctx context.Context) (*publication, error) {
	l, err := hashtable.NewJoinLayout([]sqltype.Type{b.typ}, []bool{false})
	if err != nil {
		return nil, err
	}
	workers := make([]*keyCollector, max(b.rt.Instances, 1))
	rows := 0
	for _, r := range b.parts {
		rows += r.N
	}
	newCollector := func() *keyCollector { return newKeyCollector(l, b.typ, b.arena, b.listLimit(), rows) }
	err = b.each(ctx, func(worker int, v *vector.Vector, sel []int32) error {
		if workers[worker] == nil {
			workers[worker] = newCollector()
		}
		workers[worker].add(v, sel)
		return nil
	})
	if err != nil {
		return nil, err
	}
	x, bounds := collected(l, b.typ, workers)
	x.null = x.null && b.nullSafe
	if b.kinds&physical.FilterMinMax == 0 && x.values == nil {
		x.min, x.max = nil, nil
	}
	const member = physical.FilterBloom | physical.FilterInOrBloom | physical.FilterBitmap
	switch {
	case x.rows == 0:
	case b.kinds&member != 0 || x.values != nil:
		if err := b.fill(ctx, x, bounds); err != nil {
			return nil, err
		}
	case b.kinds&physical.FilterMinMax == 0:
		return &publication{why: fmt.Sprintf("more than %d values", b.rt.Filters.maxIn())}, nil
	}
	if x.rows > 0 && x.bits == nil && x.bloom == nil && x.min == nil && x.max == nil {
		return &publication{why: "too large, and the type has no bounds"}, nil
	}
	return &publication{filter: x}, nil
}

// listLimit is how many values are listed, 0 when no list is wanted.
func (b *filterBuild) listLimit() int {
	if b.kinds&(physical.FilterIn|physical.FilterInOrBloom|physical.FilterBitmap) == 0 {
		return 0
	}
	return b.rt.Filters.maxIn()
}

// fill makes the bitmap or the Bloom filter; neither when it would be too large.
func (b *filterBuild) fill(ctx context.Context, x *runtimeFilter, bounds *keyBounds) error {
	most := b.rt.Filters.maxBytes()
	span, ok := bounds.span()
	dense := span < uint64(max(64*x.rows, 1<<16)) || b.kinds&physical.FilterBitmap != 0
	if ok && dense && span < maxFilterBits && int64(span/8) <= most {
		if !b.claim(int64(span/8 + 8)) {
			return nil
		}
		x.base, x.bits = bounds.lo, make([]uint64, span/64+1)
		return b.each(ctx, func(_ int, v *vector.Vector, sel []int32) error {
			x.setBits(v, sel)
			return nil
		})
	}
	const keysPerWord = 4 // of NewBloom
	keys := min(x.rows, int(most/8)*keysPerWord)
	const crowded = 4 // with so many times the keys that there is room for most bits are set
	if x.rows > crowded*keys || !b.claim(int64(keys)*8/keysPerWord) {
		return nil
	}
	x.bloom = hashtable.NewBloom(keys)
	encoders := make([]*hashtable.Keys, max(b.rt.Instances, 1))
	return b.each(ctx, func(worker int, v *vector.Vector, sel []int32) error {
		k := encoders[worker]
		if k == nil {
			k = hashtable.NewKeys(x.layout)
			encoders[worker] = k
		}
		if v.MayHaveNulls() {
			sel, _ = withoutNulls(v, sel, nil)
		}
		k.Encode([]*vector.Vector{v}, v.Len, sel)
		x.bloom.Add(k.Hash())
		return nil
	})
}

// claim reserves memory until the query ends, if there is plenty; without it there is no filter.
func (b *filterBuild) claim(bytes int64) bool {
	const share = 4 // of what is left
	return b.rt.Budget == nil || bytes <= b.rt.Budget.Available()/share && b.rt.Budget.Reserve("runtime filter").TryGrow(bytes)
}

// each decodes the key of all build rows that can match, in parallel. v is flat.
func (b *filterBuild) each(ctx context.Context, do func(worker int, v *vector.Vector, sel []int32) error) error {
	type task struct {
		rows         *hashtable.Rows
		base, lo, hi int
	}
	var tasks []task
	base := 0
	for _, rows := range b.parts {
		for lo := 0; lo < rows.N; lo += filterTask {
			tasks = append(tasks, task{rows, base, lo, min(lo+filterTask, rows.N)})
		}
		base += rows.N
	}
	type scratch struct {
		v   *vector.Vector
		sel []int32
	}
	mem := make([]scratch, max(b.rt.Instances, 1))
	return parallelTasks(ctx, b.rt, len(mem), len(tasks), func(worker, i int) error {
		t, m := tasks[i], &mem[worker]
		if m.v == nil {
			m.v = &vector.Vector{Type: b.typ}
		}
		for lo := t.lo; lo < t.hi; lo += filterChunk {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(filterChunk, t.hi-lo)
			m.v.Reset(n)
			t.rows.Decode(b.key, lo, m.v)
			var sel []int32
			if b.skip != nil {
				if m.sel == nil {
					m.sel = make([]int32, 0, filterChunk)
				}
				sel = m.sel[:0]
				for i := range n {
					if b.skip.Get(t.base + lo + i) {
						sel = append(sel, int32(i))
					}
				}
			}
			if err := do(worker, m.v, sel); err != nil {
				return err
			}
		}
		return nil
	})
}

// keyCollector gathers what a filter needs to know of keys that go by: bounds, NULLs, and
// the distinct values as long as they are few. One goroutine uses it.
type keyCollector struct {
	layout   *hashtable.Layout
	limit    int
	rows     int
	null     bool
	bounds   keyBounds
	distinct *hashtable.GroupTable // nil when there are too many
	keys     *hashtable.Keys
	groups   []uint32
	sel      []int32
}

// newKeyCollector lists up to limit values, of rows rows if that is known, else 0.
func newKeyCollector(l *hashtable.Layout, t sqltype.Type, arena *hashtable.Arena, limit, rows int) *keyCollector {
	c := &keyCollector{layout: l, limit: limit, bounds: keyBounds{typ: t}}
	if limit > 0 {
		c.distinct = hashtable.NewGroupTable(l, arena.NewWriter(), min(limit+filterChunk, max(rows, 256)))
		c.keys = hashtable.NewKeys(l)
	}
	return c
}

// add takes the live rows of a flat vector.
func (c *keyCollector) add(v *vector.Vector, sel []int32) {
	if v.MayHaveNulls() {
		var nulls bool
		if sel, nulls = withoutNulls(v, sel, c.sel); nulls {
			c.null = true
		}
		c.sel = sel
	}
	n := v.Len
	if sel != nil {
		n = len(sel)
	}
	if n == 0 {
		return
	}
	c.rows += n
	c.bounds.add(v, sel)
	if c.distinct == nil {
		return
	}
	if cap(c.groups) < n {
		c.groups = make([]uint32, n)
	}
	c.keys.Encode([]*vector.Vector{v}, v.Len, sel)
	c.distinct.FindOrAdd(c.keys, c.groups[:n])
	if c.distinct.Groups() > c.limit {
		c.distinct = nil
	}
}

// withoutNulls is the live rows that are not NULL, in mem's memory, and whether there are others.
func withoutNulls(v *vector.Vector, sel, mem []int32) ([]int32, bool) {
	if mem == nil {
		mem = make([]int32, 0, v.Len)
	}
	out, n := mem[:0], v.Len
	if sel != nil {
		n = len(sel)
	}
	for i := range n {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if !v.IsNull(r) {
			out = append(out, int32(r))
		}
	}
	return out, len(out) < n
}

// collected puts together what several collectors of one key found; nil ones found nothing.
func collected(l *hashtable.Layout, t sqltype.Type, list []*keyCollector) (*runtimeFilter, *keyBounds) {
	x := &runtimeFilter{layout: l, typ: t}
	bounds := &keyBounds{typ: t}
	listed := true
	limit := 0
	for _, c := range list {
		if c == nil {
			continue
		}
		x.rows += c.rows
		x.null = x.null || c.null
		bounds.merge(&c.bounds)
		limit = c.limit
		if listed = listed && c.distinct != nil; listed {
			x.values = append(x.values, valuesOf(c.distinct, t)...)
		}
	}
	x.min, x.max = bounds.values()
	slices.SortFunc(x.values, vector.Value.Compare)
	x.values = slices.CompactFunc(x.values, func(a, b vector.Value) bool { return a.Compare(b) == 0 })
	if !listed || len(x.values) == 0 || len(x.values) > limit {
		x.values = nil
	}
	return x, bounds
}

func valuesOf(t *hashtable.GroupTable, typ sqltype.Type) []vector.Value {
	v := vector.New(typ, t.Groups())
	t.Rows.Decode(0, 0, v)
	out := make([]vector.Value, v.Len)
	for i := range out {
		out[i] = v.Value(i)
	}
	return out
}

// setBits marks the integers of a flat vector; safe for concurrent use.
func (x *runtimeFilter) setBits(v *vector.Vector, sel []int32) {
	switch v.Type.Physical() {
	case sqltype.PhysInt8:
		setBits[int8](x, v, sel)
	case sqltype.PhysInt16:
		setBits[int16](x, v, sel)
	case sqltype.PhysInt32:
		setBits[int32](x, v, sel)
	case sqltype.PhysInt64:
		setBits[int64](x, v, sel)
	}
}

func setBits[T int8 | int16 | int32 | int64](x *runtimeFilter, v *vector.Vector, sel []int32) {
	vals := vector.Values[T](v)
	set := func(val T) {
		at := uint64(int64(val)) - uint64(x.base)
		if w, bit := &x.bits[at/64], uint64(1)<<(at&63); atomic.LoadUint64(w)&bit == 0 {
			atomic.OrUint64(w, bit)
		}
	}
	if v.MayHaveNulls() {
		sel, _ = withoutNulls(v, sel, nil)
	}
	if sel == nil {
		for _, val := range vals {
			set(val)
		}
		return
	}
	for _, r := range sel {
		set(vals[r])
	}
}

// made says in the profile what became of the filter.
func (c *filterCounters) made(p *publication) {
	x := p.filter
	if x == nil {
		c.set("DROPPED", p.why)
		return
	}
	form := "bounds only"
	switch {
	case x.rows == 0:
		form = "no values"
	case x.values != nil:
		form = fmt.Sprintf("%d values", len(x.values))
	case x.bits != nil:
		form = "exact bitmap of " + size(int64(8*len(x.bits)))
	case x.bloom != nil:
		form = "bloom filter of " + size(x.bloom.Bytes())
	}
	c.set("READY", fmt.Sprintf("%s from %d rows", form, x.rows))
}
