package keyorder

import (
	"context"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Pair takes row i of a and row j of b, valid during the call.
type Pair func(a []*vector.Vector, i int, b []*vector.Vector, j int)

// Match calls pair for every two rows of a and b that agree in their first columns, keys of them, by which both are
// sorted, ascending. Each has a key once at most. The batches have columns of types. Both readers are closed.
func Match(ctx context.Context, a, b storage.Reader, types []sqltype.Type, keys int, pair Pair) error {
	order := make([]Key, keys)
	for i := range order {
		order[i].Column = i
	}
	m, err := NewMerger([]storage.Reader{a, b}, types, order, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	x, y := m.waiting[0], m.waiting[1]
	more, err := m.advance(ctx, x)
	if err == nil && more {
		more, err = m.advance(ctx, y)
	}
	for more && err == nil {
		switch c := m.compareKeys(x, x.at, y, y.at); {
		case c < 0:
			x.at = m.skip(x, y)
		case c > 0:
			y.at = m.skip(y, x)
		default:
			pair(x.cols, x.at, y.cols, y.at)
			x.at++
			y.at++
		}
		if x.at == x.n {
			more, err = m.advance(ctx, x)
		}
		if more && err == nil && y.at == y.n {
			more, err = m.advance(ctx, y)
		}
	}
	return err
}

// skip is the first row of a that is not below b's current row; a's current row is below.
func (m *Merger) skip(a, b *input) int {
	lo, step := a.at, 1
	for lo+step < a.n && m.compareKeys(a, lo+step, b, b.at) < 0 {
		lo += step
		step *= 2
	}
	hi := min(lo+step, a.n)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; m.compareKeys(a, mid, b, b.at) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}
