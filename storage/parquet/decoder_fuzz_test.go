package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// onePage is what a file of one column and one data page is made of: all is valid but the
// pages' bodies and what their headers tell of them.
type onePage struct {
	kind        int // of pageLeaves
	optional    bool
	codec       int32
	v2          bool
	encoding    int8
	levels      int8 // encoding of levels
	values      int
	size        int // uncompressed, with a codec
	rep, def    int // bytes of levels, of v2
	dict, body  []byte
	dictEntries int
}

// pageLeaves write the schema of the column, of which name and repetition are written already.
var pageLeaves = []struct {
	typ    physicalType
	length int32
	rest   func(w *thriftWriter)
}{
	{typ: physBoolean}, {typ: physInt32}, {typ: physInt64}, {typ: physInt96}, {typ: physFloat}, {typ: physDouble}, {typ: physByteArray},
	{physByteArray, 0, func(w *thriftWriter) { w.i32(6, convUTF8) }},
	{physByteArray, 0, func(w *thriftWriter) { w.i32(6, convDecimal); w.i32(7, 2); w.i32(8, 12) }},
	{physByteArray, 0, func(w *thriftWriter) { w.i32(6, convDecimal); w.i32(7, 3); w.i32(8, 30) }},
	{physFixed, 3, func(w *thriftWriter) { w.i32(6, convDecimal); w.i32(7, 1); w.i32(8, 6) }},
	{physFixed, 16, func(w *thriftWriter) { w.i32(6, convDecimal); w.i32(7, 0); w.i32(8, 38) }},
	{physFixed, 20, nil},
	{physFixed, 16, func(w *thriftWriter) { w.open(10); w.empty(logicalUUID); w.close() }},
	{physFixed, 2, func(w *thriftWriter) { w.open(10); w.empty(logicalFloat16); w.close() }},
	{physInt32, 0, func(w *thriftWriter) { w.i32(6, convInt8) }},
	{physInt32, 0, func(w *thriftWriter) { w.i32(6, convUint16) }},
	{physInt32, 0, func(w *thriftWriter) { w.i32(6, convDate) }},
	{physInt64, 0, func(w *thriftWriter) { w.i32(6, convUint64) }},
	{physInt64, 0, func(w *thriftWriter) { w.i32(6, convTimestampMillis) }},
	{physInt64, 0, func(w *thriftWriter) { w.i32(6, convDecimal); w.i32(7, 4); w.i32(8, 18) }},
}

func (p *onePage) leaf(w *thriftWriter, name string, rep int32) {
	l := pageLeaves[p.kind%len(pageLeaves)]
	w.elem()
	w.i32(1, int32(l.typ))
	if l.length > 0 {
		w.i32(2, l.length)
	}
	w.i32(3, rep)
	w.string(4, name)
	if l.rest != nil {
		l.rest(w)
	}
	w.close()
}

// schema is that of a flat column, of a list, or of a list of lists within a struct.
func (p *onePage) schema(w *thriftWriter) (path []string) {
	rep := int32(repRequired)
	if p.optional {
		rep = repOptional
	}
	group := func(name string, rep, children, conv int32) {
		w.elem()
		w.i32(3, rep)
		w.string(4, name)
		w.i32(5, children)
		if conv >= 0 {
			w.i32(6, conv)
		}
		w.close()
		path = append(path, name)
	}
	nesting := p.kind / len(pageLeaves) % 3
	w.list(2, thriftStruct, 2+[]int{0, 2, 5}[nesting])
	w.elem()
	w.string(4, "schema")
	w.i32(5, 1)
	w.close()
	if nesting == 2 {
		group("s", rep, 1, -1)
	}
	for range nesting {
		group("l", repOptional, 1, convList)
		group("list", repRepeated, 1, -1)
	}
	p.leaf(w, "x", rep)
	return append(path, "x")
}

func (p *onePage) header(typ int32, raw, packed int) []byte {
	var t thriftWriter
	t.i32(1, typ)
	t.i32(2, int32(raw))
	t.i32(3, int32(packed))
	switch typ {
	case pageDict:
		t.open(7)
		t.i32(1, int32(p.dictEntries))
		t.i32(2, encPlain)
	case pageData:
		t.open(5)
		t.i32(1, int32(p.values))
		t.i32(2, int32(p.encoding))
		t.i32(3, int32(p.levels))
		t.i32(4, int32(p.levels))
	default:
		t.open(8)
		t.i32(1, int32(p.values))
		t.i32(2, 0)
		t.i32(3, int32(p.values))
		t.i32(4, int32(p.encoding))
		t.i32(5, int32(p.def))
		t.i32(6, int32(p.rep))
	}
	t.close()
	return append(t.b, thriftStop)
}

