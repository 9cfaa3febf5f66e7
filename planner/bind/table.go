package bind

import (
	"sort"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// maxViewDepth bounds views over views.
const maxViewDepth = 32

// internalCatalog is the one catalog there is, as Doris names it.
const internalCatalog = "internal"

// tableName binds a CTE, table or view named in FROM.
func (b *binder) tableName(t *ast.TableName, fc *fromContext) (fromItem, error) {
	alias := t.Alias
	if alias == "" {
		alias = t.Name.Name
	}
	if t.Name.Database == "" {
		if c := fc.ctes.find(t.Name.Name); c != nil {
			if err := wholeOnly(t, "common table expression"); err != nil {
				return fromItem{}, err
			}
			r, err := b.reference(c)
			if err != nil {
				return fromItem{}, err
			}
			return itemOf(r, alias), nil
		}
	}
	database, err := b.databaseOf(t.Name)
	if err != nil {
		return fromItem{}, err
	}
	if tab := b.lookupTable(database, t.Name.Name); tab != nil {
		if t.Index != "" {
			return b.index(tab, t, alias)
		}
		src, err := b.env.Snapshot.Source(tab)
		if err != nil {
			return fromItem{}, at(err, t)
		}
		src, sel, err := restricted(src, t)
		if err != nil {
			return fromItem{}, err
		}
		it := b.scan(src, tab.Database+"."+tab.Name, tab.Name, alias)
		if scan, ok := it.node.(*logical.Scan); ok {
			scan.Known = tab.KnownStats()
			scan.Selection = sel
			if b.env.Indexes != nil && len(tab.Indexes) > 0 && len(t.Tablets) == 0 && t.Sample == nil {
				scan.Indexes = func() []*logical.Index { return b.env.Indexes(tab) }
			}
		}
		if t.Alias == "" {
			it.rels[0].database = tab.Database
			it.rels[0].anyCase = tab.Database == catalog.InformationSchema
		}
		return b.sampled(it, t, fc)
	}
	if v := b.env.Snapshot.View(database, t.Name.Name); v != nil {
		if err := wholeOnly(t, "view"); err != nil {
			return fromItem{}, err
		}
		return b.view(v, t, alias)
	}
	return fromItem{}, b.unknownTable(database, t)
}

// databaseOf is the database that a name means.
func (b *binder) databaseOf(n ast.Name) (string, error) {
	if n.Catalog != "" && n.Catalog != internalCatalog {
		return "", sqlerr.New(sqlerr.UnknownDatabase, "Unknown catalog '%s'", n.Catalog).At(n.Position())
	}
	database := n.Database
	if database == "" {
		database = b.database
	}
	if database == "" {
		return "", sqlerr.New(sqlerr.NoDatabaseSelected, "No database selected").At(n.Position()).
			WithHint("Write db.%s, or USE a database first", n.Name)
	}
	if strings.EqualFold(database, catalog.InformationSchema) {
		return catalog.InformationSchema, nil
	}
	if !b.env.Snapshot.HasDatabase(database) {
		return "", sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", database).At(n.Position())
	}
	return database, nil
}

// lookupTable finds a table by its exact name; in information_schema, by its name without case.
func (b *binder) lookupTable(database, name string) *catalog.Table {
	if t := b.env.Snapshot.Table(database, name); t != nil {
		return t
	}
	if database == catalog.InformationSchema {
		for _, t := range b.env.Snapshot.Tables(database) {
			if strings.EqualFold(t.Name, name) {
				return t
			}
		}
	}
	return nil
}

// unknownTable is error 1146, with the most similar name of the database.
func (b *binder) unknownTable(database string, t *ast.TableName) error {
	var names []string
	for _, o := range b.env.Snapshot.Tables(database) {
		names = append(names, o.Name)
	}
	for _, o := range b.env.Snapshot.Views(database) {
		names = append(names, o.Name)
	}
	sort.Strings(names)
	err := sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", database, t.Name.Name).At(t.Position())
	if near := nearest(t.Name.Name, names); near != "" {
		return err.WithHint("Did you mean '%s'?", near)
	}
	return err
}

// view binds the text of a view and gives its outputs the frozen names and types.
func (b *binder) view(v *catalog.View, t *ast.TableName, alias string) (fromItem, error) {
	full := v.Database + "." + v.Name
	for _, o := range b.views {
		if o.Database == v.Database && o.Name == v.Name {
			return fromItem{}, sqlerr.New(invalidView, "View '%s' contains itself", full).At(t.Position())
		}
	}
	if len(b.views) >= maxViewDepth {
		return fromItem{}, sqlerr.New(invalidView, "Views are nested more than %d deep at '%s'", maxViewDepth, full).At(t.Position())
	}
	q, err := b.env.ParseView(v.Text)
	if err != nil {
		return fromItem{}, viewError(err, full, t)
	}
	database := b.database
	frozen := b.frozen
	b.views, b.database, b.frozen = append(b.views, v), v.DefaultDatabase, nil
	r, err := b.query(q, nil, nil, false)
	b.views, b.database, b.frozen = b.views[:len(b.views)-1], database, frozen
	if err != nil {
		return fromItem{}, viewError(err, full, t)
	}
	r, err = b.asCreated(r, v, t)
	if err != nil {
		return fromItem{}, err
	}
	it := itemOf(r, alias)
	if t.Alias == "" {
		it.rels[0].database = v.Database
	}
	return it, nil
}

// viewError says that a view is broken: the position is that of the view's name in the
// user's text, for the view's own text is not what the user wrote now. What the text names and
// is gone makes the view invalid, as in MySQL.
func viewError(err error, view string, t *ast.TableName) error {
	e := sqlerr.From(err)
	switch e.Code {
	case sqlerr.UnknownTable, sqlerr.UnknownColumn, sqlerr.UnknownDatabase, sqlerr.UnknownFunction, sqlerr.UnknownTableAlias, sqlerr.AmbiguousColumn:
		return sqlerr.New(invalidView, "View '%s' references invalid table(s) or column(s) or function(s) or definer/invoker of view lack rights to use them", view).
			At(t.Position()).WithHint("%s", e.Message)
	case invalidView: // of a view below
		return sqlerr.New(invalidView, "%s", e.Message).At(t.Position()).WithHint("%s", e.Hint)
	}
	return sqlerr.New(e.Code, "View '%s': %s", view, e.Message).At(t.Position()).WithHint("%s", e.Hint)
}

// asCreated projects a view's query to the columns that the view was created with.
func (b *binder) asCreated(r relationResult, v *catalog.View, t *ast.TableName) (relationResult, error) {
	cols := r.node.Columns()
	if len(v.Columns) == 0 {
		return r, nil
	}
	if len(cols) != len(v.Columns) {
		return r, sqlerr.New(invalidView, "View '%s.%s' has %d columns, but its query now yields %d", v.Database, v.Name, len(v.Columns), len(cols)).
			At(t.Position()).WithHint("Create the view again")
	}
	exprs := make([]expr.Expr, len(cols))
	names := make([]string, len(cols))
	same := true
	for i, c := range v.Columns {
		names[i] = c.Name
		e, err := expr.CastTo(expr.Ref(cols[i]), c.Type)
		if err != nil {
			return r, at(err, t)
		}
		exprs[i] = e
		if col, ok := e.(*expr.Column); !ok || col.ID != cols[i].ID {
			same = false
		}
	}
	if same {
		return relationResult{node: r.node, names: names}, nil
	}
	return relationResult{node: b.project(r.node, exprs, names), names: names}, nil
}

// project makes a Project; plain columns of n keep their id (the first time they occur), outer
// ones get one of their own, so that who reads outer columns can be told.
func (b *binder) project(n logical.Node, exprs []expr.Expr, names []string) *logical.Project {
	p := &logical.Project{Input: n, Exprs: exprs, Cols: make([]expr.Column, len(exprs))}
	var used expr.ColumnSet
	inner := logical.Outputs(n)
	for i, e := range exprs {
		if c, ok := e.(*expr.Column); ok && !used.Has(c.ID) && inner.Has(c.ID) {
			used.Add(c.ID)
			p.Cols[i] = *c
			continue
		}
		p.Cols[i] = b.newColumn(names[i], e.Type(), e.Nullable())
	}
	return p
}

// typedNulls gives columns that are nothing but NULL a type, so that they can be keys of groups
// and joins.
func (b *binder) typedNulls(r relationResult) relationResult {
	cols := r.node.Columns()
	exprs := expr.Refs(cols)
	found := false
	for i, c := range cols {
		if c.T.Kind == sqltype.Null {
			exprs[i], found = expr.Null(sqltype.T(sqltype.TinyInt)), true
		}
	}
	if found {
		r.node = b.project(r.node, exprs, r.names)
	}
	return r
}
