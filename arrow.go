package basalt

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// ArrowType is the Arrow type that a column of type t becomes. LARGEINT is
// decimal128(38, 0): values beyond 38 digits are refused.
func ArrowType(t sqltype.Type) (arrow.DataType, error) {
	switch t.Kind {
	case sqltype.Null:
		return arrow.Null, nil
	case sqltype.Boolean:
		return arrow.FixedWidthTypes.Boolean, nil
	case sqltype.TinyInt:
		return arrow.PrimitiveTypes.Int8, nil
	case sqltype.SmallInt:
		return arrow.PrimitiveTypes.Int16, nil
	case sqltype.Int:
		return arrow.PrimitiveTypes.Int32, nil
	case sqltype.BigInt:
		return arrow.PrimitiveTypes.Int64, nil
	case sqltype.LargeInt:
		return &arrow.Decimal128Type{Precision: 38}, nil
	case sqltype.Float:
		return arrow.PrimitiveTypes.Float32, nil
	case sqltype.Double:
		return arrow.PrimitiveTypes.Float64, nil
	case sqltype.Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case sqltype.Date:
		return arrow.FixedWidthTypes.Date32, nil
	case sqltype.DateTime:
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case sqltype.Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, nil
	case sqltype.Time:
		return arrow.FixedWidthTypes.Duration_us, nil
	case sqltype.Char, sqltype.Varchar, sqltype.String, sqltype.JSON:
		return arrow.BinaryTypes.String, nil
	case sqltype.Binary, sqltype.Bitmap, sqltype.HLL:
		return arrow.BinaryTypes.Binary, nil
	}
	return nil, sqlerr.Unsupported("Arrow form of " + t.String())
}

// ArrowSchema is the schema of the record batches that NextRecord gives.
func (r *Rows) ArrowSchema() (*arrow.Schema, error) {
	fields := make([]arrow.Field, len(r.cols))
	for i, c := range r.cols {
		t, err := ArrowType(c.Type)
		if err != nil {
			return nil, err
		}
		fields[i] = arrow.Field{Name: c.Name, Type: t, Nullable: c.Nullable}
	}
	return arrow.NewSchema(fields, nil), nil
}

// NextRecord returns the next rows as an Arrow record batch, nil at the end. The record is
// the caller's, who calls its Release; it shares no memory with the engine.
func (r *Rows) NextRecord(ctx context.Context) (arrow.RecordBatch, error) {
	schema, err := r.ArrowSchema()
	if err != nil {
		return nil, err
	}
	b, err := r.NextBatch(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	n := b.NumRows()
	cols := make([]arrow.Array, len(b.Cols))
	for i, c := range b.Cols {
		data, err := arrowData(schema.Field(i).Type, c, b.Sel, n)
		if err != nil {
			return nil, err
		}
		cols[i] = array.MakeFromData(data)
		data.Release()
	}
	return array.NewRecordBatch(schema, cols, int64(n)), nil
}

// arrowData copies the selected rows of a vector into Arrow's layout.
func arrowData(t arrow.DataType, v *vector.Vector, sel []int32, n int) (*array.Data, error) {
	if v.Type.Kind == sqltype.Null {
		return array.NewData(t, n, []*memory.Buffer{nil}, nil, n, 0), nil
	}
	flat := vector.CopyOf(v, sel)
	nulls := flat.Valid.CountZeros(n)
	var valid *memory.Buffer
	if nulls > 0 {
		valid = memory.NewBufferBytes(bitmapBytes(flat.Valid, n))
	}
	bufs := []*memory.Buffer{valid, nil}
	switch flat.Type.Physical() {
	case sqltype.PhysBool:
		bits := make([]byte, bitutil.BytesForBits(int64(n)))
		for i, x := range vector.Values[bool](flat) {
			bitutil.SetBitTo(bits, i, x)
		}
		bufs[1] = memory.NewBufferBytes(bits)
	case sqltype.PhysString:
		offsets, data := arrowStrings(flat, n)
		bufs = []*memory.Buffer{valid, offsets, data}
	case sqltype.PhysInt64:
		if flat.Type.Kind != sqltype.Decimal {
			bufs[1] = memory.NewBufferBytes(flat.Data)
			break
		}
		wide := make([]int128.Int, n)
		for i, x := range vector.Values[int64](flat) {
			wide[i] = int128.FromInt64(x)
		}
		bufs[1] = memory.NewBufferBytes(vector.FromValues(flat.Type, wide, nil).Data)
	case sqltype.PhysInt128:
		if flat.Type.Kind == sqltype.LargeInt {
			for _, x := range vector.Values[int128.Int](flat) {
				if x.Abs().Cmp(int128.Pow10[38]) >= 0 {
					return nil, sqlerr.New(sqlerr.OutOfRange, "LARGEINT value %s does not fit Arrow's decimal128", x)
				}
			}
		}
		bufs[1] = memory.NewBufferBytes(flat.Data)
	default:
		bufs[1] = memory.NewBufferBytes(flat.Data)
	}
	return array.NewData(t, n, bufs, nil, nulls, 0), nil
}

func bitmapBytes(b vector.Bitmap, n int) []byte {
	out := make([]byte, bitutil.BytesForBits(int64(n)))
	for i := range out {
		out[i] = byte(b[i>>3] >> (uint(i) & 7 * 8))
	}
	return out
}

func arrowStrings(v *vector.Vector, n int) (offsets, data *memory.Buffer) {
	offs := make([]int32, n+1)
	views := vector.Values[vector.View](v)
	total := 0
	for i := range views {
		total += views[i].Len()
	}
	text := make([]byte, 0, total)
	for i := range views {
		if v.Valid.Get(i) {
			text = append(text, views[i].Bytes(v.Bufs)...)
		}
		offs[i+1] = int32(len(text))
	}
	return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offs)), memory.NewBufferBytes(text)
}
