package bind

import (
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// numbered puts the ids of values, as the table's dictionaries give them, into the hidden columns of rows that are about to be
// written: exprs are the table's columns over node, names theirs.
func (b *binder) numbered(t *catalog.Table, node logical.Node, exprs []expr.Expr, names []string) (logical.Node, error) {
	p := b.project(node, exprs, names)
	var ids []expr.Expr
	for i := range t.Columns {
		c := &t.Columns[i]
		of := t.Dictionary(c)
		if of == nil || of.ID == c.ID {
			continue
		}
		d, err := b.dictionary(t, of)
		if err != nil {
			return nil, err
		}
		fn, err := function.DictionaryIDs(of.Type, d, false)
		if err != nil {
			return nil, err
		}
		if ids == nil {
			ids = expr.Refs(p.Columns())
		}
		for k := range t.Columns {
			if t.Columns[k].ID == of.ID {
				ids[i] = &expr.Call{Fn: fn, Args: []expr.Expr{expr.Ref(p.Columns()[k])}}
			}
		}
	}
	if ids == nil {
		return p, nil
	}
	return b.project(p, ids, names), nil
}

// isNumber reports a hidden column that numbered fills.
func isNumber(t *catalog.Table, c *catalog.Column) bool {
	return c.Hidden && t.Dictionary(c) != nil
}

// numbering is the conversion to a BITMAP column that has a dictionary: values of other types become the bitmaps of their ids.
func (b *binder) numbering(t *catalog.Table, c *catalog.Column) caster {
	return func(from, to sqltype.Type) (*function.Scalar, error) {
		if from.IsOpaque() || from.Kind == sqltype.Null {
			return function.Cast(from, to)
		}
		d, err := b.dictionary(t, c)
		if err != nil {
			return nil, err
		}
		return function.DictionaryIDs(from, d, true)
	}
}

func (b *binder) dictionary(t *catalog.Table, c *catalog.Column) (*dictionary.Dictionary, error) {
	if b.env.Dictionary == nil {
		return nil, sqlerr.Unsupported("a dictionary here")
	}
	return b.env.Dictionary(t, c.ID)
}

// dictionaryCall binds bitmap_dict(column), the id of a column's value; bitmap_dict('table.column', x), that of a value; and
// bitmap_dict_text('table.column', id), the way back.
func (b *binder) dictionaryCall(s *scope, c *ast.Call) (expr.Expr, error) {
	args, err := b.exprs(s, c.Args)
	if err != nil {
		return nil, err
	}
	if len(args) == 1 && c.Name == "bitmap_dict" {
		if col, ok := args[0].(*expr.Column); ok {
			if ids, ok := b.dictionaries[col.ID]; ok {
				return expr.Ref(ids), nil
			}
		}
		return nil, sqlerr.New(sqlerr.WrongArguments, "bitmap_dict: %s is no column that has a dictionary", expr.String(args[0])).At(c.Args[0].Position()).
			WithHint(`A table gets one by PROPERTIES("bitmap_dict" = "column")`)
	}
	if len(args) != 2 {
		return nil, sqlerr.New(sqlerr.WrongArguments, "wrong arguments for function %s", c.Name).At(c.Position())
	}
	l, ok := args[0].(*expr.Literal)
	if !ok || l.Value.Null || !l.Value.Type.IsString() {
		return nil, sqlerr.New(sqlerr.WrongArguments, "%s: the first argument must be the name of a column: 'table.column'", c.Name).At(c.Args[0].Position())
	}
	t, col, err := b.dictionaryNamed(l.Value.S)
	if err != nil {
		return nil, at(err, c.Args[0])
	}
	d, err := b.dictionary(t, col)
	if err != nil {
		return nil, at(err, c)
	}
	fn := function.DictionaryFind(d)
	if c.Name == "bitmap_dict_text" {
		fn = function.DictionaryText(d)
	}
	e, err := expr.Apply(fn, args)
	if err != nil {
		return nil, at(err, c)
	}
	return e, nil
}

// dictionaryNamed finds a column with a dictionary by its name: [database.]table.column.
func (b *binder) dictionaryNamed(name string) (*catalog.Table, *catalog.Column, error) {
	parts := strings.Split(name, ".")
	if len(parts) == 2 {
		parts = append([]string{b.database}, parts...)
	}
	if len(parts) == 3 {
		if t := b.env.Snapshot.Table(parts[0], parts[1]); t != nil {
			c := t.ColumnNamed(parts[2])
			for i := range t.Columns {
				if c != nil && t.Columns[i].DictionaryOf == c.ID {
					return t, c, nil
				}
			}
		}
	}
	return nil, nil, sqlerr.New(sqlerr.WrongArguments, "There is no dictionary '%s'", name)
}
