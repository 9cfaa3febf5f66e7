package optimize

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage"
)

// matcher reads expressions over a scan's columns as expressions over the columns of an index of its table.
type matcher struct {
	c        *Context
	scan     *logical.Scan
	index    *logical.Index
	merged   bool // rows are read merged: Index.Merged
	nullSide bool // an outer join may give rows without one of the scan's

	own   expr.ColumnSet      // columns of the scan
	exprs []expr.Expr         // of the index's columns, over the scan's; nil: of columns that the scan does not read
	aggs  []*expr.Aggregate   // likewise
	where []expr.Expr         // the index's, over the scan's columns; nil entries read others
	cols  map[int]expr.Column // columns of the index that are read, by ordinal
	lost  []string            // names of columns that the index does not have
	met   map[expr.ColumnID]bool
}

func newMatcher(c *Context, s *logical.Scan, x *logical.Index, merged bool) *matcher {
	m := &matcher{c: c, scan: s, index: x, merged: merged, own: expr.SetOfColumns(s.Cols), cols: map[int]expr.Column{}}
	at := map[expr.ColumnID]expr.Expr{} // ordinals to columns
	for i, col := range s.Cols {
		at[expr.ColumnID(s.Ordinal[i]+1)] = expr.Ref(col)
	}
	read := func(e expr.Expr) expr.Expr {
		for _, id := range expr.Columns(e).IDs() {
			if at[id] == nil {
				return nil
			}
		}
		return substituted(e, at)
	}
	m.exprs, m.aggs = make([]expr.Expr, len(x.Columns)), make([]*expr.Aggregate, len(x.Columns))
	for i, col := range x.Columns {
		switch {
		case col.Agg != nil && merged:
			m.exprs[i] = read(col.Value)
		case col.Agg != nil:
			if e := read(col.Agg); e != nil {
				m.aggs[i] = e.(*expr.Aggregate)
			}
		default:
			m.exprs[i] = read(col.Expr)
		}
	}
	for _, e := range x.Where {
		m.where = append(m.where, read(e))
	}
	return m
}

// usable says why the index cannot serve the scan whatever is read; "": it may.
func (m *matcher) usable() string {
	x := m.index
	if x.Reason != "" {
		return x.Reason
	}
	fresh, rest := m.parts()
	if len(fresh.Partitions) == 0 && len(rest.Partitions) > 0 {
		return reasonf("partition %s is not in it yet", x.Source.Layout().Partitions[rest.Partitions[0]].Name)
	}
	return ""
}

// parts divides what the scan selects of the table into the partitions that are in the index and the others.
func (m *matcher) parts() (fresh, rest *storage.Selection) {
	sel := m.selected()
	if m.index.Stale == nil {
		return sel, &storage.Selection{}
	}
	fresh, rest = &storage.Selection{}, &storage.Selection{}
	for i, p := range sel.Partitions {
		to := fresh
		if m.index.Stale[p] {
			to = rest
		}
		to.Partitions = append(to.Partitions, p)
		if sel.Buckets != nil {
			to.Buckets = append(to.Buckets, sel.Buckets[i])
		}
	}
	return fresh, rest
}

// selected is what the scan selects of the table.
func (m *matcher) selected() *storage.Selection {
	if p, ok := m.scan.Source.(storage.Partitioned); ok {
		return p.Selection()
	}
	return m.index.Source.Selection()
}

// missing says what the last expressions read that the index does not have.
func (m *matcher) missing() string {
	lost := m.lost
	m.lost = nil
	if len(lost) == 0 {
		return "it does not have what the query reads"
	}
	slices.Sort(lost)
	return "it has no column " + names(slices.Compact(lost))
}

// ref reads a column of the index.
func (m *matcher) ref(ordinal int) *expr.Column {
	c, ok := m.cols[ordinal]
	if !ok {
		x := &m.index.Columns[ordinal]
		c = expr.Column{ID: m.c.IDs.New(), Name: m.name(x.Name), T: x.Type, Null: x.Null}
		m.cols[ordinal] = c
	}
	return expr.Ref(c)
}

// name is how EXPLAIN shows a column of the index.
func (m *matcher) name(column string) string {
	if m.scan.Alias == "" {
		return column
	}
	return m.scan.Alias + "." + column
}

// expr is e over the index; nil when the index does not have what e needs. Expressions that read nothing of the scan
// stay.
func (m *matcher) expr(e expr.Expr) expr.Expr {
	if !expr.Columns(e).Intersects(m.own) {
		return e
	}
	for i, key := range m.exprs {
		if key != nil && expr.Equal(key, e) && m.nullWithout(key) {
			return m.ref(i)
		}
	}
	if t := m.derived(e); t != nil {
		return t
	}
	if c, ok := e.(*expr.Column); ok {
		m.lost = append(m.lost, c.Name)
		return nil
	}
	failed := false
	out := expr.RewriteChildren(e, func(c expr.Expr) expr.Expr {
		if failed {
			return c
		}
		t := m.expr(c)
		if t == nil {
			failed = true
			return c
		}
		return t
	})
	if failed {
		return nil
	}
	return out
}

