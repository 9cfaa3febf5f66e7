package bind

import (
	"sort"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// named is a column under the name that the query knows it by.
type named struct {
	name   string
	col    expr.Column
	hidden bool // * does not show it
}

// relation is one item of FROM.
type relation struct {
	database string // "" for what has no database: derived tables, functions, aliases
	name     string // alias, or table name
	cols     []named
	anyCase  bool // names of information_schema compare without case
}

// aggregateMode tells whether aggregates of a scope's query may stand in the clause being bound.
type aggregateMode uint8

const (
	aggregatesForbidden aggregateMode = iota
	aggregatesAllowed
)

// scope is where names of one query block are looked up; parent is the block around it.
type scope struct {
	parent *scope
	rels   []*relation
	// visible are the columns that unqualified names and a bare * mean, in the order of *.
	// Columns merged by USING are here once.
	visible    []named
	clause     string // for errors: "field list", "where clause", …
	aggregates aggregateMode
	aliases    *aliases // select list and GROUP BY names, where the clause may use them; else nil
	ctes       *cteScope
	lambda     []named      // parameters of the lambdas around, innermost first
	windows    *windowScope // where calls with OVER may stand; else nil
}

// aliases resolve names to select items in GROUP BY, HAVING and ORDER BY.
type aliases struct {
	items []selectItem
	// groups are the grouping expressions that are plain columns, for HAVING.
	groups []expr.Expr
	// first: an alias wins over a column of FROM (HAVING and ORDER BY of a bare name).
	first bool
}

// in makes the scope of a clause that sees the same relations. Calls with OVER may not stand there: see windowScope.in.
func (s *scope) in(clause string, mode aggregateMode, al *aliases) *scope {
	c := *s
	c.clause, c.aggregates, c.aliases, c.windows = clause, mode, al, nil
	return &c
}

// owns reports whether any of ids is a column of s's own FROM.
func (s *scope) owns(ids expr.ColumnSet) bool {
	for _, r := range s.rels {
		for _, c := range r.cols {
			if ids.Has(c.col.ID) {
				return true
			}
		}
	}
	for _, c := range s.visible {
		if ids.Has(c.col.ID) {
			return true
		}
	}
	return false
}

// column resolves a column reference in s or the nearest scope around it that knows it.
func (b *binder) column(s *scope, c *ast.Column) (expr.Expr, error) {
	for sc := s; sc != nil; sc = sc.parent {
		e, err := b.columnHere(sc, c)
		if err != nil {
			return nil, err
		}
		if e != nil {
			return e, nil
		}
	}
	if e, err := b.columnFields(s, c); e != nil || err != nil {
		return e, err
	}
	return nil, b.unknownColumn(s, c)
}

// columnHere resolves c in s alone; nil when it is not there.
func (b *binder) columnHere(s *scope, c *ast.Column) (expr.Expr, error) {
	unqualified := c.Table == ""
	if unqualified {
		for _, p := range s.lambda {
			if equalName(p.name, c.Name) {
				return expr.Ref(p.col), nil
			}
		}
	}
	if s.aliases != nil && s.aliases.first && unqualified {
		if e, err := b.alias(s, c); e != nil || err != nil {
			return e, err
		}
	}
	matches := s.match(c)
	if len(matches) > 1 {
		return nil, sqlerr.New(sqlerr.AmbiguousColumn, "Column '%s' in %s is ambiguous", columnText(c), s.clause).At(c.Position())
	}
	if len(matches) == 1 {
		ref := expr.Ref(matches[0].col)
		b.positions[ref] = c.Position()
		b.frozen.column(s, c, matches[0])
		return ref, nil
	}
	if s.aliases != nil && !s.aliases.first && unqualified {
		return b.alias(s, c)
	}
	return nil, nil
}

// match lists the distinct columns of s's FROM that c can mean.
func (s *scope) match(c *ast.Column) []named {
	var out []named
	add := func(n named) {
		if !strings.EqualFold(n.name, c.Name) {
			return
		}
		for _, o := range out {
			if o.col.ID == n.col.ID {
				return
			}
		}
		out = append(out, n)
	}
	if c.Table == "" {
		for _, n := range s.visible {
			add(n)
		}
		return out
	}
	for _, r := range s.rels {
		if r.named(c.Database, c.Table) {
			for _, n := range r.cols {
				add(n)
			}
		}
	}
	return out
}

// named reports whether [database.]name means r.
func (r *relation) named(database, name string) bool {
	if r.anyCase {
		return strings.EqualFold(r.name, name) && (database == "" || strings.EqualFold(database, r.database))
	}
	return r.name == name && (database == "" || database == r.database)
}

// alias resolves an unqualified name among the select items; nil when it is none of them. Items
// that are the same expression are the same.
func (b *binder) alias(s *scope, c *ast.Column) (expr.Expr, error) {
	if s.aliases.first {
		for _, g := range s.aliases.groups {
			if col, ok := g.(*expr.Column); ok {
				if m := s.match(c); len(m) == 1 && m[0].col.ID == col.ID {
					return g, nil
				}
			}
		}
	}
	var found expr.Expr
	for _, it := range s.aliases.items {
		if it.name == "" || !strings.EqualFold(it.name, c.Name) {
			continue
		}
		if found != nil && !expr.Equal(found, it.e) {
			return nil, sqlerr.New(sqlerr.AmbiguousColumn, "Column '%s' in %s is ambiguous", c.Name, s.clause).At(c.Position())
		}
		found = it.e
	}
	return found, nil
}

func columnText(c *ast.Column) string {
	t := c.Name
	if c.Table != "" {
		t = c.Table + "." + t
	}
	if c.Database != "" {
		t = c.Database + "." + t
	}
	return t
}

// unknownColumn is error 1054, or 1109 when the table part is what is unknown, with the most
// similar name that exists.
func (b *binder) unknownColumn(s *scope, c *ast.Column) error {
	var names []string
	tableKnown := false
	for sc := s; sc != nil; sc = sc.parent {
		for _, r := range sc.rels {
			if c.Table != "" && r.named(c.Database, c.Table) {
				tableKnown = true
				for _, n := range r.cols {
					names = append(names, n.name)
				}
			}
		}
		if c.Table == "" {
			for _, n := range sc.visible {
				names = append(names, n.name)
			}
			if sc.aliases != nil {
				for _, it := range sc.aliases.items {
					names = append(names, it.name)
				}
			}
		}
	}
	err := sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", columnText(c), s.clause).At(c.Position())
	if c.Table != "" && !tableKnown {
		for sc := s; sc != nil; sc = sc.parent {
			for _, r := range sc.rels {
				names = append(names, r.name)
			}
		}
		if near := nearest(c.Table, names); near != "" {
			return err.WithHint("Did you mean table '%s'?", near)
		}
		return err
	}
	if near := nearest(c.Name, names); near != "" {
		return err.WithHint("Did you mean '%s'?", near)
	}
	return err
}

// nearest is the candidate most like name, "" when none is like it.
func nearest(name string, candidates []string) string {
	name = strings.ToLower(name)
	// A third of the letters may differ, never all of them.
	best, bestDistance := "", min(max(1, len(name)/3), len(name)-1)+1
	sort.Strings(candidates)
	for _, c := range candidates {
		if c == "" {
			continue
		}
		if d := editDistance(name, strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts single-byte edits and swaps of neighbours between a and b.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var rows [3][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	prev, cur, older := &rows[0], &rows[1], &rows[2]
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, older[j-2]+1)
			}
			cur[j] = d
		}
		older, prev, cur = prev, cur, older
	}
	return prev[len(b)]
}
