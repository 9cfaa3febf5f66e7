package basalt

import (
	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor/eval"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/keyorder"
	"github.com/basaltdb/basalt/storage/table"
)

// sinkIndexes are the indexes that a load into t writes, all that are understood; ids are theirs.
func (db *DB) sinkIndexes(t *catalog.Table) (out []table.Index, ids []int64) {
	for _, d := range db.indexesOf(t) {
		if d.err != nil {
			continue // its partitions become stale
		}
		out = append(out, sinkIndex(t, d))
		ids = append(ids, d.ID)
	}
	return out, ids
}

// sinkIndex tells a sink how to write an index.
func sinkIndex(t *catalog.Table, d *indexDefinition) table.Index {
	own := indexTable(t, d.Index)
	x := table.Index{ID: d.ID, Format: writeFormat(own), Name: d.Name, Bucketed: isBucketed(t, d.Index)}
	var exprs []expr.Expr
	for i, c := range d.columns {
		x.Columns = append(x.Columns, storage.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable, Stored: c.Stored})
		if c.Key {
			x.Sorted = append(x.Sorted, keyorder.Key{Column: i})
		}
		exprs = append(exprs, byField(c.of))
	}
	if m := mergingOf(own); m != nil {
		own := *m
		own.Unique = false
		x.Merge = &own
	}
	where := make([]expr.Expr, len(d.where))
	for i, e := range d.where {
		where[i] = byField(e)
	}
	x.NewDeriver = func() (table.Deriver, error) {
		out := &deriver{}
		var err error
		if out.exprs, err = eval.CompileAll(exprs, &function.Context{}); err != nil {
			return nil, err
		}
		if len(where) > 0 {
			out.where, err = eval.CompilePredicate(where, &function.Context{})
		}
		return out, err
	}
	return x
}

// byField reads the columns of an index's expression by position in a row of the table.
func byField(e expr.Expr) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		return &expr.Field{Index: expr.FieldIndex(c.ID - 1), Name: c.Name, T: c.T, Null: c.Null}, true
	})
}

// deriver computes the rows of an index, one a row of the table.
type deriver struct {
	exprs *eval.Set
	where *eval.Predicate // nil: all rows
	out   vector.Batch
}

// Derive implements table.Deriver.
func (d *deriver) Derive(b *vector.Batch) (*vector.Batch, error) {
	sel := b.Sel
	if d.where != nil {
		var err error
		if sel, err = d.where.Select(b.Cols, b.Len, sel); err != nil {
			return nil, err
		}
		if len(sel) == 0 {
			return &vector.Batch{}, nil
		}
	}
	cols, err := d.exprs.Eval(b.Cols, b.Len, sel)
	d.out = vector.Batch{Cols: cols, Len: b.Len, Sel: sel}
	return &d.out, err
}
