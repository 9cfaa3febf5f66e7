package optimize

import (
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// domain replaces an Apply by a join with its subquery computed for every distinct
// combination of the outer columns that it reads.
func (d *decorrelator) domain(a *logical.Apply, outer expr.ColumnSet) (logical.Node, error) {
	p := &pusher{decorrelator: d, set: outer, source: a.LeftInput}
	for _, c := range a.LeftInput.Columns() {
		if outer.Has(c.ID) {
			p.outer = append(p.outer, c)
		}
	}
	b := *a
	if shared := d.share(a.LeftInput); shared != nil {
		p.shared = shared
		b.LeftInput = &logical.CTERef{CTE: shared, Cols: a.LeftInput.Columns()}
	}
	right, keys, err := p.push(a.RightInput)
	if err != nil {
		return nil, err
	}
	return join(&b, right, append(append([]expr.Expr(nil), a.On...), sameKeys(p.outer, keys)...)), nil
}

// share makes a shared plan of the outer side when computing it twice could give other rows or costs
// much. Plans that read columns from further out cannot be shared: nil.
func (d *decorrelator) share(n logical.Node) *logical.CTE {
	if !logical.FreeColumns(n).Empty() {
		return nil
	}
	heavy := false
	logical.Walk(n, func(n logical.Node) bool {
		switch n.(type) {
		case *logical.Join, *logical.Aggregate, *logical.Limit, *logical.Sort, *logical.SetOp, *logical.Window:
			heavy = true
		}
		logical.EachExpr(n, func(e expr.Expr) { heavy = heavy || expr.IsVolatile(e) })
		return !heavy
	})
	if !heavy {
		return nil
	}
	// The pass runs once for every shared plan: a fresh column id, negated, meets neither
	// another run's nor the binder's.
	return &logical.CTE{ID: -int(d.ids.New()), Name: "outer", Plan: n}
}

// sameKeys joins two sets of domain columns; NULL is a value of the domain like any other.
func sameKeys(l, r []expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(l))
	for i := range l {
		op := "="
		if l[i].Null {
			op = "<=>"
		}
		out[i] = expr.MustCall(op, expr.Ref(l[i]), expr.Ref(r[i]))
	}
	return out
}

// pusher moves a dependent join with the domain down one subquery.
type pusher struct {
	*decorrelator
	set    expr.ColumnSet
	outer  []expr.Column // the members of set
	source logical.Node  // that has them
	shared *logical.CTE  // of source; nil: source is copied
}

// values is the domain: the distinct combinations of the outer columns, under fresh ids.
func (p *pusher) values() (logical.Node, []expr.Column) {
	keys := make([]expr.Column, len(p.outer))
	var n logical.Node
	if p.shared != nil {
		ref := &logical.CTERef{CTE: p.shared}
		for _, c := range p.source.Columns() {
			fresh := c
			fresh.ID = p.ids.New()
			ref.Cols = append(ref.Cols, fresh)
			for i, o := range p.outer {
				if o.ID == c.ID {
					keys[i] = fresh
				}
			}
		}
		n = ref
	} else {
		clone, renamed := logical.Clone(p.source, p.ids)
		for i, o := range p.outer {
			keys[i] = renamed(o)
		}
		n = clone
	}
	return &logical.Distinct{Input: &logical.Project{Input: n, Exprs: expr.Refs(keys), Cols: keys}}, keys
}

// bind replaces reads of the outer columns by keys.
func (p *pusher) bind(e expr.Expr, keys []expr.Column) expr.Expr {
	return expr.Substitute(e, func(c *expr.Column) (expr.Expr, bool) {
		for i, o := range p.outer {
			if o.ID == c.ID {
				return expr.Ref(keys[i]), true
			}
		}
		return nil, false
	})
}

func (p *pusher) bindAll(list []expr.Expr, keys []expr.Column) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = p.bind(e, keys)
	}
	return out
}

