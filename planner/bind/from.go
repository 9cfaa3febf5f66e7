package bind

import (
	"strings"

	"slices"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// fromItem is a bound item of FROM, or several joined.
type fromItem struct {
	node    logical.Node
	rels    []*relation
	visible []named
	lateral bool // node reads columns of items to its left
}

// fromContext is what items of one FROM clause share.
type fromContext struct {
	parent  *scope    // of the query block around
	ctes    *cteScope // names of WITH
	ordered bool      // joins keep the written order
	// left are the items before this one, which LATERAL may see.
	left []fromItem
}

// scope makes the scope over some items.
func (fc *fromContext) scope(items ...fromItem) *scope {
	s := &scope{parent: fc.parent, ctes: fc.ctes}
	for _, it := range items {
		s.rels = append(s.rels, it.rels...)
		s.visible = append(s.visible, it.visible...)
	}
	return s
}

// from binds a FROM clause: the cross join of its items, and the scope over it.
func (b *binder) from(items []ast.TableExpr, fc *fromContext) (fromItem, error) {
	if len(items) == 0 {
		return fromItem{node: oneRow()}, nil
	}
	var acc fromItem
	for i, t := range items {
		it, err := b.tableExpr(t, fc)
		if err != nil {
			return fromItem{}, err
		}
		if i == 0 {
			acc = it
		} else {
			acc = b.combine(logical.Inner, acc, it, nil, fc)
		}
		if err := uniqueNames(acc.rels, t); err != nil {
			return fromItem{}, err
		}
		fc.left = append(fc.left, it)
	}
	return acc, nil
}

// combine joins two items, by an Apply when the right one is LATERAL and uses the left one.
func (b *binder) combine(kind logical.JoinKind, l, r fromItem, on []expr.Expr, fc *fromContext) fromItem {
	out := fromItem{
		rels:    append(append([]*relation(nil), l.rels...), r.rels...),
		visible: append(append([]named(nil), l.visible...), r.visible...),
		lateral: l.lateral || r.lateral,
	}
	if r.lateral && logical.FreeColumns(r.node).Intersects(logical.Outputs(l.node)) {
		out.node = &logical.Apply{Kind: kind, LeftInput: l.node, RightInput: r.node, On: on}
	} else {
		out.node = &logical.Join{Kind: kind, LeftInput: l.node, RightInput: r.node, On: on, NoReorder: fc.ordered}
	}
	return out
}

// uniqueNames refuses two relations of the same name in one FROM.
func uniqueNames(rels []*relation, t ast.TableExpr) error {
	for i, r := range rels {
		for _, o := range rels[:i] {
			if r.name != "" && r.name == o.name && r.database == o.database {
				return sqlerr.New(sqlerr.DuplicateAlias, "Not unique table/alias: '%s'", r.name).At(t.Position())
			}
		}
	}
	return nil
}

func (b *binder) tableExpr(t ast.TableExpr, fc *fromContext) (fromItem, error) {
	switch t := t.(type) {
	case *ast.TableName:
		return b.tableName(t, fc)
	case *ast.Derived:
		return b.derived(t, fc)
	case *ast.Join:
		return b.join(t, fc)
	case *ast.TableFunction:
		if function.IsTable(t.Name) && len(t.Properties) == 0 {
			return b.unnest(t, fc)
		}
		return b.tableFunction(t)
	case *ast.FileTable:
		if b.env.FileTable == nil {
			return fromItem{}, sqlerr.Unsupported("A file in FROM").At(t.Position())
		}
		src, err := b.env.FileTable(t.Path)
		if err != nil {
			return fromItem{}, at(err, t)
		}
		return b.renamed(b.scan(src, "'"+t.Path+"'", t.Alias, t.Alias), t.Columns, t)
	case *ast.LateralView:
		return b.lateralView(t, fc)
	case nil:
		return fromItem{node: oneRow()}, nil
	}
	return fromItem{}, sqlerr.Unsupported("this item of FROM").At(t.Position())
}

// scan reads a whole source; column pruning narrows it later. shown is the name in plans.
func (b *binder) scan(src storage.Source, shown, name, alias string) fromItem {
	cols := src.Columns()
	n := &logical.Scan{Table: shown, Alias: alias, Source: src, Limit: -1}
	rel := &relation{name: alias}
	if alias == "" {
		rel.name = name
	}
	for i, c := range cols {
		label := c.Name
		if rel.name != "" {
			label = rel.name + "." + c.Name
		}
		col := b.newColumn(label, c.Type, c.Nullable)
		n.Cols = append(n.Cols, col)
		n.Ordinal = append(n.Ordinal, i)
		rel.cols = append(rel.cols, named{name: c.Name, col: col, hidden: c.Hidden && !b.showHidden()})
	}
	for i, c := range cols {
		for k := range cols {
			if c.DictionaryOf != "" && strings.EqualFold(cols[k].Name, c.DictionaryOf) {
				b.dictionaries[n.Cols[k].ID] = n.Cols[i]
			}
		}
	}
	return fromItem{node: n, rels: []*relation{rel}, visible: rel.cols}
}

// showHidden reports whether hidden columns are shown as others are.
func (b *binder) showHidden() bool {
	if b.env.Variables == nil {
		return false
	}
	v, ok := b.env.Variables("show_hidden_columns", true)
	return ok && v.I.Sign() != 0
}

// shown are cols without the hidden ones.
func shown(cols []named) []named {
	if !slices.ContainsFunc(cols, func(c named) bool { return c.hidden }) {
		return cols
	}
	return slices.DeleteFunc(slices.Clone(cols), func(c named) bool { return c.hidden })
}

// itemOf makes an item of a bound query under a name.
func itemOf(r relationResult, name string) fromItem {
	rel := &relation{name: name}
	for i, c := range r.node.Columns() {
		rel.cols = append(rel.cols, named{name: r.names[i], col: c})
	}
	return fromItem{node: r.node, rels: []*relation{rel}, visible: rel.cols}
}

// renamed applies AS t(a, b) to an item of one relation.
func (b *binder) renamed(it fromItem, columns []string, n ast.Node) (fromItem, error) {
	if len(columns) == 0 {
		return it, nil
	}
	rel := it.rels[0]
	rel.cols = shown(rel.cols)
	if len(columns) != len(rel.cols) {
		return it, sqlerr.New(columnListMismatch, "Column list of '%s' has %d names for %d columns", rel.name, len(columns), len(rel.cols)).At(n.Position())
	}
	cols := make([]named, len(columns))
	for i, c := range columns {
		cols[i] = named{name: c, col: rel.cols[i].col}
	}
	rel.cols = cols
	it.visible = cols
	return it, nil
}

// derived binds a subquery in FROM.
func (b *binder) derived(t *ast.Derived, fc *fromContext) (fromItem, error) {
	parent := fc.parent
	if t.Lateral {
		parent = fc.scope(fc.left...)
		parent.clause, parent.ctes = "lateral subquery", fc.ctes
	}
	r, err := b.query(t.Query, parent, fc.ctes, false)
	if err != nil {
		return fromItem{}, err
	}
	if err := perRowLimit(r.node, t.Query); err != nil {
		return fromItem{}, err
	}
	it, err := b.renamed(itemOf(b.typedNulls(r), t.Alias), t.Columns, t)
	if err != nil {
		return it, err
	}
	it.lateral = t.Lateral
	for i, c := range it.rels[0].cols {
		for _, o := range it.rels[0].cols[:i] {
			if t.Alias != "" && equalName(c.name, o.name) {
				return it, sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s' in '%s'", c.name, t.Alias).At(t.Position())
			}
		}
	}
	return it, nil
}

// tableFunction binds f(…) in FROM.
func (b *binder) tableFunction(t *ast.TableFunction) (fromItem, error) {
	if t.Name == "json_table" {
		return fromItem{}, sqlerr.Unsupported(t.Name + " in FROM").At(t.Position())
	}
	if t.Ordinality {
		return fromItem{}, sqlerr.Unsupported("WITH ORDINALITY of " + t.Name).At(t.Position())
	}
	if b.env.TableFunction == nil {
		return fromItem{}, sqlerr.Unsupported("Table function " + t.Name).At(t.Position())
	}
	args := make([]vector.Value, len(t.Args))
	for i, a := range t.Args {
		v, err := b.constant(a, "argument of "+t.Name)
		if err != nil {
			return fromItem{}, err
		}
		args[i] = v
	}
	src, err := b.env.TableFunction(t.Name, t.Properties, args)
	if err != nil {
		return fromItem{}, at(err, t)
	}
	return b.renamed(b.scan(src, t.Name, t.Name, t.Alias), t.Columns, t)
}
