package optimize

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/vector"
)

// maxHullPoints bounds the IN list that a union of lists may grow to.
const maxHullPoints = 1000

// limit is one end of a range of values.
type limit struct {
	v      vector.Value
	strict bool // v itself is outside
}

// values is what conditions leave of a column: a list or a range, patterns, and whether NULL. The zero value
// leaves everything. Values may be of several types of one family; see compareExact. What cannot be
// compared is left out, so that a values is never narrower than the conditions.
type values struct {
	only     bool           // nothing but points
	points   []vector.Value // ascending, each once
	lo, hi   *limit
	patterns []string // LIKE patterns with a fixed start
	notNull  bool     // NULL does not pass
	said     bool     // IS NOT NULL was written
	never    bool     // nothing passes
}

// open reports that nothing but, perhaps, NULL is excluded.
func (v *values) open() bool {
	return !v.only && v.lo == nil && v.hi == nil && len(v.patterns) == 0 && !v.never
}

// meet narrows v by w and reports whether v changed.
func (v *values) meet(w *values) bool {
	changed := false
	if w.never && !v.never {
		v.never, changed = true, true
	}
	if w.notNull && !v.notNull {
		v.notNull, changed = true, true
	}
	if w.said && !v.said {
		v.said, changed = true, true
	}
	for _, p := range w.patterns {
		if !slices.Contains(v.patterns, p) {
			v.patterns, changed = append(v.patterns, p), true
		}
	}
	if w.lo != nil && (v.lo == nil || above(w.lo, v.lo) && !above(v.lo, w.lo)) {
		v.lo, changed = w.lo, true
	}
	if w.hi != nil && (v.hi == nil || below(w.hi, v.hi) && !below(v.hi, w.hi)) {
		v.hi, changed = w.hi, true
	}
	if w.only {
		if !v.only {
			v.only, v.points, changed = true, w.points, true
		} else if both, ok := intersection(v.points, w.points); ok && len(both) < len(v.points) {
			v.points, changed = both, true
		}
	}
	return v.settle() || changed
}

// above reports that the limit a excludes all that b does, from below.
func above(a, b *limit) bool {
	c, ok := compareExact(a.v, b.v)
	return ok && (c > 0 || c == 0 && (a.strict || !b.strict))
}

func below(a, b *limit) bool {
	c, ok := compareExact(a.v, b.v)
	return ok && (c < 0 || c == 0 && (a.strict || !b.strict))
}

// settle applies range and patterns to the points, and finds out what is empty.
func (v *values) settle() bool {
	if v.never {
		return false
	}
	changed := false
	if !v.only && v.lo != nil && v.hi != nil {
		switch c, ok := compareExact(v.lo.v, v.hi.v); {
		case ok && c == 0 && !v.lo.strict && !v.hi.strict:
			v.only, v.points, changed = true, []vector.Value{v.lo.v}, true
		case ok && c >= 0:
			v.never, changed = true, true
		}
	}
	if v.only {
		keep := slices.DeleteFunc(slices.Clone(v.points), func(x vector.Value) bool { return !v.mayHold(x) })
		if len(keep) < len(v.points) {
			v.points, changed = keep, true
		}
		if len(keep) == 0 {
			v.never, changed = true, true
		}
	}
	return changed
}

// mayHold tests one value against range and patterns; it errs towards true.
func (v *values) mayHold(x vector.Value) bool {
	if v.lo != nil {
		if c, ok := compareExact(x, v.lo.v); ok && (c < 0 || c == 0 && v.lo.strict) {
			return false
		}
	}
	if v.hi != nil {
		if c, ok := compareExact(x, v.hi.v); ok && (c > 0 || c == 0 && v.hi.strict) {
			return false
		}
	}
	for _, p := range v.patterns {
		if x.Type.IsString() && !strings.HasPrefix(x.S, fixedStart(p)) {
			return false
		}
	}
	return true
}

// fixedStart is what every text that matches a LIKE pattern begins with.
func fixedStart(pattern string) string {
	if end := strings.IndexAny(pattern, `%_\`); end >= 0 {
		return pattern[:end]
	}
	return pattern
}

// intersection of two ascending lists of one family.
func intersection(a, b []vector.Value) (both []vector.Value, ok bool) {
	for len(a) > 0 && len(b) > 0 {
		c, ok := compareExact(a[0], b[0])
		switch {
		case !ok:
			return nil, false
		case c < 0:
			a = a[1:]
		case c > 0:
			b = b[1:]
		default:
			both = append(both, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return both, true
}

// within reports that every value that v leaves, w leaves too; patterns and NULL aside.
func (v *values) within(w *values) bool {
	if w.only {
		if !v.only {
			return false
		}
		both, ok := intersection(v.points, w.points)
		return ok && len(both) == len(v.points)
	}
	return v.aboveLimit(w.lo) && v.belowLimit(w.hi)
}

// aboveLimit reports that v leaves nothing that l excludes from below.
func (v *values) aboveLimit(l *limit) bool {
	if l == nil || v.lo != nil && above(v.lo, l) {
		return true
	}
	return v.only && len(v.points) > 0 && above(&limit{v: v.points[0]}, l)
}

func (v *values) belowLimit(l *limit) bool {
	if l == nil || v.hi != nil && below(v.hi, l) {
		return true
	}
	return v.only && len(v.points) > 0 && below(&limit{v: v.points[len(v.points)-1]}, l)
}

// hull is what holds of a value that is in v or in w: the union of two lists, or one range around both.
func (v *values) hull(w *values) *values {
	switch {
	case v.never:
		return w
	case w.never:
		return v
	}
	out := &values{notNull: v.notNull && w.notNull, said: v.said && w.said}
	if v.only && w.only {
		if all, ok := unionOf(v.points, w.points); ok {
			out.only, out.points = true, all
			return out
		}
	}
	out.lo = lower(v.lowest(), w.lowest())
	out.hi = higher(v.highest(), w.highest())
	for _, p := range v.patterns {
		if slices.Contains(w.patterns, p) {
			out.patterns = append(out.patterns, p)
		}
	}
	return out
}

func (v *values) lowest() *limit {
	if v.only && len(v.points) > 0 {
		return &limit{v: v.points[0]}
	}
	return v.lo
}

func (v *values) highest() *limit {
	if v.only && len(v.points) > 0 {
		return &limit{v: v.points[len(v.points)-1]}
	}
	return v.hi
}

// lower is the wider of two lower limits; nil is no limit.
func lower(a, b *limit) *limit {
	if a == nil || b == nil {
		return nil
	}
	if _, ok := compareExact(a.v, b.v); !ok {
		return nil
	}
	if above(a, b) {
		return b
	}
	return a
}

func higher(a, b *limit) *limit {
	if a == nil || b == nil {
		return nil
	}
	if _, ok := compareExact(a.v, b.v); !ok {
		return nil
	}
	if below(a, b) {
		return b
	}
	return a
}

func unionOf(a, b []vector.Value) ([]vector.Value, bool) {
	out := make([]vector.Value, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) == 0:
			out, b = append(out, b[0]), b[1:]
			continue
		case len(b) == 0:
			out, a = append(out, a[0]), a[1:]
			continue
		}
		c, ok := compareExact(a[0], b[0])
		if !ok {
			return nil, false
		}
		if c <= 0 {
			out, a = append(out, a[0]), a[1:]
		}
		if c == 0 {
			b = b[1:]
		} else if c > 0 {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return out, len(out) <= maxHullPoints
}
