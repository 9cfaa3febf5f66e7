package function

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func likeFunctions() map[string]builder { return map[string]builder{"like": resolveLike} }

// resolveLike is like(x, pattern[, escape constant]).
func resolveLike(name string, args []Arg) (*Scalar, error) {
	if len(args) != 2 && len(args) != 3 || len(args) == 3 && args[2].Const == nil {
		return nil, wrongArguments(name, args)
	}
	params := make([]sqltype.Type, len(args))
	for i, a := range args {
		params[i] = textParam(a.Type)
		if !castable(a.Type, params[i]) {
			return nil, wrongArguments(name, args)
		}
	}
	return &Scalar{
		Params: params, Result: tBoolean,
		New: func(consts []*vector.Value) (Kernel, error) {
			m, err := newLikeMatcher(consts)
			if err != nil {
				return nil, err
			}
			return m.kernel, nil
		},
		NewSelector: func(consts []*vector.Value) (Selector, error) {
			m, err := newLikeMatcher(consts)
			if err != nil {
				return nil, err
			}
			return m.selector, nil
		},
	}, nil
}

// textParam keeps text types as they are, so that no cast is made, and makes the rest STRING.
func textParam(t sqltype.Type) sqltype.Type {
	if isText(t) {
		return t
	}
	return tString
}

// likeShape is what a pattern amounts to.
type likeShape uint8

const (
	likeGeneral  likeShape = iota
	likeEqual              // abc
	likePrefix             // abc%
	likeSuffix             // %abc
	likeContains           // %abc%
	likeAll                // %
)

// likePattern is a compiled pattern: the segments between the % signs.
type likePattern struct {
	shape    likeShape
	literal  []byte // of the simple shapes
	segments []likeSegment
	anyStart bool // begins with %
	anyEnd   bool // ends with %
}

// likeSegment matches a fixed number of characters.
type likeSegment struct {
	text []byte // any[k] marks a byte that stands for one whole character
	any  []bool
	wild bool // some any is set
}

// compileLike reads a pattern. escape is the byte that takes the special meaning of the
// next one away; -1 for none.
func compileLike(pattern []byte, escape int) likePattern {
	var p likePattern
	var seg likeSegment
	flush := func() {
		if len(seg.text) > 0 {
			p.segments = append(p.segments, seg)
		}
		seg = likeSegment{}
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case int(c) == escape && i+1 < len(pattern):
			i++
			seg.text, seg.any = append(seg.text, pattern[i]), append(seg.any, false)
		case c == '%':
			p.anyStart = p.anyStart || i == 0
			p.anyEnd = i == len(pattern)-1
			flush()
		case c == '_':
			seg.text, seg.any, seg.wild = append(seg.text, '_'), append(seg.any, true), true
		default:
			seg.text, seg.any = append(seg.text, c), append(seg.any, false)
		}
	}
	flush()
	switch {
	case len(p.segments) == 0 && p.anyEnd:
		p.shape = likeAll
	case len(p.segments) == 0:
		p.shape = likeEqual
	case len(p.segments) == 1 && !p.segments[0].wild:
		p.literal = p.segments[0].text
		switch {
		case p.anyStart && p.anyEnd:
			p.shape = likeContains
		case p.anyStart:
			p.shape = likeSuffix
		case p.anyEnd:
			p.shape = likePrefix
		default:
			p.shape = likeEqual
		}
	}
	return p
}

// at matches the segment at the start of b and returns its length in b, -1 when it differs.
func (s *likeSegment) at(b []byte) int {
	if !s.wild {
		if bytes.HasPrefix(b, s.text) {
			return len(s.text)
		}
		return -1
	}
	j := 0
	for k, c := range s.text {
		if j >= len(b) {
			return -1
		}
		if s.any[k] {
			j += charLen(b[j:])
			continue
		}
		if b[j] != c {
			return -1
		}
		j++
	}
	return j
}

// find is the first match in b: where it starts and its length; -1 when there is none.
func (s *likeSegment) find(b []byte) (start, length int) {
	if !s.wild {
		return bytes.Index(b, s.text), len(s.text)
	}
	for i := 0; i < len(b); i += charLen(b[i:]) {
		if n := s.at(b[i:]); n >= 0 {
			return i, n
		}
	}
	return -1, 0
}

// endsWith reports whether the segment matches the very end of b.
func (s *likeSegment) endsWith(b []byte) bool {
	if !s.wild {
		return bytes.HasSuffix(b, s.text)
	}
	for i := len(b); ; {
		if n := s.at(b[i:]); n == len(b)-i {
			return true
		}
		if i == 0 {
			return false
		}
		_, n := utf8.DecodeLastRune(b[:i])
		i -= n
	}
}

