// Package vector holds the engine's columnar data: vectors, batches and selections.
//
// A Vector is one column of a batch in one of three forms: flat (a value a row),
// constant (one value for every row) and dictionary (codes into a flat vector). The
// flat layout is Arrow's: a buffer of fixed-width values plus a validity bitmap;
// strings are 16-byte views with side buffers, and so are arrays, maps and structs in a
// canonical encoding (nested.go); booleans are a byte each. There are no
// interfaces and no boxed values here: typed access is Values[T], chosen by the
// caller from the type's Physical layout once, outside of row loops.
//
// Ownership: an operator's output batch is valid until that operator is called again;
// who keeps data longer copies it (CopyOf, AppendFrom). Vectors that share memory
// (Slice, dictionaries, string buffers) are read-only to everybody but their maker.
// Null rows of a flat vector hold some defined value (strings: a valid view, zero where
// nothing else is known), so that kernels may compute over them.
package vector

import (
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// BatchRows is the default number of rows of a batch. Sizes from 512 to 16,384
// perform alike; 4,096 keeps the working set of a pipeline in the second-level cache.
const BatchRows = 4096

// Form tells how a vector's rows are stored.
type Form uint8

// The forms.
const (
	Flat Form = iota
	Constant
	Dictionary
)

// Fixed lists the Go types of flat values. The pairing with layouts is in sqltype.Physical.
type Fixed interface {
	bool | int8 | int16 | int32 | int64 | int128.Int | float32 | float64 | View |
		uint8 | uint16 | uint32 | uint64
}

// Vector is one column. The zero Vector is not usable; see New.
type Vector struct {
	Type sqltype.Type
	Form Form
	Len  int // rows
	// Data holds Len values (Flat) or one (Constant); read it through Values.
	Data []byte
	// Valid has a bit a value of Data: Len bits, or one for Constant. nil: no nulls.
	// For Dictionary the nulls are those of the rows, and Dict has none.
	Valid Bitmap
	// Bufs are the string buffers that views refer to. Appending to the last one is
	// allowed to the vector's owner only.
	Bufs [][]byte
	// Lender lends memory of Bufs to who keeps strings of v, while v is valid. nil: they are copied.
	Lender Lender
	// Codes are row -> position in Dict, for Dictionary. Codes of null rows are in range.
	Codes []int32
	Dict  *Vector // Flat

	owned []byte // memory that Reset may reuse for Data
	ownV  Bitmap // memory that Reset may reuse for Valid
}

// Lender lends string buffers: who keeps most of one for long keeps it as it is instead of copying.
type Lender interface {
	// Lend returns the buffer that b lies in. It stays as it is until giveBack is called, once, by any goroutine; one that is
	// never given back is left to the garbage collector. nil: b must be copied.
	Lend(b []byte) (buffer []byte, giveBack func())
}

// New returns a flat vector of n rows, all valid, values zero.
func New(t sqltype.Type, n int) *Vector {
	v := &Vector{Type: t}
	v.Reset(n)
	clear(v.Data)
	return v
}

// alloc returns n bytes aligned to 8.
func alloc(n int) []byte {
	if n == 0 {
		return nil
	}
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), len(w)*8)[:n]
}

// Reset makes v a flat vector of n valid rows with unspecified values (strings: zero
// views), reusing the memory v owns. Type stays.
func (v *Vector) Reset(n int) {
	size := n * v.Type.Physical().Size()
	if cap(v.owned) < size {
		v.owned = alloc(max(size, 2*cap(v.owned)))
	}
	v.Form, v.Len = Flat, n
	v.Data = v.owned[:size]
	v.Valid = nil
	v.Codes, v.Dict = nil, nil
	v.Bufs, v.Lender = nil, nil
	if v.Type.Physical() == sqltype.PhysString {
		clear(v.Data)
	}
}

// Values are v's flat or constant values: Len of them, or one. T must be the Go type of
// v.Type.Physical(). The slice is v's memory.
func Values[T Fixed](v *Vector) []T {
	var t T
	n := len(v.Data) / int(unsafe.Sizeof(t))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&v.Data[0])), n)
}

// FromValues makes a flat vector over vals without copying; valid may be nil.
func FromValues[T Fixed](t sqltype.Type, vals []T, valid Bitmap) *Vector {
	v := &Vector{Type: t, Len: len(vals), Valid: valid}
	if len(vals) > 0 {
		var x T
		v.Data = unsafe.Slice((*byte)(unsafe.Pointer(&vals[0])), len(vals)*int(unsafe.Sizeof(x)))
	}
	return v
}

// FromStrings makes a flat string vector; for tests and small results.
func FromStrings(t sqltype.Type, vals ...string) *Vector {
	v := New(t, len(vals))
	for i, s := range vals {
		v.SetString(i, s)
	}
	return v
}

// NewDictionary makes a dictionary vector. codes[i] must be within dict, for null rows
// too; dict is flat and has no nulls. Nothing is copied.
func NewDictionary(dict *Vector, codes []int32, valid Bitmap) *Vector {
	return &Vector{Type: dict.Type, Form: Dictionary, Len: len(codes), Codes: codes, Dict: dict, Valid: valid}
}

