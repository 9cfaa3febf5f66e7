package orc

import (
	"bytes"
	"testing"
)

// FuzzTail reads files whose tail is hostile and not compressed, and index structures, stripe footers and statistics of the
// same bytes.
func FuzzTail(f *testing.F) {
	for _, d := range smallFiles(f, 3000) {
		file, err := OpenFile(&memFS{data: d}, "mem.orc")
		if err != nil || len(d) == 0 {
			continue
		}
		t := &file.tail
		psLen := int(d[len(d)-1])
		end := len(d) - 1 - psLen
		footer, err := expandAll(t.codec, t.block, d[end-int(t.footerLength):end])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(d[min(3, len(d)):end-int(t.footerLength+t.metadataLength)], footer, uint8(t.codec))
		for i := range file.stripes {
			s := &file.stripes[i]
			at := s.offset + s.indexLength + s.dataLength
			if raw, err := expandAll(t.codec, t.block, d[at:at+s.footerLength]); err == nil {
				f.Add(raw, d[s.offset:s.offset+s.indexLength], uint8(t.codec))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body, footer []byte, codec uint8) {
		// The footer is stored, so that its bytes are not hidden behind a codec.
		stored := footer
		if codec %= numCodecs; codec != codecNone {
			n := len(footer)<<1 | 1
			if n >= 1<<24 {
				return
			}
			stored = append([]byte{byte(n), byte(n >> 8), byte(n >> 16)}, footer...)
		}
		var ps protoWriter
		ps.uint(1, uint64(len(stored)))
		ps.uint(2, uint64(codec))
		ps.uint(3, defaultBlock)
		ps.uint(6, 6)
		ps.bytes(8000, []byte(magic))
		data := append(append([]byte(magic), body...), stored...)
		data = append(append(data, ps.b...), byte(len(ps.b)))
		_ = readHostile(t, data)
		if file, err := OpenFile(&memFS{data: data}, "mem.orc"); err == nil {
			s := &Source{columns: file.Columns(), files: []*File{file}}
			s.mapping = [][]mapped{identity(len(s.columns))}
			stats := s.Stats()
			if len(stats.Columns) != len(s.columns) {
				t.Fatal("columns without statistics")
			}
		}
		for _, b := range [][]byte{body, footer} {
			s := stripeMeta{dataLength: int64(len(b))}
			if f, err := decodeStripeFooter(b, &s, 3); err == nil {
				_ = f.find(1, streamData)
			}
			if entries, err := decodeRowIndex(b); err == nil && len(entries) > len(b) {
				t.Fatalf("%d entries of %d bytes", len(entries), len(b))
			}
			blooms, err := decodeBlooms(b)
			if err == nil && len(blooms) > 0 {
				f := blooms[0]
				f.bitset = bytes.Clone(f.bitset)
				_ = f.mayContain(hashBytes(b))
			}
		}
	})
}