// charLen is the length of the first character; a broken byte counts as one.
func charLen(b []byte) int {
	if b[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(b)
	return n
}

// match takes segments from the left; the leftmost match of each leaves the most room.
func (p *likePattern) match(b []byte) bool {
	switch p.shape {
	case likeEqual:
		return bytes.Equal(b, p.literal)
	case likePrefix:
		return bytes.HasPrefix(b, p.literal)
	case likeSuffix:
		return bytes.HasSuffix(b, p.literal)
	case likeContains:
		return bytes.Contains(b, p.literal)
	case likeAll:
		return true
	}
	segs := p.segments
	if !p.anyStart {
		n := segs[0].at(b)
		if n < 0 {
			return false
		}
		b, segs = b[n:], segs[1:]
		if len(segs) == 0 {
			return p.anyEnd || len(b) == 0
		}
	}
	last := len(segs)
	if !p.anyEnd {
		last--
	}
	for k := range segs[:last] {
		at, n := segs[k].find(b)
		if at < 0 {
			return false
		}
		b = b[at+n:]
	}
	return p.anyEnd || segs[last].endsWith(b)
}

// likeMatcher is the state of one LIKE call on one driver.
type likeMatcher struct {
	constant bool
	escape   int
	pattern  likePattern
	source   []byte // of pattern, when it is not constant
}

func newLikeMatcher(consts []*vector.Value) (*likeMatcher, error) {
	m := &likeMatcher{escape: '\\'}
	if len(consts) == 3 && consts[2] != nil && !consts[2].Null {
		switch len(consts[2].S) {
		case 0:
			m.escape = -1
		case 1:
			m.escape = int(consts[2].S[0])
		default:
			return nil, sqlerr.New(sqlerr.WrongArguments, "ESCAPE takes one character, not '%s'", consts[2].S)
		}
	}
	if consts != nil && consts[1] != nil {
		m.constant = true
		m.pattern = compileLike([]byte(consts[1].S), m.escape)
	}
	return m, nil
}

// use compiles pattern unless it is the one in use.
func (m *likeMatcher) use(pattern []byte) {
	if m.constant || m.source != nil && bytes.Equal(pattern, m.source) {
		return
	}
	m.source = append(m.source[:0:0], pattern...)
	if m.source == nil {
		m.source = []byte{}
	}
	m.pattern = compileLike(m.source, m.escape)
}

func (m *likeMatcher) kernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, dst := textOf(args[0]), textOf(args[1]), vector.Values[bool](out)
	if m.constant && m.pattern.shape == likeContains {
		for k := range count(out, sel) {
			i := row(sel, k)
			dst[i] = bytes.Contains(x.at(i), m.pattern.literal)
		}
		return nil
	}
	for i := range live(out, sel) {
		m.use(pat.at(i))
		dst[i] = m.pattern.match(x.at(i))
	}
	return nil
}

func (m *likeMatcher) selector(_ *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error) {
	for _, a := range args {
		if constantNull(a) {
			return dst, nil
		}
	}
	x, pat := textOf(args[0]), textOf(args[1])
	base, k := len(dst), 0
	room, rows := roomFor(dst, n, sel)
	literal := m.pattern.literal
	switch {
	case m.constant && m.pattern.shape == likeContains:
		for j := range room {
			i := row(rows, j)
			room[k] = int32(i)
			k += b2i(bytes.Contains(x.at(i), literal))
		}
	case m.constant && m.pattern.shape == likePrefix && len(literal) >= 4:
		four := binary.LittleEndian.Uint32(literal) // lies in the view itself
		for j := range room {
			i := row(rows, j)
			v := &x.views[i&x.mask]
			w0, _ := v.Words()
			if uint32(w0>>32) == four && bytes.HasPrefix(v.Bytes(x.bufs), literal) {
				room[k] = int32(i)
				k++
			}
		}
	case m.constant && m.pattern.shape == likePrefix:
		for j := range room {
			i := row(rows, j)
			room[k] = int32(i)
			k += b2i(bytes.HasPrefix(x.at(i), literal))
		}
	case m.constant && m.pattern.shape == likeSuffix:
		for j := range room {
			i := row(rows, j)
			room[k] = int32(i)
			k += b2i(bytes.HasSuffix(x.at(i), literal))
		}
	default:
		for j := range room {
			i := row(rows, j)
			m.use(pat.at(i))
			room[k] = int32(i)
			k += b2i(m.pattern.match(x.at(i)))
		}
	}
	kept := dropNulls(args[1], dropNulls(args[0], room[:k]))
	return dst[:base+len(kept)], nil
}
