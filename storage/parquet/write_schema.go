package parquet

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

func sortedKeys(m map[string]string) []string {
	var out []string
	for k := range m {
		if k != typesKey {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// storedType is the physical type that a SQL type is written as.
func storedType(t sqltype.Type) (physicalType, error) {
	switch t.Kind {
	case sqltype.Boolean:
		return physBoolean, nil
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.Date:
		return physInt32, nil
	case sqltype.BigInt, sqltype.DateTime, sqltype.Timestamp, sqltype.Time:
		return physInt64, nil
	case sqltype.LargeInt:
		return physFixed, nil
	case sqltype.Float:
		return physFloat, nil
	case sqltype.Double:
		return physDouble, nil
	case sqltype.Decimal:
		if t.Physical() == sqltype.PhysInt64 {
			return physInt64, nil
		}
		return physFixed, nil
	case sqltype.Null, sqltype.Array, sqltype.Map, sqltype.Struct:
		return 0, sqlerr.Unsupported("writing " + t.String() + " to Parquet")
	}
	return physByteArray, nil
}

// schema writes the column's SchemaElement.
func (c *columnWriter) schema(w *thriftWriter) {
	t := c.col.Type
	w.elem()
	w.i32(1, int32(c.typ))
	if c.typ == physFixed {
		w.i32(2, 16)
	}
	rep := int32(repRequired)
	if c.col.Nullable {
		rep = repOptional
	}
	w.i32(3, rep)
	w.string(4, c.col.Name)
	if v := convertedType(t); v >= 0 {
		w.i32(6, v)
	}
	precision, scale := int32(t.Precision), int32(t.Scale)
	if t.Kind == sqltype.LargeInt {
		precision, scale = sqltype.MaxDecimalPrecision, 0
	}
	if t.Kind == sqltype.Decimal || t.Kind == sqltype.LargeInt {
		w.i32(7, scale)
		w.i32(8, precision)
	}
	writeLogical(w, t, precision, scale)
	w.close()
}

// convertedType is the older annotation, -1 where there is none that means the same.
func convertedType(t sqltype.Type) int32 {
	switch t.Kind {
	case sqltype.TinyInt:
		return convInt8
	case sqltype.SmallInt:
		return convInt16
	case sqltype.LargeInt, sqltype.Decimal:
		return convDecimal
	case sqltype.Date:
		return convDate
	case sqltype.Timestamp:
		return convTimestampMicros
	case sqltype.Char, sqltype.Varchar, sqltype.String:
		return convUTF8
	case sqltype.JSON:
		return convJSON
	}
	return -1
}

func writeLogical(w *thriftWriter, t sqltype.Type, precision, scale int32) {
	if t.Physical() == sqltype.PhysString && !t.IsString() && t.Kind != sqltype.JSON {
		return // bytes
	}
	switch t.Kind {
	case sqltype.Boolean, sqltype.Int, sqltype.BigInt, sqltype.Float, sqltype.Double:
		return
	}
	w.open(10)
	switch t.Kind {
	case sqltype.TinyInt, sqltype.SmallInt:
		w.open(logicalInteger)
		w.i8(1, int8(8*t.Physical().Size()))
		w.bool(2, true)
		w.close()
	case sqltype.LargeInt, sqltype.Decimal:
		w.open(logicalDecimal)
		w.i32(1, scale)
		w.i32(2, precision)
		w.close()
	case sqltype.Date:
		w.empty(logicalDate)
	case sqltype.Time:
		w.open(logicalTime)
		w.bool(1, false)
		w.open(2)
		w.empty(unitMicros)
		w.close()
		w.close()
	case sqltype.DateTime, sqltype.Timestamp:
		w.open(logicalTimestamp)
		w.bool(1, t.Kind == sqltype.Timestamp)
		w.open(2)
		w.empty(unitMicros)
		w.close()
		w.close()
	case sqltype.JSON:
		w.empty(logicalJSON)
	default:
		w.empty(logicalString)
	}
	w.close()
}

// newColumnWriter prepares a column.
func newColumnWriter(c storage.Column) (*columnWriter, error) {
	typ, err := storedType(c.Type)
	if err != nil {
		return nil, err
	}
	w := &columnWriter{col: c, typ: typ}
	switch typ {
	case physBoolean:
		w.width = 1
	case physInt32, physFloat:
		w.width = 4
	case physInt64, physDouble:
		w.width = 8
	case physFixed:
		w.width = 16
	}
	return w, nil
}
