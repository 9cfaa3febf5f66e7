package basalt

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// paramValues turns Go arguments into parameter values.
func paramValues(args []any) ([]vector.Value, error) {
	out := make([]vector.Value, len(args))
	for i, a := range args {
		v, err := paramValue(a)
		if err != nil {
			return nil, sqlerr.Wrap(sqlerr.WrongArguments, err, "argument %d", i+1)
		}
		out[i] = v
	}
	return out, nil
}

func paramValue(a any) (vector.Value, error) {
	switch a := a.(type) {
	case nil:
		return vector.NullOf(sqltype.T(sqltype.Null)), nil
	case bool:
		return vector.BoolValue(a), nil
	case float64:
		return vector.FloatValue(a), nil
	case float32:
		return vector.FloatValue(float64(a)), nil
	case string:
		return vector.StringValue(sqltype.T(sqltype.String), a), nil
	case []byte:
		return vector.StringValue(sqltype.T(sqltype.String), string(a)), nil
	case time.Time:
		return vector.IntValue(sqltype.DateTimeOf(6), wallMicros(a)), nil
	}
	v := reflect.ValueOf(a)
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return vector.NullOf(sqltype.T(sqltype.Null)), nil
	case v.Kind() == reflect.Pointer:
		return paramValue(v.Elem().Interface())
	case v.CanInt():
		return vector.IntValue(sqltype.T(sqltype.BigInt), v.Int()), nil
	case v.CanUint():
		if u := v.Uint(); u > math.MaxInt64 {
			return vector.Value{Type: sqltype.T(sqltype.LargeInt), I: int128.FromUint64(u)}, nil
		}
		return vector.IntValue(sqltype.T(sqltype.BigInt), int64(v.Uint())), nil
	case v.Kind() == reflect.String:
		return paramValue(v.String())
	case v.CanFloat():
		return paramValue(v.Float())
	}
	if s, ok := a.(fmt.Stringer); ok { // decimals of other packages
		return vector.StringValue(sqltype.T(sqltype.String), s.String()), nil
	}
	return vector.Value{}, sqlerr.New(sqlerr.WrongArguments, "the Go type %T has no SQL type", a)
}

// wallMicros is the clock reading of t as DATETIME microseconds, whatever its zone.
func wallMicros(t time.Time) int64 {
	_, off := t.Zone()
	return t.UnixMicro() + int64(off)*1e6
}

// Next moves to the next row for Scan and Values; false at the end or on an error (see Err).
func (r *Rows) Next(ctx context.Context) bool {
	if r.err != nil {
		return false
	}
	r.row++
	for r.batch == nil || r.row >= r.batch.NumRows() {
		r.batch, r.err = r.NextBatch(ctx)
		if r.err != nil || r.batch == nil {
			return false
		}
		r.row = 0
	}
	return true
}

// Err is the error that ended Next.
func (r *Rows) Err() error { return r.err }

// Values are the current row's values as Go values: nil, bool, int64, *big.Int for LARGEINT,
// float64, string (also for decimals, exact), []byte for BINARY, time.Time in UTC.
func (r *Rows) Values() []any {
	out := make([]any, len(r.batch.Cols))
	row := r.batch.Row(r.row)
	for i, c := range r.batch.Cols {
		out[i] = goAny(c.Value(row))
	}
	return out
}

// AppendText appends the current row's value of a column as text, as the MySQL protocol and
// casts to strings show it; null is true, and nothing appended, for NULL and for BITMAP and HLL.
func (r *Rows) AppendText(dst []byte, col int) (out []byte, null bool) {
	v, row := r.batch.Cols[col], r.batch.Row(r.row)
	if v.IsNull(row) || v.Type.IsOpaque() {
		return dst, true
	}
	return vector.AppendText(dst, v, row), false
}

func goAny(x vector.Value) any {
	if x.Null {
		return nil
	}
	switch x.Type.Kind {
	case sqltype.Boolean:
		return x.IsTrue()
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.BigInt:
		return x.Int64()
	case sqltype.Float, sqltype.Double:
		return x.F
	case sqltype.Date:
		return time.Unix(x.Int64()*86400, 0).UTC()
	case sqltype.DateTime, sqltype.Timestamp:
		return time.UnixMicro(x.Int64()).UTC()
	case sqltype.Binary, sqltype.Bitmap, sqltype.HLL:
		return []byte(x.S)
	}
	return x.Text()
}

// Scan copies the current row into pointers: *string takes any value as text, *any as
// Values gives it, numbers convert when they fit, **T takes NULL as nil.
func (r *Rows) Scan(dest ...any) error {
	vals := r.Values()
	if len(dest) != len(vals) {
		return sqlerr.New(sqlerr.WrongArguments, "Scan needs %d destinations, got %d", len(vals), len(dest))
	}
	row := r.batch.Row(r.row)
	for i, d := range dest {
		if err := scanOne(d, vals[i], r.batch.Cols[i].Value(row)); err != nil {
			return sqlerr.Wrap(sqlerr.WrongArguments, err, "column %d (%s)", i+1, r.cols[i].Name)
		}
	}
	return nil
}

func scanOne(dest, val any, x vector.Value) error {
	if p, ok := dest.(*any); ok {
		*p = val
		return nil
	}
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return sqlerr.New(sqlerr.WrongArguments, "destination %T is no pointer", dest)
	}
	d := p.Elem()
	if val == nil {
		if d.Kind() != reflect.Pointer {
			return sqlerr.New(sqlerr.WrongArguments, "NULL does not fit %s", d.Type())
		}
		d.SetZero()
		return nil
	}
	if d.Kind() == reflect.Pointer {
		d.Set(reflect.New(d.Type().Elem()))
		d = d.Elem()
	}
	v := reflect.ValueOf(val)
	switch {
	case v.Type() == d.Type():
		d.Set(v)
		return nil
	case d.Kind() == reflect.String:
		d.SetString(x.Text())
		return nil
	case d.CanInt() && v.CanInt() && !d.OverflowInt(v.Int()):
		d.SetInt(v.Int())
		return nil
	case d.CanFloat() && (v.CanFloat() || v.CanInt()):
		d.SetFloat(v.Convert(reflect.TypeFor[float64]()).Float())
		return nil
	case d.CanFloat() && x.Type.Kind == sqltype.Decimal:
		d.SetFloat(x.I.Float64() / math.Pow10(int(x.Type.Scale)))
		return nil
	case d.Kind() == reflect.Bool && v.CanInt():
		d.SetBool(v.Int() != 0)
		return nil
	}
	return sqlerr.New(sqlerr.WrongArguments, "%s does not fit %s", x.Type, d.Type())
}
