package expr

import (
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// Window is a call with OVER. It occurs in what the binder is still working on, then only in logical.Window and
// physical.Window.
type Window struct {
	Fn          *function.Window
	Args        []Expr // of exactly Fn.Params types
	IgnoreNulls bool
	Distinct    bool // of an aggregate
	Filter      Expr // of an aggregate, FILTER (WHERE …), nil: none
	Frame       Frame
	// Partition and Order stand here until the call moves into a node, which has them from then on.
	Partition []Expr
	Order     []SortKey
	// Peers is how many keys of the node's order are the call's own: rows that are equal in them are peers.
	Peers int
}

// BoundKind is an end of a frame.
type BoundKind uint8

// Bound kinds, in the order of a partition's rows.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a frame.
type Bound struct {
	Kind BoundKind
	Rows int64 // ROWS: how many rows away
	// Value, of RANGE, is the key at which the frame of a row ends, computed of the row's own. NULL where that is out
	// of the type's range.
	Value Expr
	Text  string // the offset as it was written
}

// Frame is the part of a partition that a call is computed over, for each row. The zero Frame ends at the first row;
// WholeFrame is the whole partition.
type Frame struct {
	Rows       bool // ROWS: positions; else RANGE: peers and values
	Start, End Bound
	Key        Expr // of RANGE with offsets: the sort key, of the type of the bounds' values
	Desc       bool // Key falls
}

// WholeFrame is every row of the partition.
func WholeFrame() Frame {
	return Frame{Rows: true, End: Bound{Kind: UnboundedFollowing}}
}

// IsWhole reports a frame of every row of the partition.
func (f *Frame) IsWhole() bool {
	return f.Start.Kind == UnboundedPreceding && f.End.Kind == UnboundedFollowing
}

func (*Window) isExpr() {}

// Type implements Expr.
func (e *Window) Type() sqltype.Type { return e.Fn.Result }

// Nullable implements Expr: what counts or ranks gives a number always.
func (e *Window) Nullable() bool { return e.Fn.Nullable }

// children are the operands in the order that withChildren takes.
func (e *Window) children() []Expr {
	out := append([]Expr(nil), e.Args...)
	for _, x := range []Expr{e.Filter, e.Frame.Key, e.Frame.Start.Value, e.Frame.End.Value} {
		if x != nil {
			out = append(out, x)
		}
	}
	out = append(out, e.Partition...)
	for _, k := range e.Order {
		out = append(out, k.Expr)
	}
	return out
}

func (e *Window) withChildren(c []Expr) *Window {
	w := *e
	take := func(n int) []Expr {
		out := c[:n:n]
		c = c[n:]
		return out
	}
	w.Args = take(len(e.Args))
	for _, x := range []*Expr{&w.Filter, &w.Frame.Key, &w.Frame.Start.Value, &w.Frame.End.Value} {
		if *x != nil {
			*x = take(1)[0]
		}
	}
	if len(e.Partition) > 0 {
		w.Partition = take(len(e.Partition))
	}
	if len(e.Order) > 0 {
		w.Order = make([]SortKey, len(e.Order))
		for i, k := range e.Order {
			k.Expr = c[i]
			w.Order[i] = k
		}
	}
	return &w
}

func equalWindow(x, y *Window) bool {
	return x.Fn.Name == y.Fn.Name && x.Fn.Result.Equal(y.Fn.Result) && x.IgnoreNulls == y.IgnoreNulls && x.Distinct == y.Distinct &&
		x.Peers == y.Peers && equalAll(x.Args, y.Args) && Equal(x.Filter, y.Filter) && equalFrame(&x.Frame, &y.Frame) &&
		equalAll(x.Partition, y.Partition) && SameKeys(x.Order, y.Order)
}

func equalFrame(x, y *Frame) bool {
	return x.Rows == y.Rows && x.Desc == y.Desc && Equal(x.Key, y.Key) && equalBound(&x.Start, &y.Start) && equalBound(&x.End, &y.End)
}

func equalBound(x, y *Bound) bool {
	return x.Kind == y.Kind && x.Rows == y.Rows && Equal(x.Value, y.Value)
}

// SameKeys reports whether two orders are the same.
func SameKeys(x, y []SortKey) bool {
	if len(x) != len(y) {
		return false
	}
	for i, k := range x {
		l := y[i]
		if k.Desc != l.Desc || k.NullsFirst != l.NullsFirst || !Equal(k.Expr, l.Expr) {
			return false
		}
	}
	return true
}

// HasWindow reports whether a call with OVER occurs in e.
func HasWindow(e Expr) bool { return FirstWindow(e) != nil }

// FirstWindow is a call with OVER in e, nil when there is none.
func FirstWindow(e Expr) *Window {
	var found *Window
	Walk(e, func(e Expr) bool {
		if w, ok := e.(*Window); ok && found == nil {
			found = w
		}
		return found == nil
	})
	return found
}

// CallString is the call without OVER, as EXPLAIN shows it.
func (e *Window) CallString(ids bool) string {
	p := printer{ids: ids}
	p.windowCall(e)
	return p.b.String()
}

// String is the frame as SQL has it.
func (f *Frame) String() string {
	unit := "RANGE"
	if f.Rows {
		unit = "ROWS"
	}
	return unit + " BETWEEN " + f.Start.String() + " AND " + f.End.String()
}

// String is the bound as SQL has it.
func (b *Bound) String() string {
	switch b.Kind {
	case UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case Preceding:
		return b.Text + " PRECEDING"
	case CurrentRow:
		return "CURRENT ROW"
	case Following:
		return b.Text + " FOLLOWING"
	}
	return "UNBOUNDED FOLLOWING"
}

func (p *printer) windowCall(e *Window) {
	p.b.WriteString(e.Fn.Name + "(")
	if e.Distinct {
		p.b.WriteString("distinct ")
	}
	if len(e.Args) == 0 && e.Fn.Name == "count" {
		p.b.WriteString("*")
	}
	for i, a := range e.Args {
		if i > 0 {
			p.b.WriteString(", ")
		}
		p.expr(a, 0)
	}
	if e.IgnoreNulls {
		p.b.WriteString(" ignore nulls")
	}
	p.b.WriteByte(')')
	if e.Filter != nil {
		p.b.WriteString(" filter (where ")
		p.expr(e.Filter, 0)
		p.b.WriteByte(')')
	}
}

func (p *printer) window(e *Window) {
	p.windowCall(e)
	p.b.WriteString(" over (")
	sep := ""
	if len(e.Partition) > 0 {
		p.b.WriteString("partition by ")
		for i, x := range e.Partition {
			if i > 0 {
				p.b.WriteString(", ")
			}
			p.expr(x, 0)
		}
		sep = " "
	}
	if len(e.Order) > 0 {
		p.b.WriteString(sep + "order by ")
		p.keys(e.Order)
		sep = " "
	}
	if e.Fn.Kind.UsesFrame() && !e.Frame.IsWhole() {
		p.b.WriteString(sep + strings.ToLower(e.Frame.String()))
	}
	p.b.WriteByte(')')
}
