package orc

import (
	"encoding/binary"
	"math"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// encodedColumn is one node of the type tree, encoded for a stripe.
type encodedColumn struct {
	id       uint32
	encoding encodingMeta
	streams  []*outStream
	groups   []encodedGroup
	total    writtenStats
	bloom    bool
}

// encodedGroup is one row group's entry in the indexes.
type encodedGroup struct {
	positions []uint64
	stats     writtenStats
	bloom     bloomFilter
}

// encoder encodes a stripe.
type encoder struct {
	c       *compressor
	stride  int
	bytes   []byte
	scratch []int64
	nanos   []int64
	ints    rleEncoder // signed
	counts  rleEncoder // unsigned
}

func newEncoder(c *compressor, stride int) *encoder {
	return &encoder{c: c, stride: stride, ints: rleEncoder{signed: true}}
}

func (e *encoder) stream(out *encodedColumn, kind streamKind) *outStream {
	s := &outStream{kind: kind, column: out.id, c: e.c}
	out.streams = append(out.streams, s)
	return s
}

// column encodes c and all below it, in pre-order.
func (e *encoder) column(dst []*encodedColumn, c *columnWriter) ([]*encodedColumn, error) {
	out := &encodedColumn{id: c.id, bloom: c.bloom}
	out.encoding.kind = encDirectV2
	switch c.meta.kind {
	case kindBoolean, kindByte, kindFloat, kindDouble, kindStruct:
		out.encoding.kind = encDirect
	}
	out.groups = make([]encodedGroup, len(c.marks))
	if c.nulls > 0 {
		e.bits(out, e.stream(out, streamPresent), packValid(c.valid, c.rows), func(m mark) int { return m.rows }, c.marks)
	}
	if err := e.values(out, c); err != nil {
		return nil, err
	}
	before := mark{}
	for g, m := range c.marks {
		s := &out.groups[g].stats
		s.hasNull = m.rows-before.rows > m.values-before.values
		out.total.merge(s)
		before = m
	}
	for _, s := range out.streams {
		s.flush()
		if s.err != nil {
			return nil, sqlerr.Wrap(sqlerr.FileIO, s.err, "cannot compress column %s", c.name)
		}
	}
	dst = append(dst, out)
	var err error
	for _, child := range c.children {
		if dst, err = e.column(dst, child); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// bits writes packed bits. Row groups may begin inside of a byte.
func (e *encoder) bits(out *encodedColumn, s *outStream, packed []byte, end func(mark) int, marks []mark) {
	from := 0
	for g, m := range marks {
		p := &out.groups[g].positions
		*p = append(s.position(*p), 0, uint64(from&7))
		to := end(m)
		last := to / 8
		if g == len(marks)-1 {
			last = len(packed)
		}
		e.bytes = appendBytesRLE(e.bytes[:0], packed[from/8:last])
		s.write(e.bytes)
		from = to
	}
}

// integers writes values [from, to) of a row group.
func (e *encoder) integers(out *encodedColumn, g int, s *outStream, enc *rleEncoder, vals []int64) {
	p := &out.groups[g].positions
	*p = append(s.position(*p), 0)
	e.bytes = enc.append(e.bytes[:0], vals)
	s.write(e.bytes)
}

// values writes the streams of the values that are not null, and their statistics.
func (e *encoder) values(out *encodedColumn, c *columnWriter) error {
	switch c.meta.kind {
	case kindStruct:
		from := 0
		for g, m := range c.marks {
			out.groups[g].stats.values = int64(m.values - from)
			from = m.values
		}
		return nil
	case kindBoolean:
		raw := c.raw
		e.bits(out, e.stream(out, streamData), packBits(len(raw), func(i int) bool { return raw[i] != 0 }), func(m mark) int { return m.values }, c.marks)
		e.each(c, func(g, from, to int) error {
			s := &out.groups[g].stats
			s.values = int64(to - from)
			for _, b := range raw[from:to] {
				s.trues += int64(b)
			}
			return nil
		})
		return nil
	case kindString, kindVarchar, kindBinary:
		return e.strings(out, c)
	case kindFloat, kindDouble:
		return e.floats(out, c)
	case kindDecimal:
		return e.decimals(out, c)
	case kindTimestamp, kindTimestampInstant:
		return e.timestamps(out, c)
	case kindByte:
		s := e.stream(out, streamData)
		return e.each(c, func(g, from, to int) error {
			p := &out.groups[g].positions
			*p = append(s.position(*p), 0)
			e.bytes = appendBytesRLE(e.bytes[:0], c.raw[from:to])
			s.write(e.bytes)
			e.scratch = e.scratch[:0]
			for _, b := range c.raw[from:to] {
				e.scratch = append(e.scratch, int64(int8(b)))
			}
			e.intStats(out, g, e.scratch)
			return nil
		})
	case kindList, kindMap:
		s := e.stream(out, streamLength)
		return e.each(c, func(g, from, to int) error {
			e.integers(out, g, s, &e.counts, c.ints[from:to])
			out.groups[g].stats.values = int64(to - from)
			return nil
		})
	}
	s := e.stream(out, streamData)
	return e.each(c, func(g, from, to int) error {
		e.integers(out, g, s, &e.ints, c.ints[from:to])
		e.intStats(out, g, c.ints[from:to])
		return nil
	})
}

// each calls f with the values of every row group.
func (e *encoder) each(c *columnWriter, f func(g, from, to int) error) error {
	from := 0
	for g, m := range c.marks {
		if err := f(g, from, m.values); err != nil {
			return err
		}
		from = m.values
	}
	return nil
}

func (e *encoder) intStats(out *encodedColumn, g int, vals []int64) {
	out.groups[g].stats.addInts(vals)
	if out.bloom {
		f := e.newBloom(out, g)
		for _, x := range vals {
			f.add(hashInt(x))
		}
	}
}

// bloomProbability is how often a filter says "maybe" of a value that is not there.
const bloomProbability = 0.01

func (e *encoder) newBloom(out *encodedColumn, g int) *bloomFilter {
	n := float64(e.stride)
	bits := int(math.Ceil(-n * math.Log(bloomProbability) / (math.Ln2 * math.Ln2)))
	f := &out.groups[g].bloom
	f.bitset = make([]byte, (bits+63)/64*8)
	f.hashes = max(1, int(math.Round(float64(8*len(f.bitset))/n*math.Ln2)))
	return f
}

func (e *encoder) strings(out *encodedColumn, c *columnWriter) error {
	starts := c.textStarts()
	dict := c.meta.kind != kindBinary && c.dict.build(c, starts)
	data := e.stream(out, streamData)
	lengths := e.stream(out, streamLength)
	if dict {
		out.encoding = encodingMeta{kind: encDictionaryV2, dictSize: uint64(len(c.dict.first))}
		blob := e.stream(out, streamDictionary)
		e.scratch = e.scratch[:0]
		for _, i := range c.dict.first {
			blob.write(c.text[starts[i]:starts[i+1]])
			e.scratch = append(e.scratch, c.lengths[i])
		}
		e.bytes = e.counts.append(e.bytes[:0], e.scratch)
		lengths.write(e.bytes)
	}
	return e.each(c, func(g, from, to int) error {
		if dict {
			e.integers(out, g, data, &e.counts, c.dict.codes[from:to])
		} else {
			p := &out.groups[g].positions
			*p = data.position(*p)
			data.write(c.text[starts[from]:starts[to]])
			e.integers(out, g, lengths, &e.counts, c.lengths[from:to])
		}
		e.textStats(out, g, c, starts, from, to)
		return nil
	})
}

func (e *encoder) textStats(out *encodedColumn, g int, c *columnWriter, starts []int, from, to int) {
	s := &out.groups[g].stats
	s.values = int64(to - from)
	s.bytes = int64(starts[to] - starts[from])
	var f *bloomFilter
	if out.bloom {
		f = e.newBloom(out, g)
	}
	if from == to {
		return
	}
	lo, hi := from, from
	for i := from; i < to; i++ {
		text := c.text[starts[i]:starts[i+1]]
		if string(text) < string(c.text[starts[lo]:starts[lo+1]]) {
			lo = i
		} else if string(text) > string(c.text[starts[hi]:starts[hi+1]]) {
			hi = i
		}
		if f != nil {
			f.add(hashBytes(text))
		}
	}
	s.any = true
	s.slo = append([]byte(nil), c.text[starts[lo]:starts[lo+1]]...)
	s.shi = append([]byte(nil), c.text[starts[hi]:starts[hi+1]]...)
}

func (e *encoder) floats(out *encodedColumn, c *columnWriter) error {
	width := 4
	if c.meta.kind == kindDouble {
		width = 8
	}
	s := e.stream(out, streamData)
	return e.each(c, func(g, from, to int) error {
		p := &out.groups[g].positions
		*p = s.position(*p)
		b := c.raw[from*width : to*width]
		s.write(b)
		vals := make([]float64, to-from)
		for i := range vals {
			if width == 4 {
				vals[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
			} else {
				vals[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		out.groups[g].stats.addFloats(vals)
		if out.bloom {
			f := e.newBloom(out, g)
			for _, x := range vals {
				f.add(hashInt(int64(math.Float64bits(x))))
			}
		}
		return nil
	})
}

func (e *encoder) decimals(out *encodedColumn, c *columnWriter) error {
	data, scales := e.stream(out, streamData), e.stream(out, streamSecondary)
	scale := int64(c.meta.scale)
	var wide []int128.Int
	return e.each(c, func(g, from, to int) error {
		p := &out.groups[g].positions
		*p = data.position(*p)
		e.bytes = e.bytes[:0]
		vals := wide[:0]
		if c.typ.Physical() == sqltype.PhysInt128 {
			vals = c.wide[from:to]
			for _, x := range vals {
				e.bytes = appendWideVarint(e.bytes, x)
			}
		} else {
			for _, x := range c.ints[from:to] {
				e.bytes = binary.AppendUvarint(e.bytes, zigzag(x))
				vals = append(vals, int128.FromInt64(x))
			}
			wide = vals
		}
		data.write(e.bytes)
		e.scratch = e.scratch[:0]
		for range to - from {
			e.scratch = append(e.scratch, scale)
		}
		e.integers(out, g, scales, &e.ints, e.scratch)
		out.groups[g].stats.addWide(vals)
		if out.bloom {
			f := e.newBloom(out, g)
			for _, x := range vals { // readers differ in whether they drop zeros at the end
				text, short := decimalTexts(x, int(scale))
				f.add(hashBytes(text))
				f.add(hashBytes(short))
			}
		}
		return nil
	})
}

// appendWideVarint appends a zigzag varint of 128 bits.
func appendWideVarint(dst []byte, x int128.Int) []byte {
	sign := uint64(x.Hi >> 63)
	lo, hi := x.Lo<<1^sign, (uint64(x.Hi)<<1|x.Lo>>63)^sign
	for hi != 0 || lo >= 0x80 {
		dst = append(dst, byte(lo)|0x80)
		lo, hi = lo>>7|hi<<57, hi>>7
	}
	return append(dst, byte(lo))
}

func (e *encoder) timestamps(out *encodedColumn, c *columnWriter) error {
	data, nanos := e.stream(out, streamData), e.stream(out, streamSecondary)
	return e.each(c, func(g, from, to int) error {
		e.scratch, e.nanos = e.scratch[:0], e.nanos[:0]
		for _, x := range c.ints[from:to] {
			s, micros := floorDiv(x, sqltype.MicrosPerSecond)
			if s < 0 && micros*1000 > borrowAbove {
				if s++; s == 0 {
					return sqlerr.New(sqlerr.OutOfRange, "Column '%s': ORC cannot store times between 1969-12-31 23:59:59.001 and 23:59:59.999999", c.name)
				}
			}
			e.scratch = append(e.scratch, s-epoch)
			e.nanos = append(e.nanos, storedNanos(micros*1000))
		}
		e.integers(out, g, data, &e.ints, e.scratch)
		e.integers(out, g, nanos, &e.counts, e.nanos)
		out.groups[g].stats.addInts(c.ints[from:to])
		if out.bloom {
			f := e.newBloom(out, g)
			for _, x := range c.ints[from:to] {
				millis, _ := floorDiv(x, 1000)
				f.add(hashInt(millis))
			}
		}
		return nil
	})
}

// storedNanos drops zeros at the end, at least two and at most eight, and notes how many.
func storedNanos(n int64) int64 {
	if n%100 != 0 || n == 0 {
		return n << 3
	}
	n /= 100
	zeros := int64(1)
	for n%10 == 0 && zeros < 7 {
		n /= 10
		zeros++
	}
	return n<<3 | zeros
}
