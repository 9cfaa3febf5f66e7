package bind

import (
	"slices"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// Target is what an INSERT writes to.
type Target struct {
	Table *catalog.Table
	// Columns are those that the query gives, in its order; nil: all of the table.
	Columns []string
	// Fixed are values that the statement gives beside the query, by column id: Hive's static partitions.
	Fixed map[int32]vector.Value
	// Existing, for a partial update of a UNIQUE table, is the table as it is: columns that are not given keep their
	// values. Strict: every row must be there.
	Existing storage.Source
	Strict   bool
}

// Insert binds the query of an INSERT: its columns are cast to those of the target, absent columns take their
// default or NULL. Tables of Hive take NULL for what does not fit. The
// plan yields the number of rows. NULL in a NOT NULL column is found by the sink.
func Insert(to Target, q ast.Query, sink storage.Sink, env *Env) (*Bound, error) {
	b := newBinder(env)
	w, err := b.insert(to, q, sink, func() (relationResult, error) { return b.query(q, nil, nil, true) })
	if err != nil {
		return nil, err
	}
	return b.finish(w, []string{"rows"}), nil
}

// insert is the write of q, which query binds unless it is VALUES.
func (b *binder) insert(to Target, q ast.Query, sink storage.Sink, query func() (relationResult, error)) (*logical.Write, error) {
	target := to.Table
	slots, err := insertColumns(target, to.Columns, q)
	if err != nil {
		return nil, err
	}
	var r relationResult
	if v, ok := q.(*ast.Values); ok {
		r, err = b.insertValues(target, slots, v)
	} else {
		r, err = query()
	}
	if err != nil {
		return nil, err
	}
	cols := r.node.Columns()
	if len(cols) != len(slots) {
		return nil, sqlerr.New(sqlerr.ValueCount, "Column count doesn't match value count: %d columns, %d values", len(slots), len(cols)).At(q.Position())
	}
	source := make([]int, len(target.Columns)) // position in cols, -1: default
	for i := range source {
		source[i] = -1
	}
	for i, slot := range slots {
		source[slot] = i
	}
	node, previous := r.node, make([]expr.Expr, len(target.Columns))
	if to.Existing != nil {
		if node, previous, err = b.partialUpdate(to, r.node, source, q); err != nil {
			return nil, err
		}
	}
	exprs := make([]expr.Expr, len(target.Columns))
	names := make([]string, len(target.Columns))
	for i := range target.Columns {
		c := &target.Columns[i]
		names[i] = c.Name
		var e expr.Expr
		if isNumber(target, c) {
			e = expr.Null(c.Type) // numbered comes to it
		} else if v, ok := to.Fixed[c.ID]; ok {
			e = expr.Lit(v)
		} else if previous[i] != nil {
			e = previous[i]
		} else if source[i] >= 0 {
			e = expr.Ref(cols[source[i]])
		} else if e, err = b.defaultOf(c); err != nil {
			return nil, at(err, q)
		}
		cast, err := expr.CastWith(e, c.Type, b.storing(target, c))
		if err != nil {
			return nil, notStorable(c, e).At(q.Position())
		}
		if c.Type.IsString() && target.InPath() && slices.Contains(target.Partitioning.Columns, c.ID) {
			// The folder of the empty text is that of NULL, so that it reads back as NULL.
			cast = expr.MustCall("nullif", cast, expr.Lit(vector.StringValue(sqltype.T(sqltype.String), "")))
			if cast, err = expr.CastTo(cast, c.Type); err != nil {
				return nil, notStorable(c, e).At(q.Position())
			}
		}
		exprs[i] = fold(cast)
	}
	count := b.newColumn("rows", sqltype.T(sqltype.BigInt), false)
	if node, err = b.numbered(target, node, exprs, names); err != nil {
		return nil, at(err, q)
	}
	return &logical.Write{Input: node, Table: target.Database + "." + target.Name, Sink: sink, Cols: []expr.Column{count}}, nil
}

// storing is the conversion to a column: a value that does not fit fails the statement,
// unless enable_insert_strict is off or the table is Hive's, when it becomes NULL or is cut.
func (b *binder) storing(target *catalog.Table, c *catalog.Column) caster {
	if target.Hive {
		return function.HiveCast
	}
	if c.DictionaryOf == c.ID && c.ID != 0 {
		return b.numbering(target, c)
	}
	if b.env.Variables != nil {
		if v, ok := b.env.Variables("enable_insert_strict", true); ok && v.I.Sign() == 0 {
			return function.Cast
		}
	}
	return func(from, to sqltype.Type) (*function.Scalar, error) { return function.StoreCast(from, to, c.Name) }
}

func notStorable(c *catalog.Column, e expr.Expr) *sqlerr.Error {
	return sqlerr.New(sqlerr.TypeMismatch, "Column '%s': a value of type %s cannot be stored as %s", c.Name, e.Type(), c.Type)
}

// insertColumns are the positions in the table that the query's columns go to.
func insertColumns(target *catalog.Table, columns []string, q ast.Query) ([]int, error) {
	if len(columns) == 0 {
		return upTo(len(target.Visible())), nil
	}
	var slots []int
	for _, name := range columns {
		found := -1
		var names []string
		for i := range target.Columns {
			names = append(names, target.Columns[i].Name)
			if equalName(target.Columns[i].Name, name) {
				found = i
			}
		}
		if found < 0 {
			err := sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", name, "field list").At(q.Position())
			if near := nearest(name, names); near != "" {
				return nil, err.WithHint("Did you mean '%s'?", near)
			}
			return nil, err
		}
		for _, s := range slots {
			if s == found {
				return nil, sqlerr.New(duplicateInsertColumn, "Column '%s' specified twice", name).At(q.Position())
			}
		}
		slots = append(slots, found)
	}
	return slots, nil
}

// defaultOf is the value of a column that INSERT leaves out.
func (b *binder) defaultOf(c *catalog.Column) (expr.Expr, error) {
	if c.Default == nil {
		if !c.Nullable {
			return nil, sqlerr.New(sqlerr.NoDefaultValue, "Field '%s' doesn't have a default value", c.Name)
		}
		return expr.Null(c.Type), nil
	}
	q, err := b.env.ParseView("SELECT " + *c.Default)
	if err != nil {
		return nil, sqlerr.New(sqlerr.WrongValue, "Default of column '%s': %s", c.Name, sqlerr.From(err).Message)
	}
	sel, ok := q.(*ast.Select)
	if !ok || len(sel.Items) != 1 || sel.Items[0].Expr == nil {
		return nil, sqlerr.New(sqlerr.WrongValue, "Default of column '%s' is not an expression", c.Name)
	}
	e, err := b.expr(&scope{clause: "default of " + c.Name}, sel.Items[0].Expr)
	if err != nil {
		return nil, sqlerr.New(sqlerr.From(err).Code, "Default of column '%s': %s", c.Name, sqlerr.From(err).Message)
	}
	return e, nil
}

// insertValues binds VALUES with every value cast to its column's own type, and DEFAULT.
func (b *binder) insertValues(target *catalog.Table, slots []int, q *ast.Values) (relationResult, error) {
	s := &scope{clause: "values list"}
	n := &logical.Values{}
	r := relationResult{node: n}
	for i, row := range q.Rows {
		if len(row) != len(slots) {
			return r, sqlerr.New(sqlerr.ValueCount, "Column count doesn't match value count at row %d", i+1).At(rowPosition(q, row))
		}
		out := make([]expr.Expr, len(row))
		for j, v := range row {
			c := &target.Columns[slots[j]]
			var e expr.Expr
			var err error
			if _, ok := v.(*ast.Default); ok {
				e, err = b.defaultOf(c)
			} else {
				e, err = b.expr(s, v)
			}
			if err != nil {
				return r, at(err, v)
			}
			if expr.HasSubquery(e) {
				return r, sqlerr.Unsupported("A subquery in VALUES").At(v.Position())
			}
			out[j] = e
		}
		n.Rows = append(n.Rows, out)
	}
	for j, slot := range slots {
		c := &target.Columns[slot]
		if bad, err := castColumn(n.Rows, j, c.Type, b.storing(target, c)); err != nil {
			return r, notStorable(c, n.Rows[bad][j]).At(q.Rows[bad][j].Position())
		}
		null := false
		for _, row := range n.Rows {
			null = null || row[j].Nullable()
		}
		n.Cols = append(n.Cols, b.newColumn(c.Name, c.Type, null))
		r.names = append(r.names, c.Name)
	}
	return r, nil
}
