package executor

import (
	"context"

	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/physical"
)

// hashJoinTail yields build rows after the probe pipeline has ended: those without a match
// (Right, Full, RightAnti) or with one (RightSemi).
type hashJoinTail struct{ j *hashJoin }

// Open implements Source.
func (t hashJoinTail) Open(ctx context.Context, d *Driver) (SourceReader, error) {
	return &joinTailReader{j: t.j, rows: batchRowsOf(d.Runtime)}, nil
}

type joinTailReader struct {
	j    *hashJoin
	rows int
	sel  []int32
	out  vector.Batch
}

// Next implements SourceReader.
func (r *joinTailReader) Next(ctx context.Context) (*vector.Batch, error) {
	j := r.j
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lo := int(j.tail.Add(int64(r.rows))) - r.rows
		if lo >= j.rows {
			return nil, nil
		}
		n := min(r.rows, j.rows-lo)
		want := uint32(0)
		if j.n.Kind == physical.RightSemi {
			want = 1
		}
		r.sel = r.sel[:0]
		for i := range n {
			if row := lo + i; j.matched[row>>5]>>(row&31)&1 == want {
				r.sel = append(r.sel, int32(i))
			}
		}
		if len(r.sel) == 0 {
			continue
		}
		r.out.Len, r.out.Sel = n, r.sel
		r.out.Cols = nil
		if j.n.Kind == physical.Right || j.n.Kind == physical.Full {
			r.out.Cols = nullColumns(j.probeTypes, j.n.ProbeCols, n)
		}
		for _, c := range j.n.BuildCols {
			r.out.Cols = append(r.out.Cols, j.cols[c].Slice(lo, lo+n))
		}
		return &r.out, nil
	}
}

// Close implements SourceReader.
func (r *joinTailReader) Close() {}
