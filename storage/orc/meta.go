package orc

import (
	"fmt"
	"math"
	"strings"
)

// Compression codecs of the format.
const (
	codecNone = iota
	codecZlib
	codecSnappy
	codecLZO
	codecLZ4
	codecZstd
	codecBrotli
	numCodecs
)

const (
	defaultBlock = 256 << 10
	maxBlock     = 16 << 20 // a chunk's header cannot tell of more than 8 MiB
	maxTypes     = 1 << 17
)

// typeKind is a kind of the format's type tree.
type typeKind uint8

// Kinds.
const (
	kindBoolean typeKind = iota
	kindByte
	kindShort
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindString
	kindBinary
	kindTimestamp
	kindList
	kindMap
	kindStruct
	kindUnion
	kindDecimal
	kindDate
	kindVarchar
	kindChar
	kindTimestampInstant
	kindGeometry
	kindGeography
	numKinds
)

var kindNames = [numKinds]string{"boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "string", "binary", "timestamp",
	"list", "map", "struct", "union", "decimal", "date", "varchar", "char", "timestamp with local time zone", "geometry", "geography"}

// String implements fmt.Stringer.
func (k typeKind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// typeMeta is one node of the file's type tree; its position in the list is its column id.
type typeMeta struct {
	kind       typeKind
	children   []uint32
	names      []string
	length     uint32 // characters of CHAR and VARCHAR
	precision  uint32
	scale      uint32
	attributes map[string]string
}

// stripeMeta says where a stripe is.
type stripeMeta struct {
	offset, indexLength, dataLength, footerLength int64
	rows                                          int64
}

// Calendars of dates before 1582-10-15.
const calendarHybrid = 1

// Writers, as footer.writer names them.
const (
	writerJava = 0
	writerCPP  = 1
)

// tailMeta is what postscript and footer say.
type tailMeta struct {
	footerLength, metadataLength uint64
	codec                        int
	block                        int
	versionMajor, versionMinor   uint64
	writerVersion                uint64
	hasMagic                     bool

	stripes         []stripeMeta
	types           []typeMeta
	rows            int64
	fileStats       [][]byte // encoded ColumnStatistics by column id
	stride          int64
	writer          uint64
	calendar        uint64
	softwareVersion string

	statsBytes []byte // the stripe statistics, still compressed
}

func (t *tailMeta) decodePostscript(b []byte) error {
	t.block = defaultBlock
	t.versionMinor = 11
	m := message{b: b}
	var version []uint64
	codec := uint64(0)
	for m.next() {
		switch m.field {
		case 1:
			t.footerLength = m.uint()
		case 2:
			codec = m.uint()
		case 3:
			if n := m.uint(); n > maxBlock {
				return formatError(fmt.Sprintf("the compression block size is %d", n))
			} else if n > 0 {
				t.block = int(n)
			}
		case 4:
			version = m.uints(version)
		case 5:
			t.metadataLength = m.uint()
		case 6:
			t.writerVersion = m.uint()
		case 8000:
			t.hasMagic = string(m.bytes()) == magic
		}
	}
	if m.err != nil {
		return fmt.Errorf("postscript: %w", m.err)
	}
	if codec >= numCodecs {
		return formatError(fmt.Sprintf("codec %d is unknown", codec))
	}
	t.codec = int(codec)
	if len(version) >= 2 {
		t.versionMajor, t.versionMinor = version[0], version[1]
	}
	return nil
}

// preV2 reports the draft format 1.9999, which stores short decimals as integers.
func (t *tailMeta) preV2() bool { return t.versionMajor == 1 && t.versionMinor == 9999 }

func (t *tailMeta) decodeFooter(b []byte) error {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 3:
			s, err := decodeStripe(m.bytes())
			if err != nil {
				return err
			}
			t.stripes = append(t.stripes, s)
		case 4:
			if len(t.types) >= maxTypes {
				return formatError("the schema has too many types")
			}
			x, err := decodeType(m.bytes())
			if err != nil {
				return err
			}
			t.types = append(t.types, x)
		case 6:
			t.rows = int64(m.uint())
		case 7:
			t.fileStats = append(t.fileStats, m.bytes())
		case 8:
			if n := m.uint(); n < math.MaxInt32 {
				t.stride = int64(n)
			}
		case 9:
			t.writer = m.uint()
		case 11:
			t.calendar = m.uint()
		case 12:
			t.softwareVersion = m.text()
		}
	}
	return m.err
}

func decodeStripe(b []byte) (s stripeMeta, err error) {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 1:
			s.offset = int64(m.uint())
		case 2:
			s.indexLength = int64(m.uint())
		case 3:
			s.dataLength = int64(m.uint())
		case 4:
			s.footerLength = int64(m.uint())
		case 5:
			s.rows = int64(m.uint())
		}
	}
	return s, m.err
}

func decodeType(b []byte) (t typeMeta, err error) {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 1:
			if k := m.uint(); k < uint64(numKinds) {
				t.kind = typeKind(k)
			} else {
				t.kind = numKinds
			}
		case 2:
			for _, x := range m.uints(nil) {
				if x >= maxTypes {
					return t, formatError("a type has a wrong child")
				}
				t.children = append(t.children, uint32(x))
			}
		case 3:
			t.names = append(t.names, m.text())
		case 4:
			t.length = uint32(min(m.uint(), math.MaxInt32))
		case 5:
			t.precision = uint32(min(m.uint(), math.MaxInt32))
		case 6:
			t.scale = uint32(min(m.uint(), math.MaxInt32))
		case 7:
			k, v, ok := decodePair(m.bytes())
			if ok {
				if t.attributes == nil {
					t.attributes = map[string]string{}
				}
				t.attributes[k] = v
			}
		}
	}
	return t, m.err
}

