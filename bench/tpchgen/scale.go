package tpchgen

import "fmt"

// scale holds the row counts of one scale factor.
type scale struct {
	customers, orders, parts, suppliers int64
	clerks                              int64
}

const maxScale = 10000 // beyond it the official program switches to 64-bit streams

func newScale(factor float64) (scale, error) {
	thousandths := int64(factor*1000 + 1e-6)
	if thousandths < 1 || factor > maxScale {
		return scale{}, fmt.Errorf("scale factor %v is not between 0.001 and %d", factor, maxScale)
	}
	of := func(base int64) int64 { return max(1, base*thousandths/1000) }
	return scale{
		customers: of(150_000),
		orders:    of(1_500_000),
		parts:     of(200_000),
		suppliers: of(10_000),
		clerks:    max(1, thousandths/1000) * 1000,
	}, nil
}

// supplierOf returns the n-th of a part's four suppliers, spread over all of them.
func (s scale) supplierOf(part, n int64) int64 {
	return (part+n*(s.suppliers/suppliersPerPart+(part-1)/s.suppliers))%s.suppliers + 1
}