// push is n computed for every row of the domain: its outputs and, under the given keys, the
// domain's columns.
func (p *pusher) push(n logical.Node) (out logical.Node, keys []expr.Column, err error) {
	if correlation(n, p.set).Empty() {
		d, keys := p.values()
		return &logical.Join{Kind: logical.Inner, LeftInput: d, RightInput: n}, keys, nil
	}
	switch n := n.(type) {
	case *logical.Filter:
		in, keys, err := p.push(n.Input)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Filter{Input: in, Conds: p.bindAll(n.Conds, keys)}, keys, nil
	case *logical.Project:
		in, keys, err := p.push(n.Input)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Project{Input: in, Exprs: append(p.bindAll(n.Exprs, keys), expr.Refs(keys)...),
			Cols: append(append([]expr.Column(nil), n.Cols...), keys...)}, keys, nil
	case *logical.Distinct:
		in, keys, err := p.push(n.Input)
		if err != nil {
			return nil, nil, err
		}
		return &logical.Distinct{Input: in}, keys, nil
	case *logical.Sort:
		if n.Limit < 0 || logical.YieldsOneRow(n) {
			return p.push(n.Input)
		}
		return nil, nil, sqlerr.Unsupported("LIMIT in a correlated subquery")
	case *logical.Limit:
		if logical.YieldsOneRow(n) {
			return p.push(n.Input)
		}
		return nil, nil, sqlerr.Unsupported("LIMIT in a correlated subquery")
	case *logical.Unnest:
		in, keys, err := p.push(n.Input)
		if err != nil {
			return nil, nil, err
		}
		m := *n
		m.Input, m.Args = in, p.bindAll(n.Args, keys)
		return &m, keys, nil
	case *logical.Window:
		return p.pushWindow(n)
	case *logical.Aggregate:
		return p.pushAggregate(n)
	case *logical.Join:
		return p.pushJoin(n)
	case *logical.SetOp:
		return p.pushSetOp(n)
	case *logical.Values:
		return p.pushValues(n)
	}
	panic(invariant.Failed("domain join over %T", n))
}

// pushWindow splits the partitions by the domain, too.
func (p *pusher) pushWindow(n *logical.Window) (logical.Node, []expr.Column, error) {
	in, keys, err := p.push(n.Input)
	if err != nil {
		return nil, nil, err
	}
	m := logical.MapExprs(n, func(e expr.Expr) expr.Expr { return p.bind(e, keys) }).(*logical.Window)
	m = m.WithChildren([]logical.Node{in}).(*logical.Window)
	m.Partition = append(expr.Refs(keys), m.Partition...)
	return m, keys, nil
}

// pushAggregate groups by the domain too. Without GROUP BY there is a result for domain rows that
// have no input as well: a left join from the domain, with counts of nothing made 0.
func (p *pusher) pushAggregate(n *logical.Aggregate) (logical.Node, []expr.Column, error) {
	in, keys, err := p.push(n.Input)
	if err != nil {
		return nil, nil, err
	}
	k := len(keys)
	m := &logical.Aggregate{Input: in, Groups: append(expr.Refs(keys), p.bindAll(n.Groups, keys)...), GroupingID: n.GroupingID}
	for _, a := range n.Aggs {
		m.Aggs = append(m.Aggs, p.bind(a, keys).(*expr.Aggregate))
	}
	m.Cols = append(append(m.Cols, keys...), n.Cols...)
	for _, set := range n.Sets {
		if len(set) == 0 {
			return nil, nil, sqlerr.Unsupported("A grand total of GROUPING SETS in a correlated subquery")
		}
		all := make([]int, 0, k+len(set))
		for i := range k {
			all = append(all, i)
		}
		for _, i := range set {
			all = append(all, k+i)
		}
		m.Sets = append(m.Sets, all)
	}
	if len(n.Groups) > 0 || n.Sets != nil {
		return m, keys, nil
	}
	d, domainKeys := p.values()
	j := &logical.Join{Kind: logical.Left, LeftInput: d, RightInput: m, On: sameKeys(domainKeys, keys)}
	out := &logical.Project{Input: j, Exprs: expr.Refs(domainKeys), Cols: append([]expr.Column(nil), domainKeys...)}
	for i, a := range n.Aggs {
		made := n.Cols[i]
		if !a.Fn.NullOnEmpty { // the count itself gets an id of its own
			made.ID = p.ids.New()
			m.Cols[k+i] = made
			e, ok := overNothing(a, made)
			if !ok {
				return nil, nil, sqlerr.Unsupported("Aggregate " + a.Fn.Name + " in this correlated subquery")
			}
			out.Exprs, out.Cols = append(out.Exprs, e), append(out.Cols, n.Cols[i])
			continue
		}
		made.Null = true
		out.Exprs, out.Cols = append(out.Exprs, expr.Ref(made)), append(out.Cols, made)
	}
	return out, domainKeys, nil
}

