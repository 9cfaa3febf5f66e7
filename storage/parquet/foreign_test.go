package parquet

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
)

// foreignRow has every encoding that parquet-go writes.
type foreignRow struct {
	PlainInt    int64    `parquet:"plain_int,plain"`
	DeltaInt    int64    `parquet:"delta_int,delta"`
	DeltaSmall  int32    `parquet:"delta_small,delta"`
	DeltaNull   int64    `parquet:"delta_null,optional,delta"`
	DictInt     int64    `parquet:"dict_int,dict"`
	SplitFloat  float32  `parquet:"split_float,split"`
	SplitDouble float64  `parquet:"split_double,optional,split"`
	SplitInt    int64    `parquet:"split_int,split"`
	PlainText   string   `parquet:"plain_text,plain"`
	DictText    *string  `parquet:"dict_text,optional,dict"`
	DeltaText   string   `parquet:"delta_text,delta"`
	Flag        *bool    `parquet:"flag,optional"`
	Bytes       []byte   `parquet:"bytes,delta"`
	ID          [16]byte `parquet:"id,uuid"`
	IDDelta     [16]byte `parquet:"id_delta,uuid"`
	Short       int8     `parquet:"short"`
	Unsigned    uint32   `parquet:"unsigned"`
	Wide        uint64   `parquet:"wide"`
	Day         int32    `parquet:"day,date"`
	Price       int64    `parquet:"price,decimal(2:15)"`
	Tags        []string `parquet:"tags,list"`
	Inner       innerRow `parquet:"inner"`
	Last        *int32   `parquet:"last,optional"`
}

type innerRow struct {
	A int64 `parquet:"a"`
}

func foreignRows(r *rand.Rand, n int) []foreignRow {
	rows := make([]foreignRow, n)
	for i := range rows {
		text := strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(40))
		row := foreignRow{
			PlainInt: r.Int64(), DeltaInt: int64(i*3) + r.Int64N(5), DeltaSmall: int32(r.Uint32()), DictInt: int64(r.IntN(9)),
			SplitFloat: r.Float32(), SplitInt: r.Int64() >> r.IntN(63), PlainText: text, DeltaText: fmt.Sprint("prefix/", i/7, "/", text),
			Bytes: []byte(text), Short: int8(r.Uint32()), Unsigned: r.Uint32(), Wide: r.Uint64(), Day: int32(r.IntN(30000)), Price: r.Int64N(1e15),
			Tags: []string{"x"}, Inner: innerRow{int64(i)},
		}
		for k := range row.ID {
			row.ID[k], row.IDDelta[k] = byte(r.Uint32()), byte(k)
		}
		if r.IntN(3) > 0 {
			x, f, b, l := r.Int64()>>r.IntN(63), r.NormFloat64(), r.IntN(2) == 0, int32(math.MinInt32)
			row.DeltaNull, row.SplitDouble, row.DictText, row.Flag, row.Last = x, f, &text, &b, &l
		}
		rows[i] = row
	}
	return rows
}

// TestForeignFiles reads what parquet-go writes in every encoding, codec and page version,
// all rows and picked ones.
func TestForeignFiles(t *testing.T) {
	codecs := map[string]compress.Codec{
		"none": &parquet.Uncompressed, "snappy": &parquet.Snappy, "gzip": &parquet.Gzip,
		"brotli": &parquet.Brotli, "zstd": &parquet.Zstd, "lz4raw": &parquet.Lz4Raw,
	}
	for name, codec := range codecs {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprint(name, version), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(version), uint64(len(name))))
				rows := foreignRows(r, 1500)
				data := writeForeign(t, rows, codec, version)
				// parquet-go misreads LZ4_RAW: the same rows uncompressed are the reference.
				checkForeign(t, data, writeForeign(t, rows, &parquet.Uncompressed, version))
				for range 30 { // damage it, too
					_ = readHostile(t, mutate(r, data))
				}
			})
		}
	}
}

func writeForeign(t *testing.T, rows []foreignRow, codec compress.Codec, version int) []byte {
	var file bytes.Buffer
	w := parquet.NewGenericWriter[foreignRow](&file, parquet.Compression(codec), parquet.DataPageVersion(version), parquet.PageBufferSize(3000), parquet.MaxRowsPerRowGroup(700))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// checkForeign compares data with what parquet-go reads from reference, the same rows.
func checkForeign(t *testing.T, data, reference []byte) {
	s := source(t, data)
	pf, err := parquet.OpenFile(bytes.NewReader(reference), int64(len(reference)))
	if err != nil {
		t.Fatal(err)
	}
	nested := 0
	for i, c := range s.Columns() {
		got, err := readColumnValues(t, s, i)
		if err != nil {
			t.Fatal(err)
		}
		if c.Type.IsNested() {
			nested++
			if err := readMutated(t, s, i, 100); err != nil {
				t.Fatal(err)
			}
			continue
		}
		l := &s.files[0].leaves[i]
		want, err := referenceValues(pf, l.index)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d rows, want %d", c.Name, len(got), len(want))
		}
		for k := range got {
			if g, w := valueText(got[k]), referenceText(l, want[k]); g != w {
				t.Fatalf("%s %s row %d: got %s, want %s", c.Name, c.Type, k, g, w)
			}
		}
		if err := readMutated(t, s, i, 100); err != nil {
			t.Fatal(err)
		}
	}
	if nested != 2 {
		t.Errorf("%d nested columns", nested)
	}
}
