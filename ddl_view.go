package basalt

import (
	"slices"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
)

// createView is CREATE VIEW and ALTER VIEW.
func (x *execution) createView(st *ast.CreateView) (*Rows, error) {
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	if st.Alter && x.snapshot.View(db, name) == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(st.Name.Position())
	}
	if st.IfNotExists && x.snapshot.View(db, name) != nil {
		return okRows(x.s, 0, ""), nil
	}
	bound, text, err := x.frozenView(st)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range st.Columns {
		names = append(names, c.Name)
	}
	cols, err := columnsOf(bound, names)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	for i := range st.Columns {
		cols[i].Comment = st.Columns[i].Comment
	}
	v := &catalog.View{Database: db, Name: name, Columns: cols, Text: text, DefaultDatabase: x.s.Database(), Comment: st.Comment}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error { return tx.CreateView(v, st.OrReplace || st.Alter) })
	if err != nil && st.IfNotExists && x.s.db.cat.Snapshot().View(db, name) != nil { // another session was first
		return okRows(x.s, 0, ""), nil
	}
	if err != nil {
		return nil, sqlerr.From(err).At(st.Name.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// frozenView binds the query of a new view and gives the text that is stored: what * and names without a table meant is
// written out, so that columns which come to a table later do not change the view. A text that would not mean the same
// stays as the user wrote it.
func (x *execution) frozenView(st *ast.CreateView) (*bind.Bound, string, error) {
	bound, err := bind.Frozen(st.Query, x.env())
	if err != nil {
		return nil, "", err
	}
	text := ast.Format(st.Query)
	q, err := x.parseView(text)
	if err != nil {
		return bound, st.Text, nil
	}
	again, err := bind.Query(q, x.env())
	if err != nil || !slices.Equal(again.Names, bound.Names) {
		return bound, st.Text, nil
	}
	a, b := again.Plan.Columns(), bound.Plan.Columns()
	for i := range a {
		if a[i].T != b[i].T || a[i].Null != b[i].Null {
			return bound, st.Text, nil
		}
	}
	return bound, text, nil
}
