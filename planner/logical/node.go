package logical

import "github.com/basaltdb/basalt/planner/expr"

// Columns implements Node.
func (n *Scan) Columns() []expr.Column { return n.Cols }

// Columns implements Node.
func (n *Filter) Columns() []expr.Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Project) Columns() []expr.Column { return n.Cols }

// Columns implements Node: left then right, nullable where the join kind null-extends.
func (n *Join) Columns() []expr.Column {
	return joinColumns(n.Kind, n.LeftInput, n.RightInput, n.MarkColumn)
}

// Columns implements Node.
func (n *Apply) Columns() []expr.Column {
	return joinColumns(n.Kind, n.LeftInput, n.RightInput, n.MarkColumn)
}

func joinColumns(kind JoinKind, left, right Node, mark *expr.Column) []expr.Column {
	l := left.Columns()
	switch kind {
	case Semi, Anti, NullAwareAnti:
		return l
	case Mark:
		return append(append([]expr.Column(nil), l...), *mark)
	}
	r := right.Columns()
	out := make([]expr.Column, 0, len(l)+len(r))
	for _, c := range l {
		c.Null = c.Null || kind == Right || kind == Full
		out = append(out, c)
	}
	for _, c := range r {
		c.Null = c.Null || kind == Left || kind == Full || kind == Single
		out = append(out, c)
	}
	return out
}

// Columns implements Node.
func (n *Aggregate) Columns() []expr.Column { return n.Cols }

// Columns implements Node.
func (n *Distinct) Columns() []expr.Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Sort) Columns() []expr.Column { return n.Input.Columns() }

// Columns implements Node.
func (n *Limit) Columns() []expr.Column { return n.Input.Columns() }

// Columns implements Node.
func (n *SetOp) Columns() []expr.Column { return n.Cols }

// Columns implements Node.
func (n *Values) Columns() []expr.Column { return n.Cols }

// Columns implements Node.
func (n *CTERef) Columns() []expr.Column { return n.Cols }

// Columns implements Node: the input's, then the function's.
func (n *Unnest) Columns() []expr.Column {
	in := n.Input.Columns()
	return append(in[:len(in):len(in)], n.Cols...)
}

// Columns implements Node: the input's, then the calls'.
func (n *Window) Columns() []expr.Column {
	in := n.Input.Columns()
	return append(in[:len(in):len(in)], n.Cols...)
}

// Columns implements Node.
func (n *Write) Columns() []expr.Column { return n.Cols }

// Children implements Node.
func (n *Scan) Children() []Node { return nil }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Join) Children() []Node { return []Node{n.LeftInput, n.RightInput} }

// Children implements Node.
func (n *Apply) Children() []Node { return []Node{n.LeftInput, n.RightInput} }

// Children implements Node.
func (n *Aggregate) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Distinct) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *SetOp) Children() []Node { return n.Inputs }

// Children implements Node.
func (n *Values) Children() []Node { return nil }

// Children implements Node: the shared plan is not a child; see CTE.
func (n *CTERef) Children() []Node { return nil }

// Children implements Node.
func (n *Unnest) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Window) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Write) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Scan) WithChildren([]Node) Node { return n }

// WithChildren implements Node.
func (n *Filter) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Project) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Join) WithChildren(c []Node) Node {
	m := *n
	m.LeftInput, m.RightInput = c[0], c[1]
	return &m
}

// WithChildren implements Node.
func (n *Apply) WithChildren(c []Node) Node {
	m := *n
	m.LeftInput, m.RightInput = c[0], c[1]
	return &m
}

// WithChildren implements Node.
func (n *Aggregate) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Distinct) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Sort) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Limit) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *SetOp) WithChildren(c []Node) Node { m := *n; m.Inputs = c; return &m }

// WithChildren implements Node.
func (n *Values) WithChildren([]Node) Node { return n }

// WithChildren implements Node.
func (n *CTERef) WithChildren([]Node) Node { return n }

// WithChildren implements Node.
func (n *Unnest) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Window) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }

// WithChildren implements Node.
func (n *Write) WithChildren(c []Node) Node { m := *n; m.Input = c[0]; return &m }
