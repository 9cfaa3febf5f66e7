package executor

import (
	"sync"

	"github.com/basaltdb/basalt/executor/hashtable"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// spilledKeys gathers what runtime filters need of build rows that go to disk: when the build
// side does not fit, every one of its rows passes by here once. It is then that filters matter most, because
// probe rows that they drop need not go to disk either.
type spilledKeys struct {
	mu   sync.Mutex
	free map[int][]*keyCollector // by key: those that no driver uses now
	all  map[int][]*keyCollector
	// bloom by key, of a size that is guessed; nil where there is none.
	bloom map[int]*hashtable.Bloom
	room  map[int]int // keys that a bloom filter has room for
}

// Sizes of a Bloom filter whose build side is not known yet: as estimated, but at least guessedKeys; less
// when memory is short, down to fewestKeys, and at most one part in spilledShare of the limit.
const (
	guessedKeys  = 1 << 20
	fewestKeys   = 1 << 13
	spilledShare = 64
	// unlimitedBytes is for budgets without a limit of their own: parts of a query.
	unlimitedBytes = 256 << 10
)

// collectSpilled looks at rows on their way to disk; keys are flat vectors.
func (j *hashJoin) collectSpilled(keys []*vector.Vector) {
	if j.filters == nil || len(j.n.RuntimeFilters) == 0 || !filtersProbe(j.n.Kind) {
		return
	}
	seen := map[int]bool{}
	for _, spec := range j.n.RuntimeFilters {
		if seen[spec.Key] {
			continue
		}
		seen[spec.Key] = true
		v := keys[spec.Key]
		c, bloom := j.spilled.take(j, spec.Key)
		c.add(v, nil)
		if bloom != nil {
			sel, _ := withoutNulls(v, nil, c.sel)
			c.sel = sel
			if c.keys == nil {
				c.keys = hashtable.NewKeys(c.layout)
			}
			c.keys.Encode([]*vector.Vector{v}, v.Len, sel)
			bloom.Add(c.keys.Hash())
		}
		j.spilled.put(spec.Key, c)
	}
}

// filtersProbe: joins of this kind drop probe rows without a match.
func filtersProbe(k physical.JoinKind) bool {
	switch k {
	case physical.Inner, physical.Semi, physical.Right, physical.RightSemi, physical.RightAnti:
		return true
	}
	return false
}

func (s *spilledKeys) take(j *hashJoin, key int) (*keyCollector, *hashtable.Bloom) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.free = map[int][]*keyCollector{}, map[int][]*keyCollector{}
		s.bloom, s.room = map[int]*hashtable.Bloom{}, map[int]int{}
	}
	if s.all[key] == nil && j.wantsBloom(key) {
		s.makeBloom(j, key)
	}
	if n := len(s.free[key]); n > 0 {
		c := s.free[key][n-1]
		s.free[key] = s.free[key][:n-1]
		return c, s.bloom[key]
	}
	t := j.layout.Type(key)
	l, err := hashtable.NewJoinLayout([]sqltype.Type{t}, []bool{false})
	if err != nil {
		l = j.layout // cannot happen: the join has the type as a key
	}
	c := newKeyCollector(l, t, &hashtable.Arena{}, j.rt.Filters.maxIn(), 0)
	s.all[key] = append(s.all[key], c)
	return c, s.bloom[key]
}

// makeBloom makes the Bloom filter of a key before its first row, or none.
func (s *spilledKeys) makeBloom(j *hashJoin, key int) {
	const perWord, keyBytes = 4, 2 // of NewBloom
	room := max(guessedKeys, int(j.n.Build.Base().Rows))
	room = min(room, int(j.rt.Filters.maxBytes()/8)*perWord)
	var memory *budget.Reservation
	if j.rt.Budget != nil {
		memory = j.rt.Budget.Reserve("runtime filter")
		most := int64(unlimitedBytes)
		if limit := j.rt.Budget.SpillLimit(); limit > 0 {
			most = limit / spilledShare
		}
		room = min(room, int(most/keyBytes))
	}
	for ; room >= fewestKeys; room /= 2 {
		if memory.Grow(int64(room)*keyBytes) == nil {
			s.bloom[key], s.room[key] = hashtable.NewBloom(room), room
			return
		}
	}
}

func (s *spilledKeys) put(key int, c *keyCollector) {
	s.mu.Lock()
	s.free[key] = append(s.free[key], c)
	s.mu.Unlock()
}

func (j *hashJoin) wantsBloom(key int) bool {
	const member = physical.FilterBloom | physical.FilterInOrBloom | physical.FilterBitmap
	return j.kindsOf(key)&member != 0
}

// kindsOf is the forms that are wanted of a key.
func (j *hashJoin) kindsOf(key int) (k physical.FilterKind) {
	for _, spec := range j.n.RuntimeFilters {
		if spec.Key == key {
			k |= kindOf(spec)
		}
	}
	return k
}

// publishSpilled publishes the filters of a build side that is partly on disk.
func (j *hashJoin) publishSpilled() {
	if j.filters == nil || !filtersProbe(j.n.Kind) {
		return
	}
	made := map[int]*publication{}
	for _, spec := range j.n.RuntimeFilters {
		p := made[spec.Key]
		if p == nil {
			p = j.spilledFilter(spec.Key)
			made[spec.Key] = p
		}
		j.filters.publish(spec.ID, p)
		j.node.addFilter(spec.ID, kindOf(spec).String()).made(p)
	}
}

func (j *hashJoin) spilledFilter(key int) *publication {
	t, kinds := j.layout.Type(key), j.kindsOf(key)
	list := j.spilled.all[key]
	if len(list) == 0 {
		return &publication{why: "the build side went to disk unseen"}
	}
	x, bounds := collected(list[0].layout, t, list)
	x.null = x.null && j.nullSafe(key)
	if kinds&(physical.FilterIn|physical.FilterInOrBloom|physical.FilterBitmap) == 0 {
		x.values = nil
	}
	const crowded = 4
	switch bloom := j.spilled.bloom[key]; {
	case x.rows == 0:
	case x.values != nil:
		x.fillValues(bounds)
	case bloom != nil && x.rows <= crowded*j.spilled.room[key]:
		x.bloom = bloom
	}
	if kinds&physical.FilterMinMax == 0 && x.values == nil {
		x.min, x.max = nil, nil
	}
	if x.rows > 0 && x.bits == nil && x.bloom == nil && x.min == nil && x.max == nil {
		return &publication{why: "the build side is on disk and too large"}
	}
	return &publication{filter: x}
}