// pushJoin pushes into the side that reads outer columns; into the preserved side whenever
// the other one or the condition reads them; into both, joined on the keys, when both do.
func (p *pusher) pushJoin(n *logical.Join) (logical.Node, []expr.Column, error) {
	m := *n
	if n.Kind == logical.Full {
		return nil, nil, sqlerr.Unsupported("FULL JOIN in this correlated subquery")
	}
	if n.Kind == logical.Right {
		m.Kind, m.LeftInput, m.RightInput = logical.Left, n.RightInput, n.LeftInput
	}
	leftReads := !correlation(m.LeftInput, p.set).Empty()
	rightReads := !correlation(m.RightInput, p.set).Empty()
	if m.Kind == logical.Inner && rightReads && !leftReads {
		r, keys, err := p.push(m.RightInput)
		if err != nil {
			return nil, nil, err
		}
		m.RightInput, m.On = r, p.bindAll(n.On, keys)
		return &m, keys, nil
	}
	l, keys, err := p.push(m.LeftInput)
	if err != nil {
		return nil, nil, err
	}
	m.LeftInput, m.On = l, p.bindAll(n.On, keys)
	if rightReads {
		r, rightKeys, err := p.push(m.RightInput)
		if err != nil {
			return nil, nil, err
		}
		m.RightInput, m.On = r, append(m.On, sameKeys(keys, rightKeys)...)
	}
	return &m, keys, nil
}

// pushSetOp gives every input the domain's columns as more columns.
func (p *pusher) pushSetOp(n *logical.SetOp) (logical.Node, []expr.Column, error) {
	m := &logical.SetOp{Kind: n.Kind, All: n.All, Cols: append([]expr.Column(nil), n.Cols...)}
	keys := make([]expr.Column, len(p.outer))
	for i, o := range p.outer {
		keys[i] = o
		keys[i].ID = p.ids.New()
	}
	m.Cols = append(m.Cols, keys...)
	for _, in := range n.Inputs {
		pushed, k, err := p.push(in)
		if err != nil {
			return nil, nil, err
		}
		cols := append(append([]expr.Column(nil), in.Columns()...), k...)
		m.Inputs = append(m.Inputs, &logical.Project{Input: pushed, Exprs: expr.Refs(cols), Cols: cols})
	}
	return m, keys, nil
}

// pushValues is a projection of the domain for each row.
func (p *pusher) pushValues(n *logical.Values) (logical.Node, []expr.Column, error) {
	u := &logical.SetOp{Kind: logical.Union, All: true}
	var keys []expr.Column
	for _, row := range n.Rows {
		d, k := p.values()
		cols := make([]expr.Column, len(n.Cols))
		for i, c := range n.Cols {
			cols[i] = c
			if len(n.Rows) > 1 {
				cols[i].ID = p.ids.New()
			}
		}
		u.Inputs = append(u.Inputs, &logical.Project{Input: d, Exprs: append(p.bindAll(row, k), expr.Refs(k)...), Cols: append(cols, k...)})
		keys = k
	}
	if len(n.Rows) == 1 {
		return u.Inputs[0], keys, nil
	}
	keys = append([]expr.Column(nil), keys...)
	for i := range keys {
		keys[i].ID = p.ids.New()
	}
	u.Cols = append(append(u.Cols, n.Cols...), keys...)
	return u, keys, nil
}
