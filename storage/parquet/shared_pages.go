package parquet

import (
	"sync"

	"github.com/basaltdb/basalt/internal/vector"
)

// sharedPages are what the parts of one row group have in common: dictionaries, and data pages
// with rows of several parts. Whoever needs one first reads and decompresses it; without that,
// every part would once more, which costs most where a row group is one page a column, as
// DuckDB writes it. Readers of different goroutines use it. Pages stay until all parts were
// read; what parts that nobody opens leave behind goes with the query.
type sharedPages struct {
	mu      sync.Mutex
	parts   int // not read to their end yet
	readers int // at work
	pages   map[int64]*sharedPage
}

// sharedPage is one page, by the file offset of its header. mu is held while it is read.
type sharedPage struct {
	mu     sync.Mutex
	ready  bool
	header pageHeader
	size   int    // bytes of the header in the file
	levels []byte // of a v2 page
	buf    *buffer
	data   []byte // in buf, or nil

	dict     *vector.Vector // of a dictionary page, never changed
	keepDict bool
	charged  int64 // to the budget, for dict
}

func newSharedPages() *sharedPages {
	return &sharedPages{parts: 1, pages: map[int64]*sharedPage{}}
}

// enter is called by every reader of a part, leave when it has closed its columns.
func (s *sharedPages) enter() {
	s.mu.Lock()
	s.readers++
	s.mu.Unlock()
}

func (s *sharedPages) leave(mem *memory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers--
	s.parts--
	if s.readers > 0 || s.parts > 0 {
		return
	}
	for _, p := range s.pages {
		mem.put(p.buf)
		mem.budget.Shrink(p.charged)
	}
	clear(s.pages)
}

// at is the page whose header is at an offset, made where it is missing.
func (s *sharedPages) at(offset int64) *sharedPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pages[offset]
	if p == nil {
		p = &sharedPage{}
		s.pages[offset] = p
	}
	return p
}

// find is the page at an offset if somebody has read it or is reading it.
func (s *sharedPages) find(offset int64) *sharedPage {
	s.mu.Lock()
	p := s.pages[offset]
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ready {
		return nil
	}
	return p
}

// header is the page header at an offset, and its size.
func (c *column) header(offset int64, ahead int) (pageHeader, int, error) {
	if c.shared != nil {
		if p := c.shared.find(offset); p != nil {
			return p.header, p.size, nil
		}
	}
	return c.win.header(offset, ahead)
}

// sharesPage reports whether rows of the current page are in other parts, too.
func (c *column) sharesPage() bool {
	return c.shared != nil && c.meta.codec != codecNone && (c.ahead-int64(c.page.header.values) < c.lo || c.ahead > c.hi)
}

// sharedBody is the decompressed body of the current page, and its levels if it is a v2 page.
func (c *column) sharedBody() (levels, data []byte, err error) {
	s := c.shared.at(c.page.offset)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return s.levels, s.data, nil
	}
	raw, err := c.rawBody()
	if err != nil {
		return nil, nil, err
	}
	levels, data, err = c.decompressed(raw)
	if err != nil {
		return nil, nil, err
	}
	s.buf, c.page.buf = c.page.buf, nil
	if s.buf == nil { // stored as it is: in the read window, which moves
		s.data = append(make([]byte, 0, len(data)+padding), data...)
	} else {
		s.data = data
	}
	s.levels = append(make([]byte, 0, len(levels)+padding), levels...)
	s.header, s.size, s.ready = c.page.header, int(c.page.body-c.page.offset), true
	return s.levels, s.data, nil
}

// sharedDict takes the chunk's dictionary from who has it, or reads it for all.
func (c *column) sharedDict() error {
	s := c.shared.at(c.start)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		c.dict, c.keepDict = s.dict, s.keepDict
		c.hasDict, c.dictHeader, c.dictBody = true, s.header, c.start+int64(s.size)
		return nil
	}
	if err := c.findDict(); err != nil || !c.hasDict {
		return err
	}
	s.dict, s.keepDict, s.charged = c.dict, c.keepDict, c.dictBytes
	c.dictBytes = 0
	s.header, s.size, s.ready = c.dictHeader, int(c.dictBody-c.start), true
	return nil
}