// nullWithout reports that e is NULL in the rows of an outer join that have no row of the scan, as the index's columns
// are there: coalesce(city, 0) is not.
func (m *matcher) nullWithout(e expr.Expr) bool {
	if _, column := e.(*expr.Column); column || !m.nullSide {
		return true
	}
	return isNullLiteral(expr.FoldTree(expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) { return nullOf(c.T), true }), m.c.Functions))
}

// filter is the scan's filter over the index: what the index's own condition does not say already. A reason says
// what is missing.
func (m *matcher) filter() ([]expr.Expr, string) {
	var facts *closure
	for i, w := range m.where {
		if w != nil && containsExpr(m.scan.Filter, w) {
			continue
		}
		if w != nil {
			if facts == nil {
				facts = closureOf(m.scan.Filter, nil)
			}
			if implies(facts, w) {
				continue
			}
		}
		return nil, reasonf("the query does not ask for %s", expr.String(m.index.Where[i]))
	}
	var out []expr.Expr
	implied := Implied(m.scan.Filter)
	m.met = map[expr.ColumnID]bool{}
	for i, e := range m.scan.Filter {
		t := m.cond(e)
		if t == nil {
			if implied[i] || containsExpr(m.where, e) || m.alignedWithPartitions(e) {
				for _, id := range expr.Columns(e).IDs() {
					m.met[id] = true
				}
				m.lost = nil
				continue
			}
			return nil, "WHERE: " + m.missing()
		}
		if containsExpr(m.where, e) {
			continue // every row does
		}
		out = append(out, t)
	}
	return out, ""
}

// onlyFiltered reports a column that is read by conditions which all rows of the index satisfy.
func (m *matcher) onlyFiltered(id expr.ColumnID) bool { return m.met[id] && !m.scan.Needed.Has(id) }

// cond is a condition over the index.
func (m *matcher) cond(e expr.Expr) expr.Expr {
	if t := m.expr(e); t != nil {
		return t
	}
	if t := m.truncated(e); t != nil {
		m.lost = nil
		return t
	}
	return nil
}

// alignedWithPartitions reports a condition that every row of the selected partitions satisfies because of the
// partitions' bounds.
func (m *matcher) alignedWithPartitions(e expr.Expr) bool {
	src, ok := m.scan.Source.(storage.Partitioned)
	if !ok {
		return false
	}
	for _, id := range expr.Columns(e).IDs() {
		for i, c := range m.scan.Cols {
			if c.ID == id && (c.Null || !slices.Contains(src.Layout().Columns, m.scan.Ordinal[i])) {
				return false
			}
		}
	}
	if expr.IsVolatile(e) || expr.MayFail(e) || e.Type().Kind != sqltype.Boolean {
		return false
	}
	not := *m.scan
	not.Filter = expr.Conjuncts(nil, foldOne(m.c, negated(e)))
	if len(not.Filter) == 0 {
		return false
	}
	return len(m.c.selection(&not, src).Partitions) == 0
}

