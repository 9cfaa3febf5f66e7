package eval

import "sync"

// Selections lends the memory of one query's selections and takes it back at the query's end, for queries to come: one that
// looks at a few rows spends more on it than on them. Safe for concurrent use; nil lends memory of its own.
type Selections struct {
	mu    sync.Mutex
	taken []*[]int32
}

// mostSelections is how many lists a query gets: one of many readers leaves theirs to the garbage collector, early.
const mostSelections = 32

var selections = sync.Pool{New: func() any { return new([]int32) }}

// take is a list with room for n rows.
func (s *Selections) take(n int) []int32 {
	if s == nil {
		return make([]int32, 0, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == mostSelections {
		return make([]int32, 0, n)
	}
	list := selections.Get().(*[]int32)
	if cap(*list) < n {
		*list = make([]int32, 0, n)
	}
	s.taken = append(s.taken, list)
	return (*list)[:0]
}

// Close ends the query: nobody looks at its selections any more.
func (s *Selections) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.taken {
		selections.Put(list)
	}
	s.taken = nil
}
