package function

import (
	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveExplodeBitmap is explode_bitmap(b): a row a value, ascending, as BIGINT (above 2^63-1: the negative number of the
// same bits).
func resolveExplodeBitmap(name string, args []Arg) (*Table, error) {
	if len(args) != 1 || !castable(args[0].Type, tBitmap) {
		return nil, wrongArguments(name, args)
	}
	return &Table{Params: types(tBitmap), Names: []string{"col"}, Result: types(tBigInt), NotNull: []bool{true}, Rows: -1,
		New: func() Generator { return &bitmapValues{} }}, nil
}

// bitmapValues generates the values of a bitmap; rows are asked for in order.
type bitmapValues struct {
	reader bitmap.Values
	buf    []uint64
}

// Count implements Generator.
func (g *bitmapValues) Count(args []*vector.Vector, i int) (int64, error) {
	if args[0].IsNull(i) {
		return 0, nil
	}
	b := args[0].Bytes(i)
	g.reader = bitmap.Read(b)
	return bitmap.Count(b)
}

// Append implements Generator.
func (g *bitmapValues) Append(_ []*vector.Vector, _ int, lo, hi int64, out []*vector.Vector) (err error) {
	if g.buf, err = g.reader.Append(g.buf[:0], int(hi-lo)); err != nil || out[0] == nil {
		return err
	}
	base := out[0].Len
	out[0].Grow(base + int(hi-lo))
	dst := vector.Values[int64](out[0])[base:]
	for k := range dst {
		dst[k] = 0
	}
	for k, v := range g.buf { // fewer than were counted in a bitset whose cardinality is wrong
		dst[k] = int64(v)
	}
	return nil
}
