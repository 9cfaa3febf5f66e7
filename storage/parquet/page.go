package parquet

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// page is the data page that a column reads. Its header is known first; the body is
// loaded when a row of it is needed.
type page struct {
	header pageHeader
	offset int64 // file offset of the header
	body   int64 // … and of the body
	left   int   // rows left
	loaded bool

	buf    *buffer // decompressed body, nil where it lies in the read window
	levels hybrid  // definition levels of an optional column
	reps   hybrid  // repetition levels, of a leaf inside of a list
	isDict bool
	codes  hybrid
	// One of these for values that are not codes:
	fixed   fixedValues  // stored form of fixed width, or decimals out of strings
	strings stringValues // strings
	direct  bool         // fixed is the plainFixed below
	plain   plainFixed

	// Memory of the other value readers, reused from page to page.
	plainText   plainStrings
	lengthText  deltaLengthStrings
	deltaText   deltaStrings
	fixedText   plainFixedStrings
	plainBool   plainBool
	runBool     runBool
	deltaFixed  deltaFixed
	splitFixed  splitFixed
	stringFixed stringFixed
	decimal     decimalBytes
	reversed    []byte // BIT_PACKED levels, bits turned around
}

// load reads and decompresses the body of the current page and sets up its decoders.
func (c *column) load() error {
	p := &c.page
	h := &p.header
	p.isDict = h.encoding == encPlainDictionary || h.encoding == encRLEDictionary
	if p.isDict {
		if err := c.ensureDict(); err != nil { // before the body, because it moves the window
			return err
		}
	}
	var levels, data []byte
	var err error
	if c.sharesPage() {
		levels, data, err = c.sharedBody()
	} else {
		var raw []byte
		if raw, err = c.rawBody(); err == nil {
			levels, data, err = c.decompressed(raw)
		}
	}
	if err != nil {
		return err
	}
	if h.typ == pageDataV2 {
		err = c.setLevelsV2(levels)
	} else {
		data, err = c.setLevelsV1(data)
	}
	if err != nil {
		return err
	}
	if err := c.setValues(data); err != nil {
		return err
	}
	p.loaded = true
	return nil
}

// inflate decompresses into the page's buffer.
func (c *column) inflate(raw []byte, size int) ([]byte, error) {
	if c.meta.codec == codecNone {
		if len(raw) != size {
			return nil, sameSize(len(raw), size)
		}
		return raw, nil
	}
	buf, err := decompress(c.win.mem, c.meta.codec, raw, size)
	if err != nil {
		return nil, err
	}
	c.page.buf = buf
	return buf.mem[:size], nil
}

// rawBody reads the body of the current page as it is in the file.
func (c *column) rawBody() ([]byte, error) {
	raw, err := c.win.at(c.page.body, c.page.header.compressed, readAhead)
	if err == nil && c.counters != nil {
		c.counters.PagesRead.Add(1)
	}
	return raw, err
}

// decompressed is the levels of a v2 page, and what is compressed of a page: the values of a
// v2 page, all of a v1 page.
func (c *column) decompressed(raw []byte) (levels, data []byte, err error) {
	h := &c.page.header
	if h.typ != pageDataV2 {
		data, err = c.inflate(raw, h.uncompressed)
		return nil, data, err
	}
	skip := h.repBytes + h.defBytes
	levels, data = raw[:skip], raw[skip:]
	size := h.uncompressed - skip
	switch {
	case !h.isCompressed || len(data) == 0 && size == 0:
	case size == 0 && h.nulls == h.values: // an empty codec frame
		data = nil
	default:
		data, err = c.inflate(data, size)
	}
	return levels, data, err
}

// setLevelsV1 returns the values of a v1 page: | levels | values |.
func (c *column) setLevelsV1(data []byte) ([]byte, error) {
	p := &c.page
	var err error
	if c.maxRep > 0 {
		if data, err = c.levelsV1(data, p.header.repEncoding, uint(bits.Len8(c.maxRep)), &p.reps); err != nil {
			return nil, err
		}
	}
	if c.maxDef > 0 {
		return c.levelsV1(data, p.header.defEncoding, uint(bits.Len8(c.maxDef)), &p.levels)
	}
	if !c.leaf.optional {
		return data, nil
	}
	if p.header.defEncoding == encBitPacked {
		n := (p.header.values + 7) / 8
		if n > len(data) {
			return nil, formatError("definition levels are longer than their page")
		}
		if cap(p.reversed) < n+padding {
			p.reversed = make([]byte, n+padding)
		}
		rev := p.reversed[:n]
		for i, x := range data[:n] { // this encoding begins with the most significant bit
			rev[i] = bits.Reverse8(x)
		}
		p.levels = hybrid{data: rev, width: 1, packed: true, left: p.header.values, pos: n}
		return data[n:], nil
	}
	if p.header.defEncoding != encRLE {
		return nil, formatError(fmt.Sprintf("definition levels have encoding %d", p.header.defEncoding))
	}
	if len(data) < 4 {
		return nil, formatError("definition levels are longer than their page")
	}
	n := int(binary.LittleEndian.Uint32(data))
	if n > len(data)-4 {
		return nil, formatError("definition levels are longer than their page")
	}
	p.levels.init(data[4:4+n], 1)
	return data[4+n:], nil
}

