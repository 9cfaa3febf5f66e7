package executor

import (
	"math"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// frameFinder gives, for every row, the rows of its frame. Within a partition neither end ever moves back.
type frameFinder struct {
	frame      *expr.Frame
	peers      int // sort keys of the call
	key        *rowExpr
	start, end *rowExpr // values of RANGE with offsets; nil: none
	from, to   []int32
}

// frames are [from[i], to[i]) for row i; to[i] may be before from[i].
func (f *frameFinder) frames(r *windowRows, in *vector.Batch) (from, to []int32, err error) {
	if cap(f.from) < r.n {
		f.from, f.to = make([]int32, r.n), make([]int32, r.n)
	}
	f.from, f.to = f.from[:r.n], f.to[:r.n]
	if err := f.side(r, in, &f.frame.Start, f.start, false, f.from); err != nil {
		return nil, nil, err
	}
	if err := f.side(r, in, &f.frame.End, f.end, true, f.to); err != nil {
		return nil, nil, err
	}
	return f.from, f.to, nil
}

// side finds the starts (or ends, behind the last row) of all frames.
func (f *frameFinder) side(r *windowRows, in *vector.Batch, b *expr.Bound, value *rowExpr, end bool, out []int32) error {
	parts := r.partitions()
	switch {
	case b.Kind == expr.UnboundedPreceding, b.Kind == expr.UnboundedFollowing:
		for p, s := range parts[:len(parts)-1] {
			e, x := parts[p+1], s
			if b.Kind == expr.UnboundedFollowing {
				x = e
			}
			for i := s; i < e; i++ {
				out[i] = x
			}
		}
	case f.frame.Rows:
		f.rows(parts, b, end, out)
	case b.Kind == expr.CurrentRow:
		groups := r.peers(f.peers)
		for g, s := range groups[:len(groups)-1] {
			e, x := groups[g+1], s
			if end {
				x = e
			}
			for i := s; i < e; i++ {
				out[i] = x
			}
		}
	default:
		return f.values(r, in, b, value, end, out)
	}
	return nil
}

func (f *frameFinder) rows(parts []int32, b *expr.Bound, end bool, out []int32) {
	by := int64(0)
	switch b.Kind {
	case expr.Preceding:
		by = -min(b.Rows, math.MaxInt32)
	case expr.Following:
		by = min(b.Rows, math.MaxInt32)
	}
	if end {
		by++
	}
	for p, s := range parts[:len(parts)-1] {
		e := parts[p+1]
		for i := s; i < e; i++ {
			out[i] = int32(min(max(int64(i)+by, int64(s)), int64(e)))
		}
	}
}

// values finds the ends of RANGE with an offset: rows with a NULL key have the NULLs for a frame, others the rows
// whose key lies within the bound.
func (f *frameFinder) values(r *windowRows, in *vector.Batch, b *expr.Bound, value *rowExpr, end bool, out []int32) error {
	key, err := flatColumn(f.key, in)
	if err != nil {
		return err
	}
	bound, err := flatColumn(value, in)
	if err != nil {
		return err
	}
	compare := compareKeys(key, bound)
	parts := r.partitions()
	for p, s := range parts[:len(parts)-1] {
		e := parts[p+1]
		lo, hi := s, e // the rows whose key is not NULL
		for lo < e && key.IsNull(int(lo)) {
			lo++
		}
		for hi > lo && key.IsNull(int(hi-1)) {
			hi--
		}
		for i := s; i < lo; i++ {
			out[i] = pick(end, lo, s)
		}
		for i := hi; i < e; i++ {
			out[i] = pick(end, e, hi)
		}
		at := lo
		for i := lo; i < hi; i++ {
			if bound.IsNull(int(i)) { // beyond what the type can hold
				out[i] = pick(b.Kind == expr.Following, hi, lo)
				continue
			}
			for at < hi {
				c := compare(int(at), int(i))
				if f.frame.Desc {
					c = -c
				}
				if c > 0 || c == 0 && !end {
					break
				}
				at++
			}
			out[i] = at
		}
	}
	return nil
}

func pick(first bool, a, b int32) int32 {
	if first {
		return a
	}
	return b
}

// flatColumn is an expression's value a row, as a flat vector.
func flatColumn(x *rowExpr, in *vector.Batch) (*vector.Vector, error) {
	v, err := x.eval(in)
	if err != nil || v.Form == vector.Flat {
		return v, err
	}
	return v.Flatten(nil, &vector.Vector{}), nil
}
