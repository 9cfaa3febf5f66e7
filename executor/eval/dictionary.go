package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
)

// dictResult is a call's result for every entry of one dictionary.
type dictResult struct {
	dict *vector.Vector // the entries, nil: none yet
	v    *vector.Vector // flat, an entry each
	seen *vector.Vector // the dictionary whose rows were last counted
	rows int            // rows seen of it
	pass []bool         // for predicates: entry -> true and not NULL

	noNulls   *vector.Vector // see entries
	noNullsOf *vector.Vector

	codes vector.Vector // memory of the result
	valid vector.Bitmap
}

// onDictionary decides whether to compute over the entries of v's dictionary: the call
// may run on values that no row asked for, NULL rows take care of themselves, and the
// dictionary is small next to the rows that use it.
func (n *callNode) onDictionary(v *vector.Vector, rows int, sel []int32) bool {
	if n.fn.Fails || n.fn.Stability != function.Immutable {
		return false
	}
	if n.fn.Nulls == function.NullAware && v.Valid != nil {
		return false
	}
	d := &n.dict
	if d.dict == v.Dict {
		return true
	}
	if d.seen != v.Dict {
		d.seen, d.rows = v.Dict, 0
	}
	if sel != nil {
		rows = len(sel)
	}
	d.rows += rows
	return d.rows >= v.Dict.Len/2
}

// forDict computes the call over the entries, or finds it done.
func (n *callNode) forDict(f *frame, at int) (*dictResult, error) {
	d := &n.dict
	v := n.vals[at]
	if d.dict == v.Dict {
		return d, nil
	}
	args := make([]*vector.Vector, len(n.vals))
	for i, a := range n.vals {
		args[i] = a
		if i != at {
			c := *a
			c.Len = v.Dict.Len
			args[i] = &c
		}
	}
	args[at] = v.Dict
	out, err := n.run(f, args, v.Dict.Len, nil)
	if err != nil {
		return nil, err
	}
	own := *out // the node's memory goes with the result
	n.out = vector.Vector{Type: n.fn.Result}
	d.dict, d.v, d.pass = v.Dict, &own, nil
	if own.Form == vector.Constant {
		d.v = own.Flatten(nil, &vector.Vector{})
	}
	return d, nil
}

// evalDictionary returns the results by code.
func (n *callNode) evalDictionary(f *frame, at int, sel []int32) (*vector.Vector, error) {
	d, err := n.forDict(f, at)
	if err != nil {
		return nil, err
	}
	v := n.vals[at]
	valid := v.Valid
	if d.v.Valid != nil {
		if cap(d.valid) < (v.Len+63)/64 {
			d.valid = make(vector.Bitmap, (v.Len+63)/64)
		}
		valid = d.valid[:(v.Len+63)/64]
		for i := range valid {
			valid[i] = ^uint64(0)
		}
		clearNulls(valid, v, d.v.Valid, sel)
	}
	d.codes = vector.Vector{Type: n.fn.Result, Form: vector.Dictionary, Len: v.Len, Codes: v.Codes, Dict: d.entries(), Valid: valid}
	return &d.codes, nil
}

// entries are the results without their nulls, which evalDictionary moves to the rows;
// the same pointer as long as the dictionary is, for those who cache by it.
func (d *dictResult) entries() *vector.Vector {
	if d.v.Valid == nil {
		return d.v
	}
	if d.noNulls == nil || d.noNullsOf != d.v {
		c := *d.v
		c.Valid = nil
		d.noNulls, d.noNullsOf = &c, d.v
	}
	return d.noNulls
}

// clearNulls clears the rows of valid that are null in v or whose entry is null.
func clearNulls(valid vector.Bitmap, v *vector.Vector, entries vector.Bitmap, sel []int32) {
	if sel == nil {
		for i, c := range v.Codes {
			if !v.Valid.Get(i) || !entries.Get(int(c)) {
				valid.Clear(i)
			}
		}
		return
	}
	for _, i := range sel {
		if !v.Valid.Get(int(i)) || !entries.Get(int(v.Codes[i])) {
			valid.Clear(int(i))
		}
	}
}
