package ast

import (
	"fmt"
	"strings"
)

// subquery prints ( query ).
func (f *formatter) subquery(q Query) {
	f.text("(")
	f.query(q)
	f.text(")")
}

func (f *formatter) query(q Query) {
	switch q := q.(type) {
	case *With:
		f.with(q)
	case *Select:
		f.selectBlock(q)
	case *SetOp:
		f.setOp(q)
	case *Values:
		f.values(q)
	default:
		panic(fmt.Sprintf("ast: no format for %T", q))
	}
}

func (f *formatter) with(w *With) {
	f.text("WITH ")
	f.when(w.Recursive, "RECURSIVE ")
	f.list(len(w.CTEs), func(i int) {
		f.name(w.CTEs[i].Name)
		if len(w.CTEs[i].Columns) > 0 {
			f.nameList(w.CTEs[i].Columns)
		}
		f.text(" AS ")
		f.subquery(w.CTEs[i].Query)
	})
	f.text(" ")
	if _, nested := w.Body.(*With); nested {
		f.subquery(w.Body)
		return
	}
	f.query(w.Body)
}

// isChain tells whether q may stand without brackets at the left of op: INTERSECT
// binds closer, the others read from left to right.
func isChain(q Query, op SetOpKind) bool {
	s, ok := q.(*SetOp)
	return ok && s.OrderBy == nil && s.Limit == nil && (s.Op == Intersect || op != Intersect)
}

func (f *formatter) setOp(s *SetOp) {
	f.setOperand(s.Left, isChain(s.Left, s.Op))
	switch s.Op {
	case Union:
		f.text(" UNION ")
	case Intersect:
		f.text(" INTERSECT ")
	case Except:
		f.text(" EXCEPT ")
	}
	f.when(s.All, "ALL ")
	f.setOperand(s.Right, false)
	f.orderAndLimit(s.OrderBy, s.Limit)
}

// setOperand prints an operand, in brackets when its tail would be taken for the whole's.
func (f *formatter) setOperand(q Query, bare bool) {
	switch q := q.(type) {
	case *Select:
		bare = q.OrderBy == nil && q.Limit == nil && q.Into == nil
	case *Values:
		bare = q.OrderBy == nil && q.Limit == nil
	}
	if bare {
		f.query(q)
	} else {
		f.subquery(q)
	}
}

func (f *formatter) values(v *Values) {
	f.text("VALUES ")
	f.list(len(v.Rows), func(i int) {
		f.text("(")
		f.exprs(v.Rows[i])
		f.text(")")
	})
	f.orderAndLimit(v.OrderBy, v.Limit)
}

func (f *formatter) orderAndLimit(order []OrderItem, l *Limit) {
	if len(order) > 0 {
		f.text(" ORDER BY ")
		f.orderItems(order)
	}
	if l == nil {
		return
	}
	count, isParam := l.Count.(*Param)
	offset, offsetIsParam := l.Offset.(*Param)
	if isParam && offsetIsParam && offset.Index < count.Index { // parameters count in order of the text
		f.text(" LIMIT ?, ?")
		return
	}
	if l.Count != nil {
		f.text(" LIMIT ")
		f.expr(l.Count)
	}
	if l.Offset != nil {
		f.text(" OFFSET ")
		f.expr(l.Offset)
	}
}

func (f *formatter) selectBlock(s *Select) {
	f.text("SELECT ")
	if len(s.Hints) > 0 {
		f.text("/*+ ")
		for _, h := range s.Hints {
			f.text(h.Name)
			f.when(h.Args != "", "(", h.Args, ")")
			f.text(" ")
		}
		f.text("*/ ")
	}
	f.when(s.Distinct, "DISTINCT ")
	f.list(len(s.Items), func(i int) { f.selectItem(&s.Items[i]) })
	if len(s.From) > 0 {
		f.text(" FROM ")
		f.tables(s.From)
	}
	f.clause(" WHERE ", s.Where)
	if s.GroupBy != nil {
		f.groupBy(s.GroupBy)
	}
	f.clause(" HAVING ", s.Having)
	if len(s.Windows) > 0 {
		f.text(" WINDOW ")
		f.list(len(s.Windows), func(i int) {
			f.name(s.Windows[i].Name)
			f.text(" AS ")
			f.window(s.Windows[i].Spec)
		})
	}
	f.clause(" QUALIFY ", s.Qualify)
	if len(s.ClusterBy) > 0 {
		f.text(" CLUSTER BY ")
		f.exprs(s.ClusterBy)
	}
	if len(s.DistributeBy) > 0 {
		f.text(" DISTRIBUTE BY ")
		f.exprs(s.DistributeBy)
	}
	if len(s.SortBy) > 0 {
		f.text(" SORT BY ")
		f.orderItems(s.SortBy)
	}
	f.orderAndLimit(s.OrderBy, s.Limit)
	if s.Into != nil {
		f.intoOutfile(s.Into)
	}
}

func (f *formatter) optionalProperties(list []Property) {
	if len(list) > 0 {
		f.text(" PROPERTIES ")
		f.properties(list)
	}
}

// clause prints a keyword and an expression when there is one.
func (f *formatter) clause(word string, e Expr) {
	if e != nil {
		f.text(word)
		f.expr(e)
	}
}

func (f *formatter) selectItem(it *SelectItem) {
	if it.Star {
		if it.Table.Name != "" {
			f.fullName(it.Table)
			f.text(".")
		}
		f.text("*")
		if len(it.Except) > 0 {
			f.text(" EXCEPT ")
			f.nameList(it.Except)
		}
		return
	}
	f.expr(it.Expr)
	if it.Alias != "" {
		f.text(" AS ")
		f.name(it.Alias)
	}
	if len(it.Aliases) > 0 {
		f.text(" AS ")
		f.nameList(it.Aliases)
	}
}