// NewConstant makes a constant vector of n rows from row 0 of a one-row value.
func NewConstant(val Value, n int) *Vector {
	v := New(val.Type, 1)
	v.SetValue(0, val)
	v.Form, v.Len = Constant, n
	return v
}

// index is where row i's value is in Data and Valid.
func (v *Vector) index(i int) int {
	if v.Form == Constant {
		return 0
	}
	return i
}

// IsNull reports whether row i is null, in any form.
func (v *Vector) IsNull(i int) bool {
	return v.Type.Kind == sqltype.Null || !v.Valid.Get(v.index(i))
}

// Bool is row i of a BOOLEAN vector in any form; the row must not be null.
func (v *Vector) Bool(i int) bool {
	if v.Form == Dictionary {
		return Values[bool](v.Dict)[v.Codes[i]]
	}
	return Values[bool](v)[v.index(i)]
}

// MayHaveNulls reports whether any row can be null.
func (v *Vector) MayHaveNulls() bool { return v.Valid != nil || v.Type.Kind == sqltype.Null }

// SetNull makes row i of a flat vector null. The vector must own its Valid (or have none).
func (v *Vector) SetNull(i int) { v.MutableValid().Clear(i) }

// MutableValid returns a validity bitmap that the owner of v may write, all ones where
// v had none.
func (v *Vector) MutableValid() Bitmap {
	if v.Valid == nil {
		words := (max(v.Len, 1) + 63) / 64
		if cap(v.ownV) < words {
			v.ownV = make(Bitmap, words, 2*words)
		}
		v.Valid = v.ownV[:words]
		for i := range v.Valid {
			v.Valid[i] = ^uint64(0)
		}
	}
	return v.Valid
}

// SetAllNull makes v a constant NULL of n rows.
func (v *Vector) SetAllNull(n int) {
	v.Reset(1)
	clear(v.Data)
	v.SetNull(0)
	v.Form, v.Len = Constant, n
}

// Bytes is row i of a string vector in any form; nil for null is not promised: ask
// IsNull first. The slice is valid as long as v (and for inline views, v.Data) is.
func (v *Vector) Bytes(i int) []byte {
	if v.Form == Dictionary {
		return v.Dict.Bytes(int(v.Codes[i]))
	}
	return Values[View](v)[v.index(i)].Bytes(v.Bufs)
}

// bufferChunk bounds the size that a new string buffer starts with.
const bufferChunk = 64 << 10

// SetBytes stores a copy of b as row i of a flat string vector that the caller owns.
func (v *Vector) SetBytes(i int, b []byte) {
	Values[View](v)[i] = v.AddBytes(b)
}

// SetString is SetBytes of a string.
func (v *Vector) SetString(i int, s string) {
	v.SetBytes(i, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// AddBytes copies b into v's buffers where it does not fit a view and returns its view.
func (v *Vector) AddBytes(b []byte) View {
	if len(b) <= MaxInline {
		return MakeView(b, 0, 0)
	}
	last := len(v.Bufs) - 1
	if last < 0 || cap(v.Bufs[last])-len(v.Bufs[last]) < len(b) {
		size := 1 << 10
		if last >= 0 {
			size = min(2*cap(v.Bufs[last]), bufferChunk)
		}
		v.Bufs = append(v.Bufs, make([]byte, 0, max(size, len(b))))
		last++
	}
	buf := v.Bufs[last]
	off := len(buf)
	v.Bufs[last] = append(buf, b...)
	return MakeView(b, last, off)
}

// Slice is rows [lo, hi) of v, sharing memory, as a new header.
func (v *Vector) Slice(lo, hi int) *Vector {
	out := &Vector{Type: v.Type, Form: v.Form, Len: hi - lo, Bufs: v.Bufs, Dict: v.Dict}
	switch v.Form {
	case Constant:
		out.Data, out.Valid = v.Data, v.Valid
		return out
	case Dictionary:
		out.Codes = v.Codes[lo:hi]
	default:
		w := v.Type.Physical().Size()
		out.Data = v.Data[lo*w : hi*w]
	}
	out.Valid = sliceBitmap(v.Valid, lo, hi)
	return out
}

func sliceBitmap(b Bitmap, lo, hi int) Bitmap {
	if b == nil {
		return nil
	}
	if lo&63 == 0 {
		return b[lo>>6 : (hi+63)>>6]
	}
	out := make(Bitmap, (hi-lo+63)/64)
	shift := uint(lo) & 63
	for i := range out {
		w := b[lo>>6+i] >> shift
		if j := lo>>6 + i + 1; j < len(b) {
			w |= b[j] << (64 - shift)
		}
		out[i] = w
	}
	return out
}

// Bytesize is the memory that v refers to, shared parts included, in bytes.
func (v *Vector) Bytesize() int64 {
	n := int64(len(v.Data) + 8*len(v.Valid) + 4*len(v.Codes))
	for _, b := range v.Bufs {
		n += int64(len(b))
	}
	if v.Dict != nil {
		n += v.Dict.Bytesize()
	}
	return n
}
