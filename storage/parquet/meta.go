package parquet

// The footer's structures, as far as we use them. Integers that are optional in the
// format are -1 where absent, byte slices nil; slices alias the footer's bytes.
//
// The decoder is our own because the statistics rules need to tell absent from zero
// (null_count) and to see the exactness flags, and because a hostile footer must not
// allocate by declared sizes.

type physicalType int8

// Physical types of the format.
const (
	physBoolean physicalType = iota
	physInt32
	physInt64
	physInt96
	physFloat
	physDouble
	physByteArray
	physFixed
)

var physNames = [...]string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}

func (p physicalType) String() string {
	if p >= 0 && int(p) < len(physNames) {
		return physNames[p]
	}
	return "no physical type"
}

// Repetition types.
const (
	repRequired = 0
	repOptional = 1
	repRepeated = 2
)

// Converted types (the older annotations).
const (
	convUTF8 = iota
	convMap
	convMapKeyValue
	convList
	convEnum
	convDecimal
	convDate
	convTimeMillis
	convTimeMicros
	convTimestampMillis
	convTimestampMicros
	convUint8
	convUint16
	convUint32
	convUint64
	convInt8
	convInt16
	convInt32
	convInt64
	convJSON
	convBSON
	convInterval
)

// Logical types: the field ids of the union.
const (
	logicalNone      = 0
	logicalString    = 1
	logicalMap       = 2
	logicalList      = 3
	logicalEnum      = 4
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalNull      = 11
	logicalJSON      = 12
	logicalBSON      = 13
	logicalUUID      = 14
	logicalFloat16   = 15
)

// Time units: the field ids of the union.
const (
	unitMillis = 1
	unitMicros = 2
	unitNanos  = 3
)

type logicalType struct {
	kind             int16
	scale, precision int32
	unit             int16
	utc              bool
	width            int8
	signed           bool
}

type schemaElement struct {
	name             string
	typ              physicalType // -1: a group
	typeLen          int32
	rep              int8
	children         int32
	converted        int8 // -1: absent
	scale, precision int32
	logical          logicalType
}

type statistics struct {
	min, max           []byte // deprecated fields
	minValue, maxValue []byte
	nulls              int64
	nans               int64
	minExact, maxExact bool
}

type encodingCount struct {
	page, encoding int8
	count          int32
}

type chunkMeta struct {
	typ          physicalType
	encodings    uint32 // bit set
	path         []string
	codec        int32
	values       int64
	compressed   int64
	uncompressed int64
	dataOffset   int64
	dictOffset   int64 // 0: none
	stats        statistics
	encStats     []encodingCount

	bloomOffset int64
	bloomLength int32

	filePath                             string
	offsetIndexOffset, columnIndexOffset int64
	offsetIndexLength, columnIndexLength int32
	hasMeta, encrypted                   bool
}

type rowGroup struct {
	chunks []chunkMeta
	rows   int64
	bytes  int64
}

// Column orders.
const (
	orderUnknown = 0
	orderType    = 1
)

type fileMeta struct {
	schema    []schemaElement
	rows      int64
	groups    []rowGroup
	keyValues map[string]string
	createdBy string
	orders    []int8
	encrypted bool
}

// decodeFileMeta reads the footer's thrift structure.
func decodeFileMeta(b []byte) (*fileMeta, error) {
	r := &thriftReader{b: b}
	m := &fileMeta{keyValues: map[string]string{}}
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			break
		}
		last = id
		switch id {
		case 2:
			r.structs(typ, func() {
				start := r.pos
				m.schema = append(m.schema, decodeSchemaElement(r))
				r.atLeast(start)
			})
		case 3:
			if r.want(typ, thriftI64) {
				m.rows = r.int()
			}
		case 4:
			r.structs(typ, func() { m.groups = append(m.groups, decodeRowGroup(r)) })
		case 5:
			r.structs(typ, func() {
				k, v := decodeKeyValue(r)
				m.keyValues[k] = v
			})
		case 6:
			if r.want(typ, thriftBinary) {
				m.createdBy = r.string()
			}
		case 7:
			r.structs(typ, func() { m.orders = append(m.orders, int8(decodeUnion(r))) })
		case 8:
			m.encrypted = true
			r.skip(typ)
		default:
			r.skip(typ)
		}
	}
	return m, r.err
}

// decodeUnion returns the id of the first field of a union of empty structs.
func decodeUnion(r *thriftReader) int16 {
	var last, first int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return first
		}
		r.skip(typ)
		if first == 0 {
			first = id
		}
		last = id
	}
}

func decodeKeyValue(r *thriftReader) (k, v string) {
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return k, v
		}
		last = id
		switch {
		case id == 1 && typ == thriftBinary:
			k = r.string()
		case id == 2 && typ == thriftBinary:
			v = r.string()
		default:
			r.skip(typ)
		}
	}
}

func decodeSchemaElement(r *thriftReader) schemaElement {
	e := schemaElement{typ: -1, converted: -1}
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return e
		}
		last = id
		switch {
		case typ == thriftI32:
			v := r.int32()
			switch id {
			case 1:
				e.typ = physicalType(clamp8(v))
			case 2:
				e.typeLen = v
			case 3:
				e.rep = clamp8(v)
			case 5:
				e.children = v
			case 6:
				e.converted = clamp8(v)
			case 7:
				e.scale = v
			case 8:
				e.precision = v
			}
		case id == 4 && typ == thriftBinary:
			e.name = r.string()
		case id == 10 && typ == thriftStruct:
			e.logical = decodeLogical(r)
		default:
			r.skip(typ)
		}
	}
}