// file is the whole file. With a codec the bodies are taken as they are.
func (p *onePage) file() []byte {
	out := []byte("PAR1")
	put := func(typ int32, body []byte) {
		raw := len(body)
		if p.codec != codecNone {
			raw = p.size
		}
		out = append(out, p.header(typ, raw, len(body))...)
		out = append(out, body...)
	}
	dictAt := len(out)
	if p.dict != nil {
		put(pageDict, p.dict)
	}
	dataAt := len(out)
	if p.v2 {
		put(pageDataV2, p.body)
	} else {
		put(pageData, p.body)
	}
	end := len(out)
	var w thriftWriter
	w.i32(1, 2)
	path := p.schema(&w)
	w.i64(3, int64(p.values))
	w.list(4, thriftStruct, 1)
	w.elem()
	w.list(1, thriftStruct, 1)
	w.elem()
	w.i64(2, int64(dataAt))
	w.open(3)
	w.i32(1, int32(pageLeaves[p.kind%len(pageLeaves)].typ))
	w.list(2, thriftI32, 1)
	w.zigzag(int64(p.encoding))
	w.list(3, thriftBinary, len(path))
	for _, s := range path {
		w.raw([]byte(s))
	}
	w.i32(4, p.codec)
	w.i64(5, int64(p.values))
	w.i64(6, int64(end-dictAt))
	w.i64(7, int64(end-dictAt))
	w.i64(9, int64(dataAt))
	if p.dict != nil {
		w.i64(11, int64(dictAt))
	}
	w.close()
	w.close()
	w.i64(2, int64(end))
	w.i64(3, int64(p.values))
	w.close()
	footer := append(w.b, thriftStop)
	out = append(out, footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

// pickedRows reads column 0, of which a filter lets every so many rows pass, as texts by row.
func pickedRows(t testing.TB, data []byte, every, batch int) (map[int]string, error) {
	f, err := OpenFile(&memFS{data: data}, "mem.parquet")
	if err != nil {
		return nil, checkError(t, err)
	}
	s := &Source{columns: f.Columns(), files: []*File{f}}
	s.mapping = [][]mapped{identity(len(s.columns))}
	seen := 0
	var passed []int
	req := &storage.ScanRequest{Columns: []int{0}, Limit: -1, BatchRows: batch}
	if every > 1 {
		req.Filters = []storage.Filter{{Columns: []int{0}, New: func() (storage.FilterFunc, error) {
			return func(_ []*vector.Vector, n int, sel []int32) (out []int32, _ error) {
				for i := range n {
					if seen%every == 0 {
						out, passed = append(out, int32(i)), append(passed, seen)
					}
					seen++
				}
				return out, nil
			}, nil
		}}}
	}
	rows := map[int]string{}
	ctx := context.Background()
	splits, err := s.Splits(ctx, req)
	for _, sp := range splits {
		r, err := s.Open(ctx, sp, req)
		if err != nil {
			return nil, checkError(t, err)
		}
		defer r.Close()
		for at := 0; ; {
			b, err := r.Next(ctx)
			if err != nil {
				return nil, checkError(t, err)
			}
			if b == nil {
				break
			}
			touch(t, b)
			for i := range b.NumRows() {
				row := at + i
				if every > 1 {
					row = passed[at+i]
				}
				rows[row] = b.Cols[0].Value(b.Row(i)).Text()
			}
			at += b.NumRows()
		}
	}
	return rows, err
}

// FuzzPage reads hostile pages of every encoding, type and nesting in files that are valid
// otherwise: batches of another size and a filter give the same values.
func FuzzPage(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	random := make([]byte, 300)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	delta := binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint([]byte{}, 128), 4), 200)
	for kind := range uint8(len(pageLeaves)) {
		f.Add([]byte(nil), random, kind, uint8(encPlain), uint16(50), uint16(0), false, false, uint8(0))
		f.Add(random[:64], []byte("\x02\x00\x00\x00\x14\x01\x02\x0a\x00\x03\x05"), kind, uint8(encRLEDictionary), uint16(10), uint16(2), true, false, uint8(0))
		f.Add([]byte(nil), append(bytes.Clone(delta), random...), kind, uint8(encDeltaBinary), uint16(100), uint16(0), false, false, uint8(0))
		f.Add([]byte(nil), append(append(bytes.Clone(delta), make([]byte, 140)...), random...), kind+uint8(len(pageLeaves)), uint8(encDeltaLengthBytes), uint16(100), uint16(0x0302), false, true, uint8(0))
		f.Add([]byte(nil), append([]byte("\x02\x00\x00\x00\x14\x01"), random...), kind, uint8(encByteStreamSplit), uint16(10), uint16(0), true, false, uint8(0))
	}
	f.Add([]byte(nil), []byte("\x80\x01\x04\x03\x00\x00\x00\x00\x00\x00\x80\x01\x04\x03\x04\x00\x00\x00\x00\x00abcdef"), uint8(7), uint8(encDeltaBytes), uint16(3), uint16(0), false, false, uint8(0))
	f.Add([]byte(nil), []byte(strings.Repeat("\x03\x00\x00\x00\x03\xff", 3)), uint8(2*len(pageLeaves)+1), uint8(encPlain), uint16(8), uint16(0x0404), true, true, uint8(0))
	once, twice := "\x02\x00\x00\x00\x10\x00\x02\x00\x00\x00\x10\x02", "\x02\x00\x00\x00\x10\x00\x02\x00\x00\x00\x10\x04"
	for i, levels := range []string{once, twice} { // eight lists of one element
		f.Add([]byte(nil), append([]byte(levels), make([]byte, 400)...), uint8((1+i)*len(pageLeaves)+i), uint8(encPlain), uint16(8), uint16(0), false, false, uint8(0))
	}
	for codec := range uint8(numCodecs) {
		f.Add([]byte(nil), []byte("\x10\x3cabcdefghijklmnop"), uint8(1), uint8(encPlain), uint16(4), uint16(16), false, false, codec)
	}
	f.Fuzz(func(t *testing.T, dict, body []byte, kind, encoding uint8, values, more uint16, optional, v2 bool, codec uint8) {
		p := onePage{kind: int(kind), optional: optional, codec: int32(codec % numCodecs), v2: v2, encoding: int8(encoding % 10), levels: encRLE,
			values: int(values), dictEntries: int(more), size: int(more)}
		if encoding >= 128 {
			p.levels = encBitPacked
		}
		if len(dict) > 0 {
			p.dict = dict
		}
		p.body = body
		if v2 {
			p.rep, p.def = int(more>>8), int(more&255)
		}
		data := p.file()
		all, err := pickedRows(t, data, 1, 0)
		for _, every := range []int{1, 3, 100} {
			picked, errPicked := pickedRows(t, data, every, []int{7, 0, 13}[every%3])
			if err != nil || errPicked != nil {
				continue
			}
			for row, text := range picked {
				if all[row] != text {
					t.Fatalf("row %d of every %d is %q, not %q", row, every, text, all[row])
				}
			}
			if want := (len(all) + every - 1) / every; len(picked) != want {
				t.Fatalf("%d rows of every %d, not %d", len(picked), every, want)
			}
		}
	})
}

// FuzzFooter reads files whose footer is hostile, and index structures of the same bytes.
func FuzzFooter(f *testing.F) {
	for _, d := range smallFiles(f, 3000) {
		if len(d) < 12 {
			continue
		}
		if n := int(binary.LittleEndian.Uint32(d[len(d)-8:])); n <= len(d)-12 {
			f.Add(d[4:len(d)-8-n], d[len(d)-8-n:len(d)-8])
		}
	}
	f.Fuzz(func(t *testing.T, body, footer []byte) {
		data := append(append([]byte("PAR1"), body...), footer...)
		data = binary.LittleEndian.AppendUint32(data, uint32(len(footer)))
		_ = readHostile(t, append(data, "PAR1"...))
		for at := 0; at < len(body) && at < 64; at++ {
			_, _, _ = decodePageHeader(body[at:])
		}
		for _, b := range [][]byte{body, footer} {
			if pages := decodeOffsetIndex(b, 100); len(pages) > 100 {
				t.Fatalf("%d pages", len(pages))
			}
			for n := range 4 {
				_ = decodeColumnIndex(b, n)
			}
		}
	})
}
