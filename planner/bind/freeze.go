package bind

import (
	"slices"

	"github.com/basaltdb/basalt/parser/ast"
)

// freezer notes, while a new view's query is bound, what names without a table, * and NATURAL JOIN mean, so that
// columns which come to the tables later change nothing. A nil freezer notes nothing.
type freezer struct {
	columns  map[*ast.Column]ast.Name // their tables
	stars    map[*ast.Select]map[int][]ast.SelectItem
	naturals map[*ast.Join][]string
	items    []*ast.SelectItem // whose text is their name
}

// Frozen binds the query of a new view as Query does, and then writes into q what its names mean: * as columns,
// columns with their tables, NATURAL JOIN as USING, names of columns that are the text of their expressions as aliases.
// Texts of the views below are theirs and stay.
func Frozen(q ast.Query, env *Env) (*Bound, error) {
	b := newBinder(env)
	f := &freezer{columns: map[*ast.Column]ast.Name{}, stars: map[*ast.Select]map[int][]ast.SelectItem{}, naturals: map[*ast.Join][]string{}}
	b.frozen = f
	r, err := b.query(q, nil, nil, true)
	if err != nil {
		return nil, err
	}
	bound := b.finish(r.node, r.names)
	f.write()
	return bound, nil
}

// write puts into the tree what was noted.
func (f *freezer) write() {
	for c, of := range f.columns {
		c.Database, c.Table = of.Database, of.Name
	}
	for _, it := range f.items {
		it.Alias = it.Text
	}
	for sel, stars := range f.stars {
		var items []ast.SelectItem
		for i := range sel.Items {
			if list, ok := stars[i]; ok {
				items = append(items, list...)
			} else {
				items = append(items, sel.Items[i])
			}
		}
		sel.Items = items
	}
	for j, names := range f.naturals {
		j.Natural, j.Using = false, names
	}
}

// qualifier is the name of the relation of s that a column belongs to; none for what USING made of two, and where two
// relations have the name.
func (s *scope) qualifier(n named) ast.Name {
	for _, r := range s.rels {
		if r.name == "" || !slices.ContainsFunc(r.cols, func(c named) bool { return c.col.ID == n.col.ID && equalName(c.name, n.name) }) {
			continue
		}
		out := ast.Name{Name: r.name}
		if slices.ContainsFunc(s.rels, func(o *relation) bool { return o != r && o.name == r.name }) {
			out.Database = r.database
		}
		return out
	}
	return ast.Name{}
}

// column notes that c, which has no table, is n of s.
func (f *freezer) column(s *scope, c *ast.Column, n named) {
	if f == nil || c.Table != "" {
		return
	}
	if of := s.qualifier(n); of.Name != "" {
		f.columns[c] = of
	}
}

// star notes the columns of item i of q.
func (f *freezer) star(s *scope, q *ast.Select, i int, cols []named) {
	if f == nil {
		return
	}
	if f.stars[q] == nil {
		f.stars[q] = map[int][]ast.SelectItem{}
	}
	var items []ast.SelectItem
	pos := q.Items[i].Pos
	for _, n := range cols {
		of := s.qualifier(n)
		items = append(items, ast.SelectItem{Pos: pos, Text: n.name, Expr: &ast.Column{Pos: pos, Database: of.Database, Table: of.Name, Name: n.name}})
	}
	f.stars[q][i] = items
}

// name notes an item whose text is its name: the text is about to change.
func (f *freezer) name(it *ast.SelectItem) {
	if f == nil || it.Alias != "" || len(it.Aliases) > 0 || it.Text == "" {
		return
	}
	switch it.Expr.(type) {
	case *ast.Column, *ast.Literal:
		return
	}
	f.items = append(f.items, it)
}

// natural notes the columns that a NATURAL JOIN is over.
func (f *freezer) natural(j *ast.Join, names []string) {
	if f != nil && len(names) > 0 {
		f.naturals[j] = names
	}
}
