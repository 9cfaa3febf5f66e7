package function

import (
	"testing"

	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/vector"
)

// bitmapOf is a BITMAP of some values.
func bitmapOf(t testing.TB, vals ...uint64) vector.Value {
	t.Helper()
	var w bitmap.Workspace
	var s bitmap.Set
	for _, v := range vals {
		w.Add(&s, v)
	}
	b, err := w.AppendTo(nil, &s)
	if err != nil {
		t.Fatal(err)
	}
	return vector.StringValue(tBitmap, string(b))
}

// bitmapSamples are bitmaps of all kinds, none NULL.
func bitmapSamples(t testing.TB) []vector.Value {
	var many []uint64
	for i := range uint64(4500) {
		many = append(many, i*3)
	}
	return []vector.Value{bitmapOf(t), bitmapOf(t, 0), bitmapOf(t, 1, 2, 3), bitmapOf(t, 1<<32-1, 1<<32, 1<<63, 1<<64-1), bitmapOf(t, many...)}
}
