package parquet

import (
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// canCast reports whether every value of from is read as to without a loss: widening.
// Decimals of another scale are included; a value that does not fit is an error then.
func canCast(from, to sqltype.Type) bool {
	switch {
	case from.Equal(to):
		return true
	case from.Kind == sqltype.Boolean:
		return to.IsInteger()
	case from.IsInteger():
		if to.IsInteger() {
			return to.Kind >= from.Kind
		}
		return to.Kind == sqltype.Double || to.Kind == sqltype.Decimal || to.Kind == sqltype.Float && from.Kind <= sqltype.SmallInt
	case from.Kind == sqltype.Float:
		return to.Kind == sqltype.Double
	case from.Kind == sqltype.Decimal:
		return to.Kind == sqltype.Decimal || to.Kind == sqltype.Double || to.Kind == sqltype.LargeInt && from.Scale == 0
	case from.Kind == sqltype.Date:
		return to.Kind == sqltype.DateTime || to.Kind == sqltype.Timestamp
	case from.Kind == sqltype.DateTime, from.Kind == sqltype.Timestamp:
		return to.Kind == sqltype.DateTime || to.Kind == sqltype.Timestamp
	case from.Kind == sqltype.Time:
		return to.Kind == sqltype.Time
	case from.Physical() == sqltype.PhysString:
		return to.Physical() == sqltype.PhysString && to.Kind != sqltype.Bitmap && to.Kind != sqltype.HLL
	}
	return false
}

// caster widens vectors of a file's type to the table's. A dictionary is converted once.
type caster struct {
	from, to sqltype.Type
	place    string

	dict   *vector.Vector // last dictionary, and what became of it
	casted *vector.Vector
	view   vector.Vector
	out    vector.Vector
}

func (c *caster) apply(v *vector.Vector) (*vector.Vector, error) {
	if v.Form == vector.Dictionary {
		if c.dict != v.Dict {
			d := &vector.Vector{}
			if err := c.flat(d, v.Dict); err != nil {
				return nil, err
			}
			c.dict, c.casted = v.Dict, d
		}
		c.view = vector.Vector{Type: c.to, Form: vector.Dictionary, Len: v.Len, Codes: v.Codes, Valid: v.Valid, Dict: c.casted}
		return &c.view, nil
	}
	if err := c.flat(&c.out, v); err != nil {
		return nil, err
	}
	return &c.out, nil
}

// flat converts the flat or constant vector v into out.
func (c *caster) flat(out, v *vector.Vector) error {
	if c.from.Physical() == c.to.Physical() && (c.from.Kind != sqltype.Decimal && c.to.Kind != sqltype.Decimal || c.from.Scale == c.to.Scale && c.from.Kind == c.to.Kind && c.from.Precision <= c.to.Precision) {
		*out = vector.Vector{Type: c.to, Form: v.Form, Len: v.Len, Data: v.Data, Valid: v.Valid, Bufs: v.Bufs}
		return nil
	}
	n := len(v.Data) / v.Type.Physical().Size()
	out.Type = c.to
	out.Reset(n)
	out.Form, out.Len, out.Valid = v.Form, v.Len, v.Valid
	switch v.Type.Physical() {
	case sqltype.PhysBool:
		return castFrom[uint8](c, out, v)
	case sqltype.PhysInt8:
		return castFrom[int8](c, out, v)
	case sqltype.PhysInt16:
		return castFrom[int16](c, out, v)
	case sqltype.PhysInt32:
		return castFrom[int32](c, out, v)
	case sqltype.PhysInt64:
		return castFrom[int64](c, out, v)
	case sqltype.PhysInt128:
		return c.wide(out, vector.Values[int128.Int](v))
	case sqltype.PhysFloat32:
		d := vector.Values[float64](out)
		for i, x := range vector.Values[float32](v) {
			d[i] = float64(x)
		}
		return nil
	}
	return c.refuse()
}

func (c *caster) refuse() error {
	return sqlerr.New(sqlerr.TypeMismatch, "cannot read %s of %s as %s", c.from, c.place, c.to)
}

type signed interface {
	int8 | int16 | int32 | int64 | uint8
	vector.Fixed
}

// castFrom converts integers, dates and short decimals.
func castFrom[S signed](c *caster, out, v *vector.Vector) error {
	src := vector.Values[S](v)
	switch {
	case c.from.Kind == sqltype.Date && c.to.Physical() == sqltype.PhysInt64:
		d := vector.Values[int64](out)
		for i, x := range src {
			d[i] = int64(x) * microsPerDay
		}
		return nil
	case c.to.Kind == sqltype.Decimal || c.from.Kind == sqltype.Decimal && c.to.Kind != sqltype.Double:
		w := make([]int128.Int, len(src))
		for i, x := range src {
			w[i] = int128.FromInt64(int64(x))
		}
		return c.wide(out, w)
	case c.to.Kind == sqltype.Double:
		d := vector.Values[float64](out)
		div := math.Pow10(int(c.from.Scale))
		if c.from.Kind != sqltype.Decimal {
			div = 1
		}
		for i, x := range src {
			d[i] = float64(x) / div
		}
		return nil
	case c.to.Kind == sqltype.Float:
		d := vector.Values[float32](out)
		for i, x := range src {
			d[i] = float32(x)
		}
		return nil
	}
	switch c.to.Physical() {
	case sqltype.PhysInt8:
		widen[S, int8](out, src)
	case sqltype.PhysInt16:
		widen[S, int16](out, src)
	case sqltype.PhysInt32:
		widen[S, int32](out, src)
	case sqltype.PhysInt64:
		widen[S, int64](out, src)
	case sqltype.PhysInt128:
		d := vector.Values[int128.Int](out)
		for i, x := range src {
			d[i] = int128.FromInt64(int64(x))
		}
	default:
		return c.refuse()
	}
	return nil
}

func widen[S signed, D int8 | int16 | int32 | int64](out *vector.Vector, src []S) {
	d := vector.Values[D](out)
	for i, x := range src {
		d[i] = D(x)
	}
}

// wide converts 128-bit integers and decimals to decimals, large integers and doubles.
func (c *caster) wide(out *vector.Vector, src []int128.Int) error {
	if c.to.Kind == sqltype.Double {
		d := vector.Values[float64](out)
		div := math.Pow10(int(c.from.Scale))
		for i, x := range src {
			d[i] = x.Float64() / div
		}
		return nil
	}
	up := int(c.to.Scale) - int(c.from.Scale)
	limit := int128.Max
	if c.to.Kind == sqltype.Decimal {
		limit = int128.Pow10[c.to.Precision]
	}
	short := c.to.Physical() == sqltype.PhysInt64
	for i, x := range src {
		y, ok := rescale(x, up)
		if !ok || c.to.Kind == sqltype.Decimal && (!y.Less(limit) || !y.Neg().Less(limit)) {
			if out.Valid.Get(i) {
				return sqlerr.New(sqlerr.OutOfRange, "value %s of %s does not fit %s", int128.AppendDecimal(nil, x, int(c.from.Scale)), c.place, c.to)
			}
			y = int128.Int{}
		}
		if short {
			vector.Values[int64](out)[i] = int64(y.Lo)
		} else {
			vector.Values[int128.Int](out)[i] = y
		}
	}
	return nil
}

// rescale multiplies by 10^up, or divides by 10^-up rounding half away from zero.
func rescale(x int128.Int, up int) (int128.Int, bool) {
	if up >= 0 {
		return x.MulOK(int128.Pow10[up])
	}
	div := int128.Pow10[-up]
	q, r := x.QuoRem(div)
	if twice := r.Abs().Add(r.Abs()); !twice.Less(div) {
		q = q.AddInt64(int64(x.Sign()))
	}
	return q, true
}
