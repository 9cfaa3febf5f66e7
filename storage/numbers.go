package storage

import (
	"context"
	"fmt"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Numbers is the source of Doris's numbers("number" = "n"): one BIGINT column number with
// 0 … Count-1, or Count times Const when HasConst.
type Numbers struct {
	Count    int64
	HasConst bool
	Const    int64
}

var numbersColumns = []Column{{Name: "number", Type: sqltype.T(sqltype.BigInt)}}

// numbersPerSplit is a multiple of the batch size, small enough to deal out evenly.
const numbersPerSplit = 64 * vector.BatchRows

// Columns implements Source.
func (s *Numbers) Columns() []Column { return numbersColumns }

// Stats implements Source: exact.
func (s *Numbers) Stats() *Stats {
	lo, hi := int64(0), max(s.Count-1, 0)
	distinct := s.Count
	if s.HasConst {
		lo, hi, distinct = s.Const, s.Const, 1
	}
	big := numbersColumns[0].Type
	minV, maxV := vector.IntValue(big, lo), vector.IntValue(big, hi)
	return &Stats{Rows: s.Count, Bytes: 8 * s.Count, Columns: []ColumnStats{{Min: &minV, Max: &maxV, Distinct: distinct, AvgBytes: 8}}}
}

type numbersSplit struct{ lo, hi int64 }

func (s numbersSplit) Rows() int64    { return s.hi - s.lo }
func (s numbersSplit) String() string { return fmt.Sprintf("numbers [%d, %d)", s.lo, s.hi) }

// Splits implements Source.
func (s *Numbers) Splits(_ context.Context, req *ScanRequest) ([]Split, error) {
	var out []Split
	for lo := int64(0); lo < s.Count; lo += numbersPerSplit {
		hi := min(lo+numbersPerSplit, s.Count)
		if !s.mayMatch(req, lo, hi) {
			continue
		}
		out = append(out, numbersSplit{lo, hi})
		if req.Limit >= 0 && len(req.Filters) == 0 && hi >= req.Limit {
			break
		}
	}
	return out, nil
}

func (s *Numbers) mayMatch(req *ScanRequest, lo, hi int64) bool {
	if s.HasConst {
		lo, hi = s.Const, s.Const+1
	}
	a, b := vector.IntValue(numbersColumns[0].Type, lo), vector.IntValue(numbersColumns[0].Type, hi-1)
	for i := range req.Prune {
		if !req.Prune[i].MayMatch(func(int) Range { return Range{Min: &a, Max: &b, Rows: hi - lo} }) {
			return false
		}
	}
	return true
}

// Open implements Source.
func (s *Numbers) Open(_ context.Context, split Split, req *ScanRequest) (Reader, error) {
	f, err := NewFilterChain(req)
	if err != nil {
		return nil, err
	}
	r := &numbersReader{src: s, numbersSplit: split.(numbersSplit), req: req, filters: f}
	if r.rows = req.BatchRows; r.rows <= 0 {
		r.rows = vector.BatchRows
	}
	r.col = vector.New(numbersColumns[0].Type, 0)
	return r, nil
}

type numbersReader struct {
	numbersSplit
	src     *Numbers
	req     *ScanRequest
	rows    int
	filters FilterChain
	col     *vector.Vector
}

func (r *numbersReader) Close() {}

func (r *numbersReader) Next(ctx context.Context) (*vector.Batch, error) {
	for r.lo < r.hi {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := int(min(int64(r.rows), r.hi-r.lo))
		r.col.Reset(n)
		vals := vector.Values[int64](r.col)
		for i := range vals {
			vals[i] = r.lo + int64(i)
		}
		if r.src.HasConst {
			for i := range vals {
				vals[i] = r.src.Const
			}
		}
		r.lo += int64(n)
		out, err := r.filters.Apply(vector.NewBatch(n, r.col), r.req.Columns)
		if err != nil || out != nil {
			return out, err
		}
	}
	return nil, nil
}
