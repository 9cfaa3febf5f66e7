package logical

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
)

// Format prints a plan as a tree, one node a line, shared CTE plans first. It is what
// goldens hold and EXPLAIN LOGICAL shows.
func Format(n Node) string { return format(n, false) }

// FormatIDs is Format with every column as name#id.
func FormatIDs(n Node) string { return format(n, true) }

func format(n Node, ids bool) string {
	p := printer{ids: ids}
	for _, c := range CTEs(n) {
		fmt.Fprintf(&p.b, "CTE %s (%d)\n", c.Name, c.ID)
		p.node(c.Plan, "└─ ", "   ")
	}
	p.node(n, "", "")
	return p.b.String()
}

type printer struct {
	b   strings.Builder
	ids bool
}

var joinNames = [...]string{
	Inner: "Join", Left: "Left Join", Right: "Right Join", Full: "Full Join", Semi: "Semi Join", Anti: "Anti Join",
	NullAwareAnti: "Null-aware Anti Join", Mark: "Mark Join", Single: "Single Join",
}

// String is the kind as plans show it: "Left Join".
func (k JoinKind) String() string { return joinNames[k] }

var setOpNames = [...]string{Union: "Union", Intersect: "Intersect", Except: "Except"}

// String is the operation's name.
func (k SetOpKind) String() string { return setOpNames[k] }

func (p *printer) node(n Node, first, rest string) {
	p.b.WriteString(first)
	p.b.WriteString(p.line(n))
	p.b.WriteByte('\n')
	c := n.Children()
	for i, child := range c {
		if i == len(c)-1 {
			p.node(child, rest+"└─ ", rest+"   ")
		} else {
			p.node(child, rest+"├─ ", rest+"│  ")
		}
	}
}

func (p *printer) line(n Node) string {
	switch n := n.(type) {
	case *Scan:
		return p.scan(n)
	case *Filter:
		return "Filter " + p.conds(n.Conds)
	case *Project:
		return "Project " + p.outputs(n.Exprs, n.Cols)
	case *Join:
		s := n.Kind.String()
		if n.Kind == Inner && len(n.On) == 0 {
			s = "Cross Join"
		}
		return s + p.on(n.On) + p.mark(n.MarkColumn, n.MarkNullOK) + hintText(n)
	case *Apply:
		return "Apply " + n.Kind.String() + p.on(n.On) + p.mark(n.MarkColumn, n.MarkNullOK)
	case *Aggregate:
		return p.aggregateLine(n)
	case *Distinct:
		return "Distinct"
	case *Sort:
		return "Sort " + expr.KeysString(n.Keys, p.ids) + limits(n.Limit, n.Offset)
	case *Limit:
		return "Limit" + limits(n.Count, n.Offset)
	case *SetOp:
		s := n.Kind.String()
		if n.All {
			s += " All"
		}
		return s + " " + p.columns(n.Cols)
	case *Values:
		return p.values(n)
	case *CTERef:
		return fmt.Sprintf("CTE Ref %s (%d) %s", n.CTE.Name, n.CTE.ID, p.columns(n.Cols))
	case *Unnest:
		s := "Unnest "
		if n.Outer {
			s = "Outer Unnest "
		}
		args := make([]string, len(n.Args))
		for i, a := range n.Args {
			args[i] = p.expr(a)
		}
		return s + n.Fn.Name + "(" + strings.Join(args, ", ") + ") " + p.columns(n.Cols)
	case *Window:
		return p.window(n)
	case *Write:
		return "Write " + n.Table
	}
	panic(invariant.Failed("text of %T", n))
}

func (p *printer) scan(n *Scan) string {
	s := "Scan " + n.Table
	if n.Alias != "" && n.Alias != n.Table && !strings.HasSuffix(n.Table, "."+n.Alias) {
		s += " AS " + n.Alias
	}
	s += " " + p.columns(n.Cols)
	if len(n.Filter) > 0 {
		s += " filter: " + p.conds(n.Filter)
	}
	if p, ok := n.Source.(storage.Partitioned); ok && n.Selection != nil {
		selected, total := n.Selection.Tablets(p.Layout())
		s += fmt.Sprintf(" partitions: %d/%d tablets: %d/%d", len(n.Selection.Partitions), len(p.Layout().Partitions), selected, total)
	}
	if n.Limit >= 0 {
		s += fmt.Sprintf(" limit: %d", n.Limit)
	}
	if m, ok := n.Source.(storage.Merged); ok {
		if keys, _ := m.Merging(); keys != nil {
			s += " merged"
			if n.Preaggregation != "" {
				s += " (" + n.Preaggregation + ")"
			}
		}
	}
	return s
}