func (f *formatter) groupBy(g *GroupBy) {
	f.text(" GROUP BY ")
	f.exprs(g.Items)
	switch g.Kind {
	case GroupRollup:
		f.text(" WITH ROLLUP")
	case GroupCube:
		f.text(" WITH CUBE")
	case GroupSets:
		f.when(len(g.Items) > 0, " ")
		f.text("GROUPING SETS (")
		f.list(len(g.Sets), func(i int) {
			f.text("(")
			f.list(len(g.Sets[i]), func(k int) { f.expr(g.Items[g.Sets[i][k]]) })
			f.text(")")
		})
		f.text(")")
	}
}

func (f *formatter) tables(list []TableExpr) {
	f.list(len(list), func(i int) {
		if d, ok := list[i].(*Derived); ok && d.Lateral && i > 0 {
			f.text("LATERAL ")
		}
		f.table(list[i])
	})
}

// alias prints AS alias (columns).
func (f *formatter) alias(alias string, columns []string) {
	if alias == "" {
		return
	}
	f.text(" AS ")
	f.name(alias)
	if len(columns) > 0 {
		f.nameList(columns)
	}
}

func (f *formatter) table(t TableExpr) {
	switch t := t.(type) {
	case *TableName:
		f.tableName(t)
	case *Derived:
		f.subquery(t.Query)
		f.alias(t.Alias, t.Columns)
	case *TableFunction:
		f.tableFunction(t)
		f.alias(t.Alias, t.Columns)
	case *FileTable:
		f.str(t.Path)
		f.alias(t.Alias, t.Columns)
	case *LateralView:
		f.lateralView(t)
	case *Join:
		f.join(t)
	default:
		panic(fmt.Sprintf("ast: no format for %T", t))
	}
}

func (f *formatter) tableName(t *TableName) {
	f.fullName(t.Name)
	if t.Index != "" {
		f.text(" INDEX ")
		f.name(t.Index)
	}
	if len(t.Partitions) > 0 {
		f.text(" PARTITION ")
		f.nameList(t.Partitions)
	}
	if len(t.Tablets) > 0 {
		f.text(" TABLET (")
		f.list(len(t.Tablets), func(i int) { f.int(t.Tablets[i]) })
		f.text(")")
	}
	f.alias(t.Alias, t.Columns)
	if s := t.Sample; s != nil {
		f.text(" TABLESAMPLE (")
		if s.Kind == "BUCKET" {
			f.text("BUCKET ")
			f.int(s.N)
			f.text(" OUT OF ")
			f.int(s.OutOf)
			if len(s.On) > 0 {
				f.text(" ON ")
				f.exprs(s.On)
			}
		} else if s.Percent != "" {
			f.text(s.Percent, " PERCENT")
		} else {
			f.int(s.N)
			f.text(" ", s.Kind)
		}
		f.text(")")
		if s.Repeatable != nil {
			f.text(" REPEATABLE ")
			f.int(*s.Repeatable)
		}
	}
	if len(t.ScanHints) > 0 {
		f.text(" [", strings.Join(t.ScanHints, ", "), "]")
	}
}

func (f *formatter) tableFunction(t *TableFunction) {
	f.function(t.Name)
	if len(t.Properties) > 0 {
		f.properties(t.Properties)
		return
	}
	f.text("(")
	f.list(len(t.Args), func(i int) { f.operand(t.Args[i], bindCompare+1) }) // (a = b), without brackets, is a property
	f.text(")")
	f.when(t.Ordinality, " WITH ORDINALITY")
}

func (f *formatter) lateralView(v *LateralView) {
	if _, isJoin := v.Input.(*Join); isJoin {
		f.text("(")
		f.table(v.Input)
		f.text(")")
	} else {
		f.table(v.Input)
	}
	f.text(" LATERAL VIEW ")
	f.when(v.Outer, "OUTER ")
	f.function(v.Func)
	f.text("(")
	f.exprs(v.Args)
	f.text(")")
	if v.Alias != "" {
		f.text(" ")
		f.name(v.Alias)
	}
	if len(v.Columns) > 0 {
		f.text(" AS ")
		f.nameList(v.Columns)
	}
}

var joinKinds = [...]string{
	InnerJoin: "JOIN", LeftJoin: "LEFT JOIN", RightJoin: "RIGHT JOIN", FullJoin: "FULL JOIN", CrossJoin: "CROSS JOIN",
	LeftSemiJoin: "LEFT SEMI JOIN", LeftAntiJoin: "LEFT ANTI JOIN", RightSemiJoin: "RIGHT SEMI JOIN", RightAntiJoin: "RIGHT ANTI JOIN",
}

func (f *formatter) join(j *Join) {
	f.table(j.Left)
	f.text(" ")
	f.when(j.Natural, "NATURAL ")
	f.text(joinKinds[j.Kind])
	f.text(" ")
	if j.Hint != "" {
		f.text("[")
		f.name(j.Hint)
		f.text("] ")
	}
	switch r := j.Right.(type) {
	case *Join, *LateralView:
		f.text("(")
		f.table(r)
		f.text(")")
	case *Derived:
		f.when(r.Lateral, "LATERAL ")
		f.table(r)
	default:
		f.table(r)
	}
	f.clause(" ON ", j.On)
	if j.Using != nil {
		f.text(" USING ")
		f.nameList(j.Using)
	}
}
