package orc

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestTailBytes: the tail of a file takes about as much memory as the cache of tails counts.
func TestTailBytes(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, []storage.Column{{Name: "a", Type: sqltype.T(sqltype.BigInt)}, {Name: "b", Type: sqltype.T(sqltype.String)}}, WriterOptions{Codec: "zlib"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := vector.New(sqltype.T(sqltype.BigInt), 3), vector.New(sqltype.T(sqltype.String), 3)
	for i := range 3 {
		b.SetString(i, "text")
	}
	if err := w.Write(&vector.Batch{Cols: []*vector.Vector{a, b}, Len: 3}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 300
	files := make([]*File, n)
	before := heap()
	for i := range files {
		if files[i], err = OpenFile(&memFS{data: file.Bytes()}, "mem.orc"); err != nil {
			t.Fatal(err)
		}
		if _, err := files[i].stripeFooter(memFile{bytes.NewReader(file.Bytes())}, 0); err != nil {
			t.Fatal(err)
		}
	}
	after := heap()
	if took, counted := (after-before)/n, uint64(files[0].bytes); took > 4*counted {
		t.Errorf("a tail takes %d bytes and counts as %d", took, counted)
	}
	runtime.KeepAlive(files)
}