// levelsV1 takes levels of the given width, RLE or BIT_PACKED, from the front of data.
func (c *column) levelsV1(data []byte, encoding int8, width uint, h *hybrid) ([]byte, error) {
	switch encoding {
	case encRLE:
		if len(data) < 4 {
			break
		}
		n := int(binary.LittleEndian.Uint32(data))
		if n > len(data)-4 {
			break
		}
		h.init(data[4:4+n], width)
		return data[4+n:], nil
	case encBitPacked:
		n := (c.page.header.values*int(width) + 7) / 8
		if n > len(data) {
			break
		}
		h.init(repackLevels(data[:n], c.page.header.values, width), width)
		return data[n:], nil
	default:
		return nil, formatError(fmt.Sprintf("levels have encoding %d", encoding))
	}
	return nil, formatError("levels are longer than their page")
}

// repackLevels turns n levels of the deprecated BIT_PACKED encoding, which begins with the
// most significant bit, into one packed run of the hybrid encoding.
func repackLevels(data []byte, n int, width uint) []byte {
	groups := (n + 7) / 8
	out := binary.AppendUvarint(nil, uint64(groups)<<1|1)
	head := len(out)
	out = append(out, make([]byte, groups*int(width)+padding)...)
	for i := range n {
		v := uint(0)
		for b := range width {
			at := uint(i)*width + b
			v = v<<1 | uint(data[at/8]>>(7-at%8)&1)
		}
		for b := range width {
			at := uint(i)*width + b
			out[head+int(at/8)] |= byte(v>>b&1) << (at % 8)
		}
	}
	return out[:head+groups*int(width)]
}

// setLevelsV2 takes the levels of a v2 page: | repetition levels | definition levels |.
func (c *column) setLevelsV2(levels []byte) error {
	p := &c.page
	h := &p.header
	p.reps.init(levels[:h.repBytes], uint(bits.Len8(c.maxRep)))
	switch defs := levels[h.repBytes:]; {
	case c.leaf.optional:
		p.levels.init(defs, 1)
	case c.maxDef > 0:
		p.levels.init(defs, uint(bits.Len8(c.maxDef)))
	case h.nulls != 0 && c.maxRep == 0:
		return formatError("a required column has nulls")
	}
	return nil
}

// setValues chooses the decoder of the values in data.
func (c *column) setValues(data []byte) error {
	p := &c.page
	p.fixed, p.strings, p.direct = nil, nil, false
	if p.isDict {
		if len(data) == 0 { // only nulls
			p.codes.init(nil, 0)
			return nil
		}
		width := uint(data[0])
		if width > 32 {
			return formatError(fmt.Sprintf("dictionary codes are %d bits wide", width))
		}
		p.codes.init(data[1:], width)
		return nil
	}
	if c.leaf.elem.typ == physByteArray {
		return c.setStrings(data)
	}
	if err := c.setFixed(data); err != nil {
		return err
	}
	if c.leaf.conv.toStrings() {
		p.fixedText.values, p.fixedText.width, p.fixedText.uuid = p.fixed, c.stored, c.leaf.conv == convUUID
		p.strings = &p.fixedText
	}
	return nil
}

func (c *column) setStrings(data []byte) error {
	p := &c.page
	switch p.header.encoding {
	case encPlain:
		p.plainText = plainStrings{data: data}
		p.strings = &p.plainText
	case encDeltaLengthBytes:
		if err := p.lengthText.init(data); err != nil {
			return err
		}
		if p.lengthText.lengths.total > p.header.values {
			return errDelta
		}
		p.strings = &p.lengthText
	case encDeltaBytes:
		if err := p.deltaText.init(data); err != nil {
			return err
		}
		p.strings = &p.deltaText
	default:
		return c.wrongEncoding()
	}
	if c.leaf.conv.fromStrings() {
		p.decimal.values, p.decimal.wide = p.strings, c.leaf.conv == convBytes128
		p.fixed = &p.decimal
	}
	return nil
}

func (c *column) setFixed(data []byte) error {
	p := &c.page
	typ := c.leaf.elem.typ
	switch p.header.encoding {
	case encPlain:
		if typ == physBoolean {
			p.plainBool = plainBool{data: data}
			p.fixed = &p.plainBool
			return nil
		}
		p.plain = plainFixed{data: data, width: c.stored}
		p.fixed, p.direct = &p.plain, true
		return nil
	case encRLE:
		if typ != physBoolean {
			break
		}
		if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
			if p.header.values > 0 && len(data) > 0 {
				return errRunShort
			}
			data = make([]byte, 4, 4+padding)
		}
		p.runBool.runs.init(data[4:4+binary.LittleEndian.Uint32(data)], 1)
		p.fixed = &p.runBool
		return nil
	case encDeltaBinary:
		if typ != physInt32 && typ != physInt64 {
			break
		}
		p.deltaFixed.width = c.stored
		p.fixed = &p.deltaFixed
		if len(data) == 0 { // only nulls
			p.deltaFixed.delta = deltaReader{}
			return nil
		}
		return p.deltaFixed.delta.init(data)
	case encByteStreamSplit:
		if typ == physBoolean || typ == physInt96 {
			break
		}
		p.splitFixed = splitFixed{data: data, width: c.stored, count: len(data) / c.stored}
		p.fixed = &p.splitFixed
		return nil
	case encDeltaBytes:
		if typ != physFixed {
			break
		}
		if err := p.deltaText.init(data); err != nil {
			return err
		}
		p.stringFixed.values, p.stringFixed.width = &p.deltaText, c.stored
		p.fixed = &p.stringFixed
		return nil
	}
	return c.wrongEncoding()
}

func (c *column) wrongEncoding() error {
	return formatError(fmt.Sprintf("encoding %d does not fit %s", c.page.header.encoding, c.leaf.elem.typ))
}
