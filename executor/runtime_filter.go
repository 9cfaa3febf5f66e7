package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// runtimeFilters are the filters that a query's operators make for its scans, by id. Who
// makes one publishes it before the pipeline of the scan starts, so that no scan ever
// waits; a scan asks when it opens. Safe for concurrent use.
//
// Filters of operators that run several times over parts of their input (bucket by
// bucket) are right for one part only: each run has a child of its own.
type runtimeFilters struct {
	outer *runtimeFilters // filters from further up in the plan; nil at the top

	mu   sync.Mutex
	byID map[int]*publication
}

// publication is one of: a filter, one that is made when it is first asked for, one that
// moves.
type publication struct {
	filter *runtimeFilter
	later  func() *runtimeFilter
	topN   *topNFilter
	why    string // there is none
}

// FilterLimits bound runtime filters; zero values are the defaults.
type FilterLimits struct {
	MaxIn         int   // values of a list (runtime_filter_max_in_num); 0: 1024
	MaxBloomBytes int64 // of a Bloom filter or bitmap (runtime_bloom_filter_max_size); 0: 16 MiB
}

func (l FilterLimits) maxIn() int {
	if l.MaxIn > 0 {
		return l.MaxIn
	}
	return 1024
}

func (l FilterLimits) maxBytes() int64 {
	if l.MaxBloomBytes > 0 {
		return l.MaxBloomBytes
	}
	return 16 << 20
}

// runtimeFilter is what a build side's key column tells about rows that can match.
// Immutable once published.
type runtimeFilter struct {
	layout *hashtable.Layout // of the one key
	typ    sqltype.Type
	rows   int // build rows whose key is not NULL; 0: no value can match
	// null: NULL equals NULL here, and the build side has one.
	null bool
	// min and max bound the keys; nil where nothing is known. Exclusive bounds come from inequalities.
	min, max           *vector.Value
	aboveMin, belowMax bool
	values             []vector.Value // all distinct keys, ascending, when they are few and wanted
	bits               []uint64       // a key is tested exactly by bits [x-base] where integers lie close together,
	base               int64
	bloom              *hashtable.Bloom // else by bloom; without both by its bounds
}

// Limits of runtime filters.
const (
	maxFilterBits = 1 << 27 // span of an exact bit filter
	// A reader drops a filter that lets pass more than this many percent of filterTrial rows.
	dropPercent = 70
	filterTrial = 1 << 15
	// When dropTrials trials of all readers together say so, new readers do not start with it, but one in retryReaders.
	dropTrials   = 4
	retryReaders = 16
)

func newRuntimeFilters() *runtimeFilters { return &runtimeFilters{byID: map[int]*publication{}} }

// child is for an operator that runs over one part of its input: it sees f's filters and
// keeps what is published in it from the rest of the query.
func (f *runtimeFilters) child() *runtimeFilters {
	return &runtimeFilters{outer: f, byID: map[int]*publication{}}
}

func (f *runtimeFilters) publish(id int, p *publication) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byID[id] = p
}

// find is nil for a filter that nobody made.
func (f *runtimeFilters) find(id int) *publication {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	p := f.byID[id]
	if p != nil && p.later != nil {
		p.filter, p.later = p.later(), nil
	}
	f.mu.Unlock()
	if p == nil {
		return f.outer.find(id)
	}
	return p
}

// scanFilters are a scan's part of the runtime filters.
type scanFilters struct {
	filters []storage.Filter
	prune   []storage.Predicate
	topN    *scanTopN // nil: none
}

// forScan gives a scan its filters, most selective first as the plan lists them, and
// the predicates that let it skip partitions, files, row groups and pages. columns are the source's.
func (f *runtimeFilters) forScan(refs []physical.RuntimeFilterRef, columns []storage.Column, node *NodeProfile) scanFilters {
	type use struct {
		x      *runtimeFilter
		column int
	}
	var out scanFilters
	placed := map[use]*scanFilter{}
	for _, ref := range refs {
		p := f.find(ref.ID)
		count := node.addFilter(ref.ID, ref.Kind.String())
		switch {
		case p == nil:
			count.set("NOT_MADE", "")
		case p.topN != nil:
			out.topN = newScanTopN(p.topN, ref.Column, count)
			out.filters = append(out.filters, out.topN.filter())
			count.set("READY", "")
		case p.filter == nil:
			count.set("DROPPED", p.why)
		case placed[use{p.filter, ref.Column}] != nil:
			placed[use{p.filter, ref.Column}].share(ref, count)
		default:
			x := p.filter
			typ := x.typ
			if ref.Type != (sqltype.Type{}) && ref.Column < len(columns) {
				typ = columns[ref.Column].Type
			}
			s := &scanFilter{x: x, count: count}
			placed[use{x, ref.Column}] = s
			out.filters = append(out.filters, s.filter(ref.Column))
			out.prune = append(out.prune, x.prune(ref.Column, typ)...)
			count.set("READY", "")
		}
	}
	return out
}

