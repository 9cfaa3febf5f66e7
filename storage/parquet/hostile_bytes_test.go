package parquet

import (
	"context"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// TestHostileCopies: a list of one string of the dictionary, over and over, does not take more than a query may.
func TestHostileCopies(t *testing.T) {
	const rows, long, limit = 4000, 100_000, 64 << 20
	run := func(dst []byte, v byte) []byte { // all levels are v
		level := append(binary.AppendUvarint(nil, rows<<1), v)
		return append(binary.LittleEndian.AppendUint32(dst, uint32(len(level))), level...)
	}
	reps := binary.AppendUvarint([]byte{1 << 1, 0}, (rows-1)<<1) // the first begins a row, the others go on
	reps = append(reps, 1)
	body := append(binary.LittleEndian.AppendUint32(nil, uint32(len(reps))), reps...)
	body = append(run(body, 2), 1)
	body = append(binary.AppendUvarint(body, rows<<1), 0) // the code of all of them
	p := onePage{kind: len(pageLeaves) + 7, encoding: encRLEDictionary, levels: encRLE, values: rows, body: body, dictEntries: 1,
		dict: append(binary.LittleEndian.AppendUint32(nil, long), make([]byte, long)...)}
	data := p.file()
	b := budget.New("query", limit, nil)
	f, err := OpenFile(&memFS{data: data}, "mem.parquet")
	if err != nil {
		t.Fatal(err)
	}
	f.meta.groups[0].rows = 1 // all values are one list
	s := &Source{columns: f.Columns(), files: []*File{f}}
	s.mapping = [][]mapped{identity(len(s.columns))}
	req := &storage.ScanRequest{Columns: []int{0}, Limit: -1, Budget: b.Reserve("scan")}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	splits, err := s.Splits(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	for _, sp := range splits {
		r, err2 := s.Open(context.Background(), sp, req)
		if err2 != nil {
			t.Fatal(err2)
		}
		_, err = r.Next(context.Background())
		r.Close()
	}
	runtime.ReadMemStats(&after)
	if !sqlerr.Is(err, sqlerr.OutOfMemory) {
		t.Errorf("a list of %d strings of %d bytes in a file of %d: %v", rows, long, len(data), err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 2*limit {
		t.Errorf("%d bytes were allocated", got)
	}
	if b.Used() != 0 {
		t.Errorf("%d bytes are still held", b.Used())
	}
}
