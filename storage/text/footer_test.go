package text

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// packed wraps data as the ending of a file's name has it.
func packed(t *testing.T, ending string, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch ending {
	case "":
		return data
	case ".gz":
		w := gzip.NewWriter(&out)
		w.Write(data)
		w.Close()
	case ".deflate":
		w := zlib.NewWriter(&out)
		w.Write(data)
		w.Close()
	case "frame.lz4":
		w := lz4.NewWriter(&out)
		w.Write(data)
		w.Close()
	case ".lz4": // Hadoop's blocks, of several chunks
		for len(data) > 0 {
			block := data[:min(len(data), 300)]
			data = data[len(block):]
			out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(block))))
			for len(block) > 0 {
				part := block[:min(len(block), 200)]
				block = block[len(part):]
				enc := make([]byte, lz4.CompressBlockBound(len(part)))
				var c lz4.Compressor
				n, err := c.CompressBlock(part, enc)
				if err != nil {
					t.Fatal(err)
				}
				if n == 0 { // does not shrink: literals
					enc = append([]byte{15 << 4}, enc[:0]...)
					for n = len(part) - 15; n >= 255; n -= 255 {
						enc = append(enc, 255)
					}
					if n < 0 {
						enc[0], n = byte(len(part)<<4), -1
					} else {
						enc = append(enc, byte(n))
					}
					enc = append(enc, part...)
					n = len(enc)
				}
				out.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
				out.Write(enc[:n])
			}
		}
	}
	return out.Bytes()
}

// TestFooter: the last lines of files, plain and compressed, are no rows.
func TestFooter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	col := []storage.Column{{Name: "a", Type: sqltype.T(sqltype.String), Nullable: true}}
	for round := range 300 {
		var lines []string
		for i := range rnd.IntN(8) {
			long := 1
			if round%60 == 0 {
				long = 40000
			}
			lines = append(lines, strings.Repeat(fmt.Sprint(i), 1+rnd.IntN(3)*long))
		}
		data := strings.Join(lines, "\n")
		if len(lines) > 0 && round%3 > 0 {
			data += "\n"
		}
		header, footer := rnd.IntN(3), rnd.IntN(5)
		want := lines[:max(0, len(lines)-footer)]
		want = want[min(header, len(want)):]
		for _, ending := range []string{"", ".gz", ".deflate", ".lz4", "frame.lz4"} {
			opt := Hive()
			opt.Skip, opt.Footer = header, footer
			s, err := NewSource(memFS{data: packed(t, ending, []byte(data))}, []string{"f" + ending}, col, opt)
			if err != nil {
				t.Fatal(err)
			}
			s.files[0].block = 1 + rnd.IntN(50)
			got, err := collect(t, s, 1, 0)
			if err != nil {
				t.Fatalf("%s: %v", ending, err)
			}
			for i := range got {
				got[i] = strings.TrimSuffix(got[i], "\x00")
			}
			if !slices.Equal(got, want) {
				t.Fatalf("f%s of %d lines without %d and %d: %d rows, want %d", ending, len(lines), header, footer, len(got), len(want))
			}
		}
	}
}