// negated is NOT e, pushed into a comparison.
func negated(e expr.Expr) expr.Expr {
	opposite := map[string]string{"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
	if c, ok := e.(*expr.Call); ok && len(c.Args) == 2 {
		if op := opposite[c.Fn.Name]; op != "" {
			return expr.MustCall(op, c.Args...)
		}
	}
	return expr.Not(e)
}

// source is what is read of the index.
func (m *matcher) source() storage.Partitioned {
	if m.merged {
		return m.index.Merged
	}
	return m.index.Source
}

// newScan reads the index. Its columns are those that were asked for.
func (m *matcher) newScan(filter []expr.Expr) *logical.Scan {
	out := &logical.Scan{Table: m.scan.Table, Alias: m.scan.Alias, Limit: m.scan.Limit, Filter: filter, Index: m.index.Name, Known: m.index.Known, Needed: m.scan.Needed}
	for i := range m.index.Columns {
		if c, ok := m.cols[i]; ok {
			out.Cols, out.Ordinal = append(out.Cols, c), append(out.Ordinal, i)
		}
	}
	sel, _ := m.parts()
	if m.index.Source.Layout().Bucketing == nil && sel.Buckets != nil {
		sel = &storage.Selection{Partitions: sel.Partitions}
	}
	src := m.source().Restrict(sel)
	if more := m.c.selection(&logical.Scan{Source: src, Cols: out.Cols, Ordinal: out.Ordinal, Filter: filter}, src); more != src.Selection() {
		sel, src = more, src.Restrict(more)
	}
	out.Source, out.Selection = src, sel
	return out
}

// implies reports that a condition on one column follows from what is known.
func implies(facts *closure, e expr.Expr) bool {
	f, ok := factOf(e)
	if !ok {
		return false
	}
	d := facts.direct([]expr.Column{*f.col})
	return d.implies(e)
}

// read is what stands for the scan of the table: the scan of the index and, where partitions are not in it, what makes
// the same rows of the table's; rest is then the scan of those.
func (m *matcher) read(filter []expr.Expr) (n logical.Node, scan, rest *logical.Scan, reason string) {
	scan = m.newScan(filter)
	_, stale := m.parts()
	src, ok := m.scan.Source.(storage.Partitioned)
	if len(stale.Partitions) == 0 || !ok {
		return scan, scan, nil, ""
	}
	own := *m.scan
	own.Selection, own.Source, own.Indexes = stale, src.Restrict(stale), nil
	made, reason := m.derive(&own, scan.Ordinal)
	if reason != "" {
		return nil, nil, nil, reason
	}
	cols := scan.Cols
	scan.Cols = nil
	at := map[expr.ColumnID]expr.Expr{}
	for _, c := range cols { // the union has the names of before
		to := c
		to.ID = m.c.IDs.New()
		scan.Cols = append(scan.Cols, to)
		at[c.ID] = expr.Ref(to)
	}
	for i, e := range scan.Filter {
		scan.Filter[i] = substituted(e, at)
	}
	return &logical.SetOp{Kind: logical.Union, All: true, Inputs: []logical.Node{scan, made}, Cols: cols}, scan, &own, ""
}

// derive makes rows of the index, as far as it has the columns at ordinals, of a scan of the table.
func (m *matcher) derive(s *logical.Scan, ordinals []int) (logical.Node, string) {
	clone, renamed := logical.Clone(s, m.c.IDs)
	of := func(e expr.Expr) expr.Expr {
		return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) { return expr.Ref(renamed(*c)), true })
	}
	named := func(o int) expr.Column {
		x := &m.index.Columns[o]
		return expr.Column{ID: m.c.IDs.New(), Name: m.name(x.Name), T: x.Type, Null: x.Null}
	}
	if !m.index.Folded || m.merged {
		p := &logical.Project{Input: clone}
		for _, o := range ordinals {
			p.Exprs, p.Cols = append(p.Exprs, of(m.exprs[o])), append(p.Cols, named(o))
		}
		return p, ""
	}
	a := &logical.Aggregate{Input: clone}
	at := make([]expr.Expr, len(ordinals))
	for i, o := range ordinals {
		if m.exprs[o] != nil {
			c := named(o)
			a.Groups, a.Cols, at[i] = append(a.Groups, of(m.exprs[o])), append(a.Cols, c), expr.Ref(c)
		}
	}
	for i, o := range ordinals {
		if m.aggs[o] == nil {
			continue
		}
		if kind, _ := setOf(firstArg(m.aggs[o])); kind == "bitmap" {
			return nil, "rows that are not in it yet may have what its bitmaps cannot hold"
		}
		agg := of(m.aggs[o]).(*expr.Aggregate)
		if agg.Fn.Name == "sum" { // of a part of the rows: wide as its state
			state, ok := over("sum", of(castTo(m.aggs[o].Args[0], m.index.Columns[o].Type)), nil, nil)
			if !ok {
				return nil, "its states cannot be made of rows"
			}
			agg = state
		}
		c := named(o)
		c.T, c.Null = agg.Type(), agg.Nullable()
		a.Aggs, a.Cols = append(a.Aggs, agg), append(a.Cols, c)
		e, err := expr.CastTo(expr.Ref(c), m.index.Columns[o].Type)
		if err != nil {
			return nil, "its states cannot be made of rows"
		}
		at[i] = e
	}
	p := &logical.Project{Input: a, Exprs: at}
	for i, o := range ordinals {
		c := named(o)
		if ref, ok := at[i].(*expr.Column); ok {
			c = *ref
		}
		p.Cols = append(p.Cols, c)
	}
	return p, ""
}

// castTo is e as t, or e where there is no such cast.
func castTo(e expr.Expr, t sqltype.Type) expr.Expr {
	out, err := expr.CastTo(e, t)
	if err != nil {
		return e
	}
	return out
}

// firstArg is the first argument of an aggregate; a constant for count(*).
func firstArg(a *expr.Aggregate) expr.Expr {
	if len(a.Args) == 0 {
		return expr.Int(1)
	}
	return a.Args[0]
}
