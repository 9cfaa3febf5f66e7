package partition

import (
	"slices"
	"sort"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// domain is the set of values that a column can have where conditions hold: ranges that do not meet, ascending,
// and whether NULL is one of them. Immutable.
//
// Types whose values have neighbours (integers, dates, moments) have closed ranges only: > 5 is >= 6.
type domain struct {
	ranges []span
	null   bool
}

// span is one range; a nil end has no limit.
type span struct {
	lo, hi         *vector.Value
	loOpen, hiOpen bool
}

// everything is the domain of a column without conditions.
var everything = &domain{ranges: []span{{}}, null: true}

func (d *domain) empty() bool { return len(d.ranges) == 0 && !d.null }

// neighbour is the value next to v: above it for step 1, below for -1. ok is false for types without
// neighbours and beyond the ends of a type.
func neighbour(v vector.Value, step int64) (vector.Value, bool) {
	t := v.Type
	if t.Kind == sqltype.DateTime || t.Kind == sqltype.Timestamp {
		for range 6 - t.Scale {
			step *= 10
		}
		if _, r := v.I.QuoRem(int128.FromInt64(step)); r.Sign() != 0 {
			return v, false // finer than its type
		}
	} else if !t.IsInteger() && t.Kind != sqltype.Date && t.Kind != sqltype.Decimal {
		return v, false
	}
	x, ok := v.I.AddOK(int128.FromInt64(step))
	return vector.Value{Type: t, I: x}, ok
}

func from(v vector.Value, open bool) span {
	if open {
		if x, ok := neighbour(v, 1); ok {
			return span{lo: &x}
		}
	}
	return span{lo: &v, loOpen: open}
}

func upTo(v vector.Value, open bool) span {
	if open {
		if x, ok := neighbour(v, -1); ok {
			return span{hi: &x}
		}
	}
	return span{hi: &v, hiOpen: open}
}

// domainOf is a domain that holds every value of the column in rows that satisfy p.
func domainOf(p *storage.Predicate, column int) *domain {
	switch p.Op {
	case storage.OpAnd:
		d := everything
		for i := range p.Children {
			d = d.intersect(domainOf(&p.Children[i], column))
		}
		return d
	case storage.OpOr:
		d := &domain{}
		for i := range p.Children {
			if d = d.union(domainOf(&p.Children[i], column)); d == everything {
				break
			}
		}
		return d
	}
	if p.Column != column {
		return everything
	}
	switch p.Op {
	case storage.OpIsNull:
		return &domain{null: true}
	case storage.OpIsNotNull:
		return &domain{ranges: []span{{}}}
	case storage.OpIn:
		return pointsOf(p.Values)
	case storage.OpEq:
		return pointsOf(p.Values[:1])
	case storage.OpNe:
		return &domain{ranges: []span{upTo(p.Values[0], true), from(p.Values[0], true)}}
	case storage.OpLt, storage.OpLe:
		return &domain{ranges: []span{upTo(p.Values[0], p.Op == storage.OpLt)}}
	case storage.OpGt, storage.OpGe:
		return &domain{ranges: []span{from(p.Values[0], p.Op == storage.OpGt)}}
	case storage.OpPrefix:
		return prefixed(p.Values[0])
	}
	return everything
}

func pointsOf(values []vector.Value) *domain {
	if !slices.IsSortedFunc(values, vector.Value.Compare) {
		values = slices.SortedFunc(slices.Values(values), vector.Value.Compare)
	}
	d := &domain{ranges: make([]span, 0, len(values))}
	for i := range values {
		if i == 0 || values[i].Compare(values[i-1]) != 0 {
			d.ranges = append(d.ranges, span{lo: &values[i], hi: &values[i]})
		}
	}
	return d
}

// prefixed are the texts that begin with v.
func prefixed(v vector.Value) *domain {
	s := span{lo: &v}
	for n := len(v.S); n > 0; n-- {
		if c := v.S[n-1]; c < 0xff {
			end := v
			end.S = v.S[:n-1] + string([]byte{c + 1})
			s.hi, s.hiOpen = &end, true
			break
		}
	}
	return &domain{ranges: []span{s}}
}

// compareLow orders lower ends: no limit first, a closed end before an open one.
func compareLow(a, b span) int {
	switch {
	case a.lo == nil || b.lo == nil:
		return rank(a.lo != nil) - rank(b.lo != nil)
	case a.lo == b.lo:
		return rank(a.loOpen) - rank(b.loOpen)
	}
	if c := a.lo.Compare(*b.lo); c != 0 {
		return c
	}
	return rank(a.loOpen) - rank(b.loOpen)
}

// compareHigh orders upper ends: an open end before a closed one, no limit last.
func compareHigh(a, b span) int {
	switch {
	case a.hi == nil || b.hi == nil:
		return rank(a.hi == nil) - rank(b.hi == nil)
	case a.hi == b.hi:
		return rank(b.hiOpen) - rank(a.hiOpen)
	}
	if c := a.hi.Compare(*b.hi); c != 0 {
		return c
	}
	return rank(b.hiOpen) - rank(a.hiOpen)
}

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// endsBefore reports that a lies below b wholly.
func endsBefore(a, b span) bool {
	if a.hi == nil || b.lo == nil {
		return false
	}
	c := a.hi.Compare(*b.lo)
	return c < 0 || c == 0 && (a.hiOpen || b.loOpen)
}

func (d *domain) intersect(e *domain) *domain {
	switch {
	case d == everything:
		return e
	case e == everything:
		return d
	}
	out := &domain{null: d.null && e.null}
	a, b := d.ranges, e.ranges
	for len(a) > 0 && len(b) > 0 {
		if !endsBefore(a[0], b[0]) && !endsBefore(b[0], a[0]) {
			s := a[0]
			if compareLow(b[0], s) > 0 {
				s.lo, s.loOpen = b[0].lo, b[0].loOpen
			}
			if compareHigh(b[0], s) < 0 {
				s.hi, s.hiOpen = b[0].hi, b[0].hiOpen
			}
			out.ranges = append(out.ranges, s)
		}
		if compareHigh(a[0], b[0]) <= 0 {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

func (d *domain) union(e *domain) *domain {
	if d == everything || e == everything {
		return everything
	}
	all := slices.Concat(d.ranges, e.ranges)
	slices.SortFunc(all, compareLow)
	out := &domain{null: d.null || e.null}
	for _, s := range all {
		last := len(out.ranges) - 1
		if last < 0 || endsBefore(out.ranges[last], s) {
			out.ranges = append(out.ranges, s)
		} else if compareHigh(s, out.ranges[last]) > 0 {
			out.ranges[last].hi, out.ranges[last].hiOpen = s.hi, s.hiOpen
		}
	}
	return out
}

// has reports whether v is in d.
func (d *domain) has(v vector.Value) bool {
	if v.Null {
		return d.null
	}
	return d.meets(span{lo: &v, hi: &v})
}

// meets reports whether any value of s is in d.
func (d *domain) meets(s span) bool {
	if s.lo != nil && s.hi != nil {
		if c := s.lo.Compare(*s.hi); c > 0 || c == 0 && (s.loOpen || s.hiOpen) {
			return false
		}
	}
	i := sort.Search(len(d.ranges), func(i int) bool { return !endsBefore(d.ranges[i], s) })
	return i < len(d.ranges) && !endsBefore(s, d.ranges[i])
}

// points are the values of d where they are not more than limit.
func (d *domain) points(t sqltype.Type, limit int) ([]vector.Value, bool) {
	if len(d.ranges) > limit {
		return nil, false
	}
	out := make([]vector.Value, 0, len(d.ranges)+1)
	for _, s := range d.ranges {
		if s.lo == nil || s.hi == nil || s.loOpen || s.hiOpen {
			return nil, false
		}
		for v := *s.lo; ; {
			if v.Type = t; len(out) >= limit {
				return nil, false
			}
			out = append(out, v)
			if v.Compare(*s.hi) == 0 {
				break
			}
			next, ok := neighbour(v, 1) // a short range is a list: 3 <= x AND x <= 5
			if !ok {
				return nil, false
			}
			v = next
		}
	}
	if d.null {
		out = append(out, vector.NullOf(t))
	}
	return out, len(out) <= limit
}
