package bind

import (
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// arrayLiteral binds [a, b, …].
func (b *binder) arrayLiteral(s *scope, e *ast.ArrayLit) (expr.Expr, error) {
	items, err := b.exprs(s, e.Items)
	if err != nil {
		return nil, err
	}
	return b.make(e, "array", items...)
}

// mapLiteral binds {k: v, …}.
func (b *binder) mapLiteral(s *scope, e *ast.MapLit) (expr.Expr, error) {
	var args []expr.Expr
	for i := range e.Keys {
		entry, err := b.exprs(s, []ast.Expr{e.Keys[i], e.Values[i]})
		if err != nil {
			return nil, err
		}
		args = append(args, entry...)
	}
	return b.make(e, "map", args...)
}

// subscript binds x[i]: elements are counted from one, as in Doris.
func (b *binder) subscript(s *scope, e *ast.Subscript) (expr.Expr, error) {
	args, err := b.exprs(s, []ast.Expr{e.X, e.Index})
	if err != nil {
		return nil, err
	}
	return b.make(e, "element_at", args...)
}

// field binds x.name of a struct.
func (b *binder) field(s *scope, e *ast.Field) (expr.Expr, error) {
	// catalog.database.table.column comes as a field of a column.
	if c, ok := e.X.(*ast.Column); ok && c.Database == internalCatalog {
		return b.column(s, &ast.Column{Pos: c.Pos, Database: c.Table, Table: c.Name, Name: e.Name})
	}
	x, err := b.expr(s, e.X)
	if err != nil {
		return nil, err
	}
	return b.fieldOf(e, x, e.Name)
}

func (b *binder) fieldOf(n ast.Node, x expr.Expr, name string) (expr.Expr, error) {
	return b.make(n, "struct_element", x, expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), name)))
}

// columnFields binds c, whose parts are no table's column, as fields of a struct column: s.f, s.f.g,
// t.s.f. nil when its first parts are no struct column either.
func (b *binder) columnFields(s *scope, c *ast.Column) (expr.Expr, error) {
	parts := []string{c.Name}
	if c.Table != "" {
		parts = []string{c.Table, c.Name}
	}
	if c.Database != "" {
		parts = append([]string{c.Database}, parts...)
	}
	for n := len(parts) - 1; n > 0; n-- {
		head := &ast.Column{Pos: c.Pos, Name: parts[n-1]}
		if n > 1 {
			head.Table = parts[n-2]
		}
		for sc := s; sc != nil; sc = sc.parent {
			x, err := b.columnHere(sc, head)
			if err != nil {
				return nil, err
			}
			if x == nil || x.Type().Kind != sqltype.Struct {
				continue
			}
			for _, f := range parts[n:] {
				if x, err = b.fieldOf(c, x, f); err != nil {
					return nil, err
				}
			}
			return x, nil
		}
	}
	return nil, nil
}