// scanFilter is a runtime filter at a scan: what its readers learn of its use, together.
type scanFilter struct {
	x                     *runtimeFilter
	count                 *filterCounters // nil: nobody reads them
	seen, passed, readers atomic.Int64
}

// share takes another form of the same filter: bounds prune, and the other form tests the rows.
func (s *scanFilter) share(ref physical.RuntimeFilterRef, count *filterCounters) {
	bounds, rows := count, s.count
	if ref.Kind != physical.FilterMinMax && (s.x.bits != nil || s.x.bloom != nil) {
		bounds, rows = s.count, count
	}
	s.count = rows
	rows.set("READY", "")
	bounds.set("READY", fmt.Sprintf("for pruning; RF%03d tests the rows", rows.id))
}

func (s *scanFilter) filter(column int) storage.Filter {
	return storage.Filter{Columns: []int{column}, New: func() (storage.FilterFunc, error) {
		return s.newReader().filter, nil
	}}
}

// newReader makes one reader's filter, which is not even tried when others found it useless.
func (s *scanFilter) newReader() *readerFilter {
	f := newReaderFilter(s)
	if n := s.readers.Add(1); n%retryReaders != 0 && s.seen.Load() >= dropTrials*filterTrial && useless(s.seen.Load(), s.passed.Load()) {
		f.giveUp()
	}
	return f
}

func useless(seen, passed int64) bool { return passed*100 > seen*dropPercent }

// prune says the filter in the language of metadata, for a column of type typ.
func (x *runtimeFilter) prune(column int, typ sqltype.Type) []storage.Predicate {
	var out []storage.Predicate
	switch {
	case x.rows == 0 || x.values != nil:
		out = []storage.Predicate{{Op: storage.OpIn, Column: column, Values: narrowed(x.values, typ)}}
	default:
		lo, hi := storage.OpGe, storage.OpLe
		if x.aboveMin {
			lo = storage.OpGt
		}
		if x.belowMax {
			hi = storage.OpLt
		}
		if v, ok := narrow(x.min, typ); ok {
			out = append(out, storage.Predicate{Op: lo, Column: column, Values: []vector.Value{v}})
		}
		if v, ok := narrow(x.max, typ); ok {
			out = append(out, storage.Predicate{Op: hi, Column: column, Values: []vector.Value{v}})
		}
	}
	if x.null {
		for i, p := range out {
			out[i] = storage.Predicate{Op: storage.OpOr, Column: column, Children: []storage.Predicate{p, {Op: storage.OpIsNull, Column: column}}}
		}
	}
	return out
}

// narrow is v as a value of the narrower integer type typ; not ok when it is none.
func narrow(v *vector.Value, typ sqltype.Type) (vector.Value, bool) {
	if v == nil {
		return vector.Value{}, false
	}
	if v.Type.Physical() == typ.Physical() {
		return *v, true
	}
	bits := uint(8*typ.Physical().Size() - 1)
	if x := v.Int64(); x < -1<<bits || x > 1<<bits-1 {
		return vector.Value{}, false
	}
	return vector.IntValue(typ, v.Int64()), true
}

// narrowed keeps the values that a column of type typ can have.
func narrowed(list []vector.Value, typ sqltype.Type) []vector.Value {
	out := make([]vector.Value, 0, len(list))
	for i := range list {
		if v, ok := narrow(&list[i], typ); ok {
			out = append(out, v)
		}
	}
	return out
}

// publishFilters makes the join's runtime filters. Only kinds that drop probe rows without
// a match may filter them.
func (j *hashJoin) publishFilters(ctx context.Context, parts []*hashtable.Rows, skip vector.Bitmap) error {
	if j.filters == nil || !filtersProbe(j.n.Kind) {
		return nil
	}
	byKey := map[int]physical.FilterKind{}
	for _, spec := range j.n.RuntimeFilters {
		byKey[spec.Key] |= kindOf(spec)
	}
	watch := j.rt.Profile.stopwatch()
	made := map[int]*publication{}
	for _, spec := range j.n.RuntimeFilters {
		count := j.node.addFilter(spec.ID, kindOf(spec).String())
		p := made[spec.Key]
		if p == nil {
			b := filterBuild{rt: j.rt, kinds: byKey[spec.Key], arena: j.arena, key: spec.Key, typ: j.layout.Type(spec.Key), nullSafe: j.nullSafe(spec.Key), parts: parts, skip: skip}
			var err error
			if p, err = b.make(ctx); err != nil {
				return err
			}
			made[spec.Key] = p
			count.nanos.Store(watch.lap())
		}
		j.filters.publish(spec.ID, p)
		count.made(p)
	}
	return nil
}

func kindOf(spec physical.RuntimeFilter) physical.FilterKind {
	if spec.Kind == 0 {
		return physical.DefaultFilters
	}
	return spec.Kind
}