func (p *printer) aggregateLine(n *Aggregate) string {
	all := append([]expr.Expr(nil), n.Groups...)
	for _, a := range n.Aggs {
		all = append(all, a)
	}
	g := len(n.Groups)
	s := "Aggregate"
	if g > 0 {
		s += " by " + p.outputs(all[:g], n.Cols[:g])
	}
	if n.Sets != nil {
		s += fmt.Sprintf(" sets %v", n.Sets)
	}
	if len(n.Aggs) > 0 {
		s += ": " + p.outputs(all[g:], n.Cols[g:len(all)])
	}
	if n.GroupingID != nil {
		s += " grouping id " + p.column(*n.GroupingID)
	}
	return s
}

func (p *printer) window(n *Window) string {
	s := "Window"
	if len(n.Partition) > 0 {
		by := make([]string, len(n.Partition))
		for i, e := range n.Partition {
			by[i] = p.expr(e)
		}
		s += " partition by " + strings.Join(by, ", ")
	}
	if len(n.Order) > 0 {
		s += " order by " + expr.KeysString(n.Order, p.ids)
	}
	calls := make([]string, len(n.Funcs))
	for i, w := range n.Funcs {
		calls[i] = w.CallString(p.ids)
		if w.Fn.Kind.UsesFrame() {
			calls[i] += " " + w.Frame.String()
		}
		if w.Peers < len(n.Order) {
			calls[i] += fmt.Sprintf(" by %d keys", w.Peers)
		}
		if name := p.column(n.Cols[i]); p.ids || name != calls[i] {
			calls[i] += " AS " + name
		}
	}
	if n.Top != nil {
		s += fmt.Sprintf(" top %d", n.Top.Rows)
	}
	return s + ": [" + strings.Join(calls, ", ") + "]"
}

func (p *printer) values(n *Values) string {
	rows := make([]string, 0, len(n.Rows))
	for _, r := range n.Rows {
		items := make([]string, len(r))
		for j, e := range r {
			items[j] = p.expr(e)
		}
		rows = append(rows, "("+strings.Join(items, ", ")+")")
	}
	return strings.TrimSuffix("Values "+p.columns(n.Cols)+" "+strings.Join(rows, " "), " ")
}

func (p *printer) expr(e expr.Expr) string {
	return expr.StringPlans(e, p.ids, func(q expr.Plan) string {
		inner := printer{ids: p.ids}
		inner.node(q.(Node), "", "")
		return strings.ReplaceAll(strings.TrimSpace(inner.b.String()), "\n", "; ")
	})
}

func (p *printer) conds(conds []expr.Expr) string {
	s := make([]string, len(conds))
	for i, c := range conds {
		s[i] = p.expr(c)
		if _, ok := expr.IsCall(c, "or"); ok && len(conds) > 1 {
			s[i] = "(" + s[i] + ")"
		}
	}
	return strings.Join(s, " and ")
}

func (p *printer) on(conds []expr.Expr) string {
	if len(conds) == 0 {
		return ""
	}
	return " on " + p.conds(conds)
}

func (p *printer) mark(c *expr.Column, nullOK bool) string {
	if c == nil {
		return ""
	}
	s := " mark " + p.column(*c)
	if nullOK {
		s += " (null as false)"
	}
	return s
}

func hintText(n *Join) string {
	if n.Hint == "" {
		return ""
	}
	return " [" + n.Hint + "]"
}

func (p *printer) column(c expr.Column) string { return p.expr(&c) }

func (p *printer) columns(cols []expr.Column) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = p.column(c)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// outputs shows expressions with the names that they get; a plain column keeps quiet about its own.
func (p *printer) outputs(exprs []expr.Expr, cols []expr.Column) string {
	s := make([]string, len(exprs))
	for i, e := range exprs {
		s[i] = p.expr(e)
		if out := p.column(cols[i]); out != s[i] {
			s[i] += " AS " + out
		}
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func limits(count, offset int64) string {
	s := ""
	if count >= 0 {
		s = fmt.Sprintf(" limit %d", count)
	}
	if offset > 0 {
		s += fmt.Sprintf(" offset %d", offset)
	}
	return s
}