func decodePair(b []byte) (key, value string, ok bool) {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 1:
			key = m.text()
		case 2:
			value = m.text()
		}
	}
	return key, value, m.err == nil
}

// checkTypes makes sure that the list is one tree in pre-order: ids in range, each used
// once and larger than its parent, so that walking it ends.
func checkTypes(types []typeMeta) error {
	if len(types) == 0 {
		return formatError("the schema is empty")
	}
	used := make([]bool, len(types))
	for i := range types {
		t := &types[i]
		last := uint32(i)
		for _, c := range t.children {
			if c <= last || int(c) >= len(types) || used[c] {
				return formatError(fmt.Sprintf("type %d has a wrong child %d", i, c))
			}
			used[c], last = true, c
		}
		want := 0
		switch t.kind {
		case kindList:
			want = 1
		case kindMap:
			want = 2
		case kindStruct:
			want = len(t.names)
		case kindUnion:
			want = len(t.children)
		}
		if len(t.children) != want {
			return formatError(fmt.Sprintf("type %d (%s) has %d children", i, t.kind, len(t.children)))
		}
	}
	return nil
}

// streamKind is the kind of a stream in a stripe.
type streamKind uint64

// Stream kinds.
const (
	streamPresent streamKind = iota
	streamData
	streamLength
	streamDictionary
	streamDictionaryCount
	streamSecondary
	streamRowIndex
	streamBloom
	streamBloomUTF8
)

var streamNames = [...]string{"PRESENT", "DATA", "LENGTH", "DICTIONARY_DATA", "DICTIONARY_COUNT", "SECONDARY", "ROW_INDEX", "BLOOM_FILTER", "BLOOM_FILTER_UTF8"}

// String implements fmt.Stringer.
func (k streamKind) String() string {
	if int(k) < len(streamNames) {
		return streamNames[k]
	}
	return fmt.Sprintf("stream kind %d", uint64(k))
}

// Column encodings.
const (
	encDirect = iota
	encDictionary
	encDirectV2
	encDictionaryV2
)

// streamMeta says where a stream is in the file.
type streamMeta struct {
	kind           streamKind
	column         uint32
	offset, length int64
}

// encodingMeta is how a column of a stripe is stored.
type encodingMeta struct {
	kind     uint64
	dictSize uint64
	bloom    uint64
}

// stripeFooter is what one stripe's footer says.
type stripeFooter struct {
	streams   []streamMeta
	byColumn  map[uint32][]int32 // positions in streams
	encodings []encodingMeta
	timezone  string
}

// decodeStripeFooter decodes the footer of stripe s.
func decodeStripeFooter(b []byte, s *stripeMeta, columns int) (*stripeFooter, error) {
	f := &stripeFooter{byColumn: map[uint32][]int32{}}
	m := message{b: b}
	at, end := s.offset, s.offset+s.indexLength+s.dataLength
	for m.next() {
		switch m.field {
		case 1:
			x, err := decodeStream(m.bytes())
			if err != nil {
				return nil, err
			}
			if x.length < 0 || x.length > end-at {
				return nil, formatError("a stream lies outside of its stripe")
			}
			x.offset = at
			at += x.length
			f.byColumn[x.column] = append(f.byColumn[x.column], int32(len(f.streams)))
			f.streams = append(f.streams, x)
		case 2:
			x, err := decodeEncoding(m.bytes())
			if err != nil {
				return nil, err
			}
			f.encodings = append(f.encodings, x)
		case 3:
			f.timezone = strings.Clone(m.text())
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	if len(f.encodings) < columns {
		return nil, formatError(fmt.Sprintf("the stripe footer has %d column encodings for %d columns", len(f.encodings), columns))
	}
	return f, nil
}

func decodeStream(b []byte) (s streamMeta, err error) {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 1:
			s.kind = streamKind(m.uint())
		case 2:
			s.column = uint32(m.uint())
		case 3:
			s.length = int64(m.uint())
		}
	}
	return s, m.err
}

func decodeEncoding(b []byte) (e encodingMeta, err error) {
	m := message{b: b}
	for m.next() {
		switch m.field {
		case 1:
			e.kind = m.uint()
		case 2:
			e.dictSize = m.uint()
		case 3:
			e.bloom = m.uint()
		}
	}
	return e, m.err
}

// find returns the stream of a column, nil when there is none.
func (f *stripeFooter) find(column uint32, kind streamKind) *streamMeta {
	for _, i := range f.byColumn[column] {
		if f.streams[i].kind == kind {
			return &f.streams[i]
		}
	}
	return nil
}

// indexEntry is one row group in a ROW_INDEX stream.
type indexEntry struct {
	positions []uint64
	stats     []byte // encoded ColumnStatistics, nil: none
}

// decodeRowIndex decodes a ROW_INDEX stream.
func decodeRowIndex(b []byte) ([]indexEntry, error) {
	var out []indexEntry
	m := message{b: b}
	for m.next() {
		if m.field != 1 {
			continue
		}
		var e indexEntry
		x := message{b: m.bytes()}
		for x.next() {
			switch x.field {
			case 1:
				e.positions = x.uints(e.positions)
			case 2:
				e.stats = x.bytes()
			}
		}
		if x.err != nil {
			return nil, x.err
		}
		out = append(out, e)
	}
	return out, m.err
}
