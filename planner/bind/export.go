package bind

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Export sends the rows of a bound query to a sink that is no table: files of INTO OUTFILE. sink makes it for the query's
// columns, of which those that are nothing but NULL become STRING. The plan yields the number of rows.
func Export(q *Bound, what string, sink func(cols []storage.Column) (storage.Sink, error)) (*Bound, error) {
	b := &binder{ids: expr.NewIDs(q.NextID)}
	cols := q.Plan.Columns()
	exprs := expr.Refs(cols)
	schema := make([]storage.Column, len(cols))
	for i, c := range cols {
		t := c.T
		if t.Kind == sqltype.Null {
			t = sqltype.T(sqltype.String)
			cast, err := expr.CastWith(exprs[i], t, function.Cast)
			if err != nil {
				return nil, sqlerr.From(err)
			}
			exprs[i] = cast
		}
		schema[i] = storage.Column{Name: q.Names[i], Type: t, Nullable: c.Null}
	}
	s, err := sink(schema)
	if err != nil {
		return nil, err
	}
	count := b.newColumn("rows", sqltype.T(sqltype.BigInt), false)
	w := &logical.Write{Input: b.project(q.Plan, exprs, q.Names), Table: what, Sink: s, Cols: []expr.Column{count}}
	out := b.finish(w, []string{"rows"})
	out.Hints = q.Hints
	return out, nil
}
