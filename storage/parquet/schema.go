package parquet

import (
	"fmt"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// leaf is a top-level column of the file: a flat leaf of the schema, or the tree of a nested one.
type leaf struct {
	storage.Column
	index    int // of the chunk in each row group; of the first one of a nested column
	nested   *node
	optional bool
	elem     schemaElement
	conv     conversion
	// unsupported is what the column is, when it cannot be read ("list column").
	unsupported string
	// broken says why the column's schema is corrupt.
	broken string
}

// typesKey is the file metadata that restores column types which the format has no
// annotation for: "name=type" lines, as our writer puts it.
const typesKey = "basalt.types"

// maxSchemaDepth bounds the nesting of groups.
const maxSchemaDepth = 64

// mapSchema walks the flattened schema tree. It returns the top-level columns and the
// number of leaves, which is the number of chunks of every row group.
func mapSchema(m *fileMeta) (leaves []leaf, chunks int, err error) {
	if len(m.schema) == 0 {
		return nil, 0, formatError("the schema is empty")
	}
	restored := parseTypes(m.keyValues[typesKey])
	pos := 1
	for i := int32(0); i < m.schema[0].children; i++ {
		if pos >= len(m.schema) {
			return nil, 0, formatError("the schema has fewer elements than its root declares")
		}
		e := m.schema[pos]
		l := leaf{index: chunks, elem: e, optional: e.rep == repOptional}
		l.Name, l.Nullable = e.name, e.rep != repRequired
		top := pos
		n, err := countLeaves(m.schema, &pos, 0)
		if err != nil {
			return nil, 0, err
		}
		chunks += n
		switch {
		case e.typ < 0 || e.children > 0 || e.rep == repRepeated:
			s := nestedSchema{schema: m.schema, pos: top, chunk: l.index}
			l.nested = s.read(levels{}, false)
			l.Type, l.unsupported, l.broken = l.nested.typ, s.unsupported, s.broken
		default:
			l.mapLeaf()
			if t, ok := restored[e.name]; ok {
				l.restore(t)
			}
		}
		if l.unsupported != "" {
			l.Comment = "not readable yet: " + l.unsupported
		}
		leaves = append(leaves, l)
	}
	if pos != len(m.schema) {
		return nil, 0, formatError("the schema has more elements than its root declares")
	}
	return leaves, chunks, nil
}

// countLeaves passes over the element at *pos and everything below it.
func countLeaves(schema []schemaElement, pos *int, depth int) (int, error) {
	if depth > maxSchemaDepth {
		return 0, formatError("the schema is nested too deeply")
	}
	if *pos >= len(schema) {
		return 0, formatError("the schema ends inside of a group")
	}
	e := &schema[*pos]
	*pos++
	if e.children < 0 || int(e.children) > len(schema) {
		return 0, formatError("a schema group has a wrong number of children")
	}
	if e.typ >= 0 && e.children == 0 {
		if e.typ > physFixed {
			return 0, formatError("a schema element has an unknown physical type")
		}
		return 1, nil
	}
	n := 0
	for i := int32(0); i < e.children; i++ {
		k, err := countLeaves(schema, pos, depth+1)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// mapLeaf chooses the SQL type of a flat leaf and how stored values become it. The
// logical type wins over the converted one; an unknown one leaves the physical type.
func (l *leaf) mapLeaf() {
	e := &l.elem
	if e.typ == physFixed && (e.typeLen <= 0 || e.typeLen > maxFixedLength) {
		l.broken = fmt.Sprintf("fixed length %d", e.typeLen)
		l.Type = sqltype.T(sqltype.Binary)
		return
	}
	if e.logical.kind != logicalNone && l.mapLogical() {
		return
	}
	if e.logical.kind == logicalNone && e.converted >= 0 && l.mapConverted() {
		return
	}
	l.mapPhysical()
}

// maxFixedLength bounds FIXED_LEN_BYTE_ARRAY, whose batches we materialize.
const maxFixedLength = 1 << 16

func (l *leaf) set(t sqltype.Type, c conversion) bool {
	l.Type, l.conv = t, c
	return true
}

// only marks the column broken when its annotation does not fit the physical type.
func (l *leaf) only(want physicalType, annotation string) bool {
	if l.elem.typ == want {
		return true
	}
	l.broken = annotation + " annotates " + l.elem.typ.String()
	return false
}

func (l *leaf) mapLogical() bool {
	lt := &l.elem.logical
	switch lt.kind {
	case logicalString, logicalEnum:
		return l.mapText(sqltype.String)
	case logicalJSON:
		return l.mapText(sqltype.String)
	case logicalDecimal:
		return l.mapDecimal(lt.precision, lt.scale)
	case logicalDate:
		l.set(sqltype.T(sqltype.Date), convNone)
		return l.only(physInt32, "DATE") || true
	case logicalTime:
		return l.mapTime(lt.unit)
	case logicalTimestamp:
		return l.mapTimestamp(lt.unit)
	case logicalInteger:
		return l.mapInteger(int(lt.width), lt.signed)
	case logicalUUID:
		if l.elem.typ != physFixed || l.elem.typeLen != 16 {
			return false
		}
		return l.set(sqltype.T(sqltype.String), convUUID)
	case logicalFloat16:
		if l.elem.typ != physFixed || l.elem.typeLen != 2 {
			return false
		}
		return l.set(sqltype.T(sqltype.Float), convFloat16)
	}
	return false
}

func (l *leaf) mapConverted() bool {
	e := &l.elem
	switch e.converted {
	case convUTF8, convEnum, convJSON:
		return l.mapText(sqltype.String)
	case convDecimal:
		return l.mapDecimal(e.precision, e.scale)
	case convDate:
		l.set(sqltype.T(sqltype.Date), convNone)
		return l.only(physInt32, "DATE") || true
	case convTimeMillis:
		return l.mapTime(unitMillis)
	case convTimeMicros:
		return l.mapTime(unitMicros)
	case convTimestampMillis:
		return l.mapTimestamp(unitMillis)
	case convTimestampMicros:
		return l.mapTimestamp(unitMicros)
	case convUint8, convUint16, convUint32, convUint64:
		return l.mapInteger(8<<(e.converted-convUint8), false)
	case convInt8, convInt16, convInt32, convInt64:
		return l.mapInteger(8<<(e.converted-convInt8), true)
	}
	return false
}

func (l *leaf) mapText(k sqltype.Kind) bool {
	switch l.elem.typ {
	case physByteArray:
		return l.set(sqltype.T(k), convNone)
	case physFixed:
		return l.set(sqltype.T(k), convFixedBytes)
	}
	l.broken = "a string annotates " + l.elem.typ.String()
	return l.set(sqltype.T(k), convNone)
}

func (l *leaf) mapDecimal(precision, scale int32) bool {
	if l.elem.typ == physFloat || l.elem.typ == physDouble || l.elem.typ == physBoolean || l.elem.typ == physInt96 {
		l.broken = "DECIMAL annotates " + l.elem.typ.String()
		return l.set(sqltype.DecimalOf(18, 0), convNone)
	}
	if precision <= 0 || scale < 0 || scale > precision {
		l.broken = fmt.Sprintf("DECIMAL(%d,%d)", precision, scale)
		return l.set(sqltype.DecimalOf(18, 0), convNone)
	}
	if precision > sqltype.MaxDecimalPrecision {
		l.unsupported = fmt.Sprintf("decimal(%d,%d)", precision, scale)
		return l.set(sqltype.DecimalOf(sqltype.MaxDecimalPrecision, int(min(scale, sqltype.MaxDecimalPrecision))), convNone)
	}
	t := sqltype.DecimalOf(int(precision), int(scale))
	short := t.Physical() == sqltype.PhysInt64
	switch l.elem.typ {
	case physInt32:
		if short {
			return l.set(t, convInt32To64)
		}
		return l.set(t, convInt32To128)
	case physInt64:
		if short {
			return l.set(t, convNone)
		}
		return l.set(t, convInt64To128)
	case physFixed:
		if short {
			return l.set(t, convBigEndian64)
		}
		return l.set(t, convBigEndian128)
	}
	if short {
		return l.set(t, convBytes64)
	}
	return l.set(t, convBytes128)
}

func (l *leaf) mapTime(unit int16) bool {
	t := sqltype.Type{Kind: sqltype.Time, Scale: 6}
	switch unit {
	case unitMillis:
		t.Scale = 3
		l.set(t, convInt32MillisToMicros)
		return l.only(physInt32, "TIME(MILLIS)") || true
	case unitMicros:
		l.set(t, convNone)
		return l.only(physInt64, "TIME(MICROS)") || true
	case unitNanos:
		l.set(t, convNanosToMicros)
		return l.only(physInt64, "TIME(NANOS)") || true
	}
	return false
}

func (l *leaf) mapTimestamp(unit int16) bool {
	switch unit {
	case unitMillis:
		l.set(sqltype.DateTimeOf(3), convMillisToMicros)
	case unitMicros:
		l.set(sqltype.DateTimeOf(6), convNone)
	case unitNanos:
		l.set(sqltype.DateTimeOf(6), convNanosToMicros)
	default:
		return false
	}
	l.only(physInt64, "TIMESTAMP")
	return true
}

func (l *leaf) mapInteger(width int, signed bool) bool {
	want := physInt32
	var t sqltype.Kind
	c := convNone
	switch {
	case width == 8 && signed:
		t, c = sqltype.TinyInt, convInt32To8
	case width == 8:
		t, c = sqltype.SmallInt, convUint8To16
	case width == 16 && signed:
		t, c = sqltype.SmallInt, convInt32To16
	case width == 16:
		t, c = sqltype.Int, convUint16To32
	case width == 32 && signed:
		t = sqltype.Int
	case width == 32:
		t, c = sqltype.BigInt, convUint32To64
	case width == 64 && signed:
		t, want = sqltype.BigInt, physInt64
	case width == 64:
		t, c, want = sqltype.LargeInt, convUint64To128, physInt64
	default:
		return false
	}
	l.set(sqltype.T(t), c)
	l.only(want, fmt.Sprintf("a %d-bit integer", width))
	return true
}

func (l *leaf) mapPhysical() {
	switch l.elem.typ {
	case physBoolean:
		l.set(sqltype.T(sqltype.Boolean), convNone)
	case physInt32:
		l.set(sqltype.T(sqltype.Int), convNone)
	case physInt64:
		l.set(sqltype.T(sqltype.BigInt), convNone)
	case physInt96:
		l.set(sqltype.DateTimeOf(6), convInt96)
	case physFloat:
		l.set(sqltype.T(sqltype.Float), convNone)
	case physDouble:
		l.set(sqltype.T(sqltype.Double), convNone)
	case physByteArray: // analysts' files often lack the annotation: bytes are text
		l.set(sqltype.T(sqltype.String), convNone)
	default:
		l.set(sqltype.T(sqltype.Binary), convFixedBytes)
	}
}

// storedWidth is the bytes of a stored value, 0 for BYTE_ARRAY. Booleans are counted as
// they are decoded, a byte each.
func (l *leaf) storedWidth() int {
	switch l.elem.typ {
	case physBoolean:
		return 1
	case physInt32, physFloat:
		return 4
	case physInt64, physDouble:
		return 8
	case physInt96:
		return 12
	case physFixed:
		return int(l.elem.typeLen)
	}
	return 0
}

// check says why the column cannot be read, as an error without a place.
func (l *leaf) check() error {
	if l.broken != "" {
		return formatError("wrong schema: " + l.broken)
	}
	return nil
}
