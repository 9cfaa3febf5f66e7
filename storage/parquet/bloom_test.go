package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/parquet-go/parquet-go"
)

func TestXXHash(t *testing.T) {
	check := func(p string, want uint64) {
		t.Helper()
		if got := xxhash64([]byte(p)); got != want {
			t.Errorf("%q: %x, want %x", p, got, want)
		}
	}
	check("", 0xef46db3751d8e999)
	check("a", 0xd24ec4f1a98c6e5b)
	check("\x01\x00\x00\x00", 0xf42f94001fcb5351)
	check("\x01\x00\x00\x00\x00\x00\x00\x00", 0x9f29cb17a2a49995)
}

// TestBloom writes filters on every type, finds every value that is there, hardly any that
// is not, and lets parquet-go look too.
func TestBloom(t *testing.T) {
	cols := writtenColumns()
	var opt WriterOptions
	for i := range cols {
		opt.BloomColumns = append(opt.BloomColumns, i)
	}
	data, want := writeRandom(t, rand.New(rand.NewPCG(4, 4)), cols, 3000, 1, opt)
	s := source(t, data)
	pf, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	filters := 0
	for i := range cols {
		c, err := newColumn(s.files[0], mustOpen(t, s.files[0]), &s.files[0].leaves[i], 0, &memory{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f := c.openBloom()
		if f == nil {
			continue
		}
		filters++
		theirs := pf.RowGroups()[0].ColumnChunks()[i].BloomFilter()
		pages := storage.NewPageCache(1<<20, nil)
		c.cache, c.key = pages, storage.PageKey{Column: int32(i)}
		var kept *bloomReader
		for range 3 { // the second one that asks takes the filter into the cache
			kept = c.openBloom()
			kept.cached()
		}
		if kept.bits == nil {
			t.Fatalf("%s: the filter is not kept", cols[i].Name)
		}
		hits := 0
		for k := range want[i] {
			v := &want[i][k]
			if f.has(v) != kept.has(v) {
				t.Fatalf("%s: %s differs from the filter that is kept", cols[i].Name, valueText(*v))
			}
			p, ok := c.leaf.plainBytes(v)
			if v.Null || !ok {
				continue
			}
			if !f.has(v) {
				t.Fatalf("%s: %s is not found", cols[i].Name, valueText(*v))
			}
			if k < 20 && c.leaf.elem.typ != physFixed {
				if ok, err := theirs.Check(parquetValue(c.leaf, p)); err != nil || !ok {
					t.Fatalf("%s: parquet-go does not find %s: %v", cols[i].Name, valueText(*v), err)
				}
			}
		}
		for k := range 1000 {
			v := vector.Value{Type: cols[i].Type, S: fmt.Sprint("absent", k), F: 1e6 + float64(k)}
			v.I.Lo = uint64(100_000 + k)
			if f.has(&v) {
				hits++
			}
			if f.has(&v) != kept.has(&v) {
				t.Fatalf("%s: %s differs from the filter that is kept", cols[i].Name, valueText(v))
			}
		}
		if hits > 60 {
			t.Errorf("%s: %d of 1000 absent values are found", cols[i].Name, hits)
		}
	}
	if filters != len(cols)-2 { // all but BOOLEAN
		t.Errorf("%d filters of %d columns", filters, len(cols))
	}
}

func mustOpen(_ *testing.T, f *File) storage.File {
	return f.open()
}

func parquetValue(l *leaf, p []byte) parquet.Value {
	one := &vector.Vector{Type: l.Type, Len: 1, Data: append([]byte(nil), p...)}
	switch l.elem.typ {
	case physInt32:
		return parquet.Int32Value(slice[int32](one.Data, 1)[0])
	case physInt64:
		return parquet.Int64Value(slice[int64](one.Data, 1)[0])
	case physFloat:
		return parquet.FloatValue(math.Float32frombits(slice[uint32](one.Data, 1)[0]))
	case physDouble:
		return parquet.DoubleValue(math.Float64frombits(slice[uint64](one.Data, 1)[0]))
	}
	return parquet.ByteArrayValue(p)
}

// TestBloomPrunes makes sure that a filter empties the scan of an absent value.
func TestBloomPrunes(t *testing.T) {
	s := source(t, sortedFile(t, 30_000, WriterOptions{BloomColumns: []int{1}}))
	rows := func(text string) (n int) {
		req := &storage.ScanRequest{Columns: []int{1}, Limit: -1, Prune: []storage.Predicate{{Op: storage.OpEq, Column: 1, Values: []vector.Value{vector.StringValue(s.columns[1].Type, text)}}}}
		splits, err := s.Splits(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.open(splits[0].(*split), req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, g := range r.ranges {
			n += int(g.hi - g.lo)
		}
		return n
	}
	if n := rows("000012345"); n == 0 {
		t.Error("a value that is there was pruned")
	}
	if n := rows("00001234x"); n != 0 {
		t.Errorf("%d rows are left for a value that is not there", n)
	}
}
