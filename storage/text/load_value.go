package text

import (
	"math"
	"strconv"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// coerce stores what is nearest to b, a text that its type's parser refused, as row i, and tells the problem.
func (c *converter) coerce(b []byte, i int) {
	t := c.col.Type
	if !t.IsNumeric() && t.Kind != sqltype.Boolean {
		if !c.castText(b, i) {
			c.problem(WrongValue, i, b)
			c.out.SetNull(i)
		}
		return
	}
	text := trim(b)
	n := numberPrefix(text)
	switch {
	case n == 0:
		c.problem(WrongValue, i, b)
		c.out.SetValue(i, vector.Value{Type: t})
		return
	case n < len(text):
		c.problem(CutValue, i, b)
	}
	text = text[:n]
	if parserOf(t)(text, &c.out, i) {
		return
	}
	f, _ := strconv.ParseFloat(string(text), 64) // out of range is infinite
	switch {
	case t.IsFloat():
		f = math.Copysign(math.MaxFloat64, f)
		if t.Kind == sqltype.Float {
			f = math.Copysign(math.MaxFloat32, f)
		}
		c.problem(OutOfRange, i, b)
		c.out.SetValue(i, vector.Value{Type: t, F: f})
	case t.Kind == sqltype.Boolean:
		c.out.SetValue(i, vector.Value{Type: t, I: int128.FromInt64(int64(min(math.Abs(f), 1)))})
	case t.Kind == sqltype.Decimal || t.Kind == sqltype.LargeInt:
		precision := int(t.Precision)
		if t.Kind == sqltype.LargeInt {
			precision = sqltype.MaxDecimalPrecision
		}
		most := int128.FromInt64(1)
		for range precision {
			most, _ = most.MulOK(int128.FromInt64(10))
		}
		most = most.AddInt64(-1)
		if f < 0 {
			most = most.Neg()
		}
		c.problem(OutOfRange, i, b)
		c.out.SetValue(i, vector.Value{Type: t, I: most})
	default:
		c.coerceInt(b, i, math.Round(f))
	}
}

// castText stores what CAST makes of b; false where that is NULL.
func (c *converter) castText(b []byte, i int) bool {
	text := sqltype.T(sqltype.String)
	if c.cast == nil {
		fn, err := function.Cast(text, c.col.Type)
		if err != nil || fn == nil {
			return false
		}
		if c.cast, err = fn.New([]*vector.Value{nil}); err != nil {
			return false
		}
		c.one = vector.New(c.col.Type, 1)
	}
	c.one.Reset(1)
	if err := c.cast(&function.Context{}, []*vector.Vector{vector.FromStrings(text, string(b))}, nil, c.one); err != nil || c.one.IsNull(0) {
		return false
	}
	c.out.SetValue(i, c.one.Value(0))
	return true
}

// coerceInt stores a rounded number, or the nearest that the type has.
func (c *converter) coerceInt(b []byte, i int, f float64) {
	limit := math.Ldexp(1, 8*c.col.Type.Physical().Size()-1)
	var v int64
	switch {
	case f >= limit:
		v = int64(uint64(limit) - 1)
		c.problem(OutOfRange, i, b)
	case f < -limit:
		v = -int64(limit - 1)
		v--
		c.problem(OutOfRange, i, b)
	default:
		v = int64(f)
	}
	c.out.SetValue(i, vector.Value{Type: c.col.Type, I: int128.FromInt64(v)})
}

// numberPrefix is how many bytes at the beginning of b are a number.
func numberPrefix(b []byte) int {
	i := 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		i++
	}
	digits := func() (n int) {
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			n++
		}
		return n
	}
	n := digits()
	if i < len(b) && b[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return 0
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		before := i
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		if digits() == 0 {
			i = before
		}
	}
	return i
}
