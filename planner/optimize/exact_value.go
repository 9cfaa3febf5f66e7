package optimize

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// family groups types whose values a cast that loses nothing carries into one another: within a family,
// values of different types can be compared exactly.
type family uint8

const (
	ownFamily family = iota // comparable with its own type only
	exactNumbers
	moments
	texts
)

func familyOf(t sqltype.Type) family {
	switch {
	case t.IsInteger(), t.Kind == sqltype.Decimal:
		return exactNumbers
	case t.Kind == sqltype.Date, t.Kind == sqltype.DateTime:
		return moments
	case t.IsString():
		return texts
	}
	return ownFamily
}

// comparable reports whether values of the two types have one exact order.
func comparable(a, b sqltype.Type) bool {
	f := familyOf(a)
	return f == familyOf(b) && (f != ownFamily || a.Equal(b))
}

// valueAs is v as a value of type t that is exactly as large, if there is one.
func valueAs(v vector.Value, t sqltype.Type) (vector.Value, bool) {
	switch {
	case v.Null || !comparable(v.Type, t):
		return v, false
	case familyOf(t) == exactNumbers:
		x, ok := rescaled(v.I, digits(v.Type), digits(t))
		if !ok || t.IsInteger() && !fitsInteger(x, t) || t.Kind == sqltype.Decimal && !fitsDecimal(x, int(t.Precision)) {
			return v, false
		}
		return vector.Value{Type: t, I: x}, true
	case familyOf(t) == moments:
		micros := microsOf(v)
		if t.Kind == sqltype.Date {
			days := micros / microsPerDay
			return vector.IntValue(t, days), days*microsPerDay == micros
		}
		_, ok := unscale(int128.FromInt64(micros), 6-int(t.Scale))
		return vector.IntValue(t, micros), ok
	}
	v.Type = t
	return v, true
}

// compareExact orders two values of one family; ok is false when they cannot be compared.
func compareExact(a, b vector.Value) (order int, ok bool) {
	switch {
	case a.Null || b.Null || !comparable(a.Type, b.Type):
		return 0, false
	case familyOf(a.Type) == exactNumbers && digits(a.Type) != digits(b.Type):
		scale := max(digits(a.Type), digits(b.Type))
		x, ok1 := rescaled(a.I, digits(a.Type), scale)
		y, ok2 := rescaled(b.I, digits(b.Type), scale)
		return x.Cmp(y), ok1 && ok2
	case familyOf(a.Type) == moments && a.Type.Kind != b.Type.Kind:
		return int128.FromInt64(microsOf(a)).Cmp(int128.FromInt64(microsOf(b))), true
	}
	return a.Compare(b), true
}

// digits is the scale of an exact number's integer form.
func digits(t sqltype.Type) int {
	if t.Kind == sqltype.Decimal {
		return int(t.Scale)
	}
	return 0
}

// rescaled moves the decimal point; it fails where a digit would be lost or 128 bits are too few.
func rescaled(x int128.Int, from, to int) (int128.Int, bool) {
	if from > to {
		return unscale(x, from-to)
	}
	ok := true
	for range to - from {
		if x, ok = x.MulOK(int128.FromInt64(10)); !ok {
			return x, false
		}
	}
	return x, true
}

func microsOf(v vector.Value) int64 {
	if v.Type.Kind == sqltype.Date {
		return v.Int64() * microsPerDay
	}
	return v.Int64()
}
