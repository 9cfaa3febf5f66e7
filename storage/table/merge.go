package table

import (
	"context"
	"fmt"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
)

// Rewrite writes the rows of inputs, which have the columns of files, one after the other or, where the table is sorted, merged by its
// key (rows of one key become one where Options.Merge says so), as one file of a partition and bucket of the sink's layout. Inputs are the files' own readers, in
// the order that equal keys shall have; they are closed. pause, when set, is called now and then, so that
// others may compute. Several may run at a time on one Sink.
func (s *Sink) Rewrite(ctx context.Context, p *storage.PartitionInfo, bucket int32, inputs []storage.Reader, pause func() error) (err error) {
	defer func() {
		for _, r := range inputs {
			r.Close()
		}
	}()
	folder := ""
	if r := s.o.Routing; r != nil && r.Folder != nil {
		folder = r.Folder(p)
	}
	out, err := s.start(folder, s.schema, s.o.Format, func(next int) string {
		return fmt.Sprintf("%06d_%d_%d%s", bucket, next, s.o.Txn, s.o.Format.Extension())
	})
	if err != nil {
		return err
	}
	if err := writeMerged(ctx, out, inputs, s.sorted, s.o.Merge, pause); err != nil {
		_ = s.closeFile(out.raw)
		return err
	}
	return out.finish(p.ID, bucket)
}

// writeMerged writes the rows of sorted inputs, merged, and closes them.
func writeMerged(ctx context.Context, out *output, inputs []storage.Reader, order []keyorder.Key, m *keyorder.Merging, pause func() error) error {
	rows, err := keyorder.NewMerger(inputs, typesOf(out.cols), order, m)
	if err != nil {
		return err
	}
	defer rows.Close()
	for full := 1; ; full++ {
		if err := interrupted(ctx); err != nil {
			return err
		}
		b, err := rows.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		if err := out.write(b); err != nil {
			return err
		}
		if full%16 == 0 && pause != nil {
			if err := pause(); err != nil {
				return err
			}
		}
	}
}

func typesOf(cols []storage.Column) []sqltype.Type {
	out := make([]sqltype.Type, len(cols))
	for i, c := range cols {
		out[i] = c.Type
	}
	return out
}

// sortedRows is a reader of flat columns in an order.
type sortedRows struct {
	cols    []*vector.Vector
	perm    []int32 // nil: as they are
	at, n   int
	batch   vector.Batch
	scratch []vector.Vector
}

// Next implements storage.Reader.
func (r *sortedRows) Next(context.Context) (*vector.Batch, error) {
	if r.at == r.n {
		return nil, nil
	}
	lo, hi := r.at, min(r.at+vector.BatchRows, r.n)
	r.at = hi
	if r.scratch == nil {
		r.scratch = make([]vector.Vector, len(r.cols))
	}
	r.batch = vector.Batch{Cols: r.batch.Cols[:0], Len: hi - lo}
	for i, c := range r.cols {
		if r.perm == nil {
			r.batch.Cols = append(r.batch.Cols, c.Slice(lo, hi))
		} else {
			r.batch.Cols = append(r.batch.Cols, c.Flatten(r.perm[lo:hi], &r.scratch[i]))
		}
	}
	return &r.batch, nil
}

// Close implements storage.Reader.
func (r *sortedRows) Close() {}