// clamp8 narrows an enum; values that do not fit become one that no enum has.
func clamp8(v int32) int8 {
	if v < 0 || v > 126 {
		return 127
	}
	return int8(v)
}

func decodeLogical(r *thriftReader) logicalType {
	var l logicalType
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return l
		}
		last = id
		if typ != thriftStruct {
			r.skip(typ)
			continue
		}
		l.kind = id
		var inner int16
		for {
			fid, ft, ok := r.field(inner)
			if !ok {
				break
			}
			inner = fid
			switch {
			case id == logicalDecimal && fid == 1 && ft == thriftI32:
				l.scale = r.int32()
			case id == logicalDecimal && fid == 2 && ft == thriftI32:
				l.precision = r.int32()
			case (id == logicalTime || id == logicalTimestamp) && fid == 1:
				l.utc = ft == thriftTrue
				r.skip(ft)
			case (id == logicalTime || id == logicalTimestamp) && fid == 2 && ft == thriftStruct:
				l.unit = decodeUnion(r)
			case id == logicalInteger && fid == 1 && ft == thriftByte:
				l.width = int8(r.byte())
			case id == logicalInteger && fid == 2:
				l.signed = ft == thriftTrue
				r.skip(ft)
			default:
				r.skip(ft)
			}
		}
	}
}

func decodeRowGroup(r *thriftReader) rowGroup {
	var g rowGroup
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return g
		}
		last = id
		switch {
		case id == 1:
			r.structs(typ, func() {
				start := r.pos
				g.chunks = append(g.chunks, decodeChunk(r))
				r.atLeast(start)
			})
		case id == 2 && typ == thriftI64:
			g.bytes = r.int()
		case id == 3 && typ == thriftI64:
			g.rows = r.int()
		default:
			r.skip(typ)
		}
	}
}

func decodeChunk(r *thriftReader) chunkMeta {
	c := chunkMeta{typ: -1, stats: statistics{nulls: -1, nans: -1}}
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return c
		}
		last = id
		switch {
		case id == 1 && typ == thriftBinary:
			c.filePath = r.string()
		case id == 3 && typ == thriftStruct:
			decodeColumnMeta(r, &c)
		case id == 4 && typ == thriftI64:
			c.offsetIndexOffset = r.int()
		case id == 5 && typ == thriftI32:
			c.offsetIndexLength = r.int32()
		case id == 6 && typ == thriftI64:
			c.columnIndexOffset = r.int()
		case id == 7 && typ == thriftI32:
			c.columnIndexLength = r.int32()
		case id == 8 || id == 9:
			c.encrypted = true
			r.skip(typ)
		default:
			r.skip(typ)
		}
	}
}

func decodeColumnMeta(r *thriftReader, c *chunkMeta) {
	c.hasMeta = true
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return
		}
		last = id
		switch {
		case id == 1 && typ == thriftI32:
			c.typ = physicalType(clamp8(r.int32()))
		case id == 2 && typ == thriftList:
			n, elem := r.list()
			for range n {
				if elem == thriftI32 {
					c.encodings |= 1 << (uint32(r.int32()) & 31)
				} else {
					r.skipElem(elem, 0)
				}
			}
		case id == 3 && typ == thriftList:
			n, elem := r.list()
			for range n {
				if elem == thriftBinary {
					c.path = append(c.path, r.string())
				} else {
					r.skipElem(elem, 0)
				}
			}
		case id == 4 && typ == thriftI32:
			c.codec = r.int32()
		case id == 5 && typ == thriftI64:
			c.values = r.int()
		case id == 6 && typ == thriftI64:
			c.uncompressed = r.int()
		case id == 7 && typ == thriftI64:
			c.compressed = r.int()
		case id == 9 && typ == thriftI64:
			c.dataOffset = r.int()
		case id == 11 && typ == thriftI64:
			c.dictOffset = r.int()
		case id == 12 && typ == thriftStruct:
			decodeStatistics(r, &c.stats)
		case id == 13:
			r.structs(typ, func() { c.encStats = append(c.encStats, decodeEncodingCount(r)) })
		case id == 14 && typ == thriftI64:
			c.bloomOffset = r.int()
		case id == 15 && typ == thriftI32:
			c.bloomLength = r.int32()
		default:
			r.skip(typ)
		}
	}
}

func decodeEncodingCount(r *thriftReader) encodingCount {
	var e encodingCount
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return e
		}
		last = id
		if typ != thriftI32 {
			r.skip(typ)
			continue
		}
		v := r.int32()
		switch id {
		case 1:
			e.page = clamp8(v)
		case 2:
			e.encoding = clamp8(v)
		case 3:
			e.count = v
		}
	}
}

func decodeStatistics(r *thriftReader, s *statistics) {
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return
		}
		last = id
		switch {
		case id == 1 && typ == thriftBinary:
			s.max = r.binary()
		case id == 2 && typ == thriftBinary:
			s.min = r.binary()
		case id == 3 && typ == thriftI64:
			s.nulls = r.int()
		case id == 5 && typ == thriftBinary:
			s.maxValue = r.binary()
		case id == 6 && typ == thriftBinary:
			s.minValue = r.binary()
		case id == 7:
			s.maxExact = typ == thriftTrue
			r.skip(typ)
		case id == 8:
			s.minExact = typ == thriftTrue
			r.skip(typ)
		case id == 9 && typ == thriftI64:
			s.nans = r.int()
		default:
			r.skip(typ)
		}
	}
}
