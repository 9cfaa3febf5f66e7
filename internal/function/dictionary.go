package function

import (
	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Functions over a global dictionary are made for it by the binder: they have no entry in the registry. Values are numbered by
// their text, as a cast to STRING gives it.

// DictionaryIDs numbers values of a type, giving new ids to those that have none: what loads run. The result is BIGINT, NULL for
// NULL, or with asBitmap the BITMAP of the id, empty for NULL.
func DictionaryIDs(from sqltype.Type, d *dictionary.Dictionary, asBitmap bool) (*Scalar, error) {
	if from.IsNested() || from.IsOpaque() || !castable(from, tString) {
		return nil, sqlerr.Unsupported("a dictionary of " + from.String())
	}
	s := &Scalar{Name: "bitmap_dict_id", Params: types(from), Result: tBigInt, Stability: Volatile, Fails: true}
	if asBitmap {
		s.Result, s.Nulls = tBitmap, NullAware
	}
	s.New = func([]*vector.Value) (Kernel, error) {
		n := &numberer{dict: d, asBitmap: asBitmap}
		if !isText(from) {
			n.cast, n.text = castStep(from, tString), &vector.Vector{Type: tString}
		}
		return n.run, nil
	}
	return s, nil
}

// numberer numbers the rows of batches. It is the Texts that the dictionary reads.
type numberer struct {
	dict     *dictionary.Dictionary
	asBitmap bool
	cast     castLoop // nil: the argument is text
	text     *vector.Vector
	source   text
	rows     []int32 // that are not null
	ids      []int64
	scratch  dictionary.Scratch
}

// N implements dictionary.Texts.
func (n *numberer) N() int { return len(n.rows) }

// At implements dictionary.Texts.
func (n *numberer) At(k int) []byte { return n.source.at(int(n.rows[k])) }

func (n *numberer) run(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	arg := args[0]
	n.rows = n.rows[:0]
	for k := range count(out, sel) {
		if i := row(sel, k); !isNullAt(arg, i) {
			n.rows = append(n.rows, int32(i))
		}
	}
	if arg.Form == vector.Constant && len(n.rows) > 1 {
		n.rows = n.rows[:1] // one value
	}
	if n.source = textOf(arg); n.cast != nil {
		n.text.Reset(out.Len)
		n.cast(ctx, arg, n.rows, n.text)
		n.source = textOf(n.text)
	}
	if cap(n.ids) < len(n.rows) {
		n.ids = make([]int64, max(len(n.rows), vector.BatchRows))
	}
	ids := n.ids[:len(n.rows)]
	if err := n.dict.Assign(n, ids, &n.scratch); err != nil {
		return err
	}
	if n.asBitmap {
		n.bitmaps(arg, ids, sel, out)
		return nil
	}
	dst := vector.Values[int64](out)
	if arg.Form == vector.Constant && len(ids) > 0 {
		for k := range count(out, sel) {
			dst[row(sel, k)] = ids[0]
		}
		return nil
	}
	for k, i := range n.rows {
		dst[i] = ids[k]
	}
	return nil
}

// bitmaps writes the bitmaps of ids, the empty one for NULLs.
func (n *numberer) bitmaps(arg *vector.Vector, ids []int64, sel []int32, out *vector.Vector) {
	var buf [32]byte
	next := 0
	for k := range count(out, sel) {
		i := row(sel, k)
		b := buf[:0]
		switch {
		case isNullAt(arg, i):
			b = bitmap.AppendEmpty(b)
		default:
			b = bitmap.AppendSingle(b, uint64(ids[next]))
			if arg.Form != vector.Constant {
				next++
			}
		}
		out.SetBytes(i, b)
	}
}

// DictionaryFind is bitmap_dict('table.column', x): the id that a value has, NULL if it has none.
func DictionaryFind(d *dictionary.Dictionary) *Scalar {
	return &Scalar{Name: "bitmap_dict", Params: types(tString, tString), Result: tBigInt, Stability: Stable, YieldsNull: true,
		New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x, dst := textOf(args[1]), vector.Values[int64](out)
			for i := range live(out, sel) {
				id, ok := d.Find(x.at(i))
				if dst[i] = id; !ok {
					out.SetNull(i)
				}
			}
			return nil
		})}
}

// DictionaryText is bitmap_dict_text('table.column', id): the text that has an id, NULL if none has it.
func DictionaryText(d *dictionary.Dictionary) *Scalar {
	return &Scalar{Name: "bitmap_dict_text", Params: types(tString, tBigInt), Result: tString, Stability: Stable, YieldsNull: true,
		New: stateless(func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			x := columnOf[int64](args[1])
			for i := range live(out, sel) {
				if b, ok := d.Text(x.at(i)); ok {
					out.SetBytes(i, b)
				} else {
					out.SetNull(i)
				}
			}
			return nil
		})}
}
