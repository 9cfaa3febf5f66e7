package refeval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// window computes every call for every row from the rows of its partition, asking of each whether it is in the frame.
func window(n *logical.Window, e *env) []Row {
	in := n.Input.Columns()
	rows := sortRows(eval(n.Input, e), in, n.Order, e)
	parts := map[string][]int{}
	var order []string
	for i, r := range rows {
		inner := e.with(in, r)
		var k Row
		for _, x := range n.Partition {
			k = append(k, scalar(x, inner))
		}
		text := key(k)
		if _, ok := parts[text]; !ok {
			order = append(order, text)
		}
		parts[text] = append(parts[text], i)
	}
	var out []Row
	for _, text := range order {
		p := &partition{n: n}
		for _, i := range parts[text] {
			inner := e.with(in, rows[i])
			p.rows = append(p.rows, inner)
			var keys Row
			for _, k := range n.Order {
				keys = append(keys, scalar(k.Expr, inner))
			}
			p.keys = append(p.keys, keys)
		}
		if pairs += len(p.rows) * len(p.rows); pairs > maxPairs {
			panic(ErrTooSlow)
		}
		for k, i := range parts[text] {
			row := append(Row{}, rows[i]...)
			for _, w := range n.Funcs {
				row = append(row, p.value(w, k))
			}
			out = append(out, row)
		}
	}
	return out
}

// partition is the rows of a partition in order, and their sort keys.
type partition struct {
	n    *logical.Window
	rows []*env
	keys []Row
	runs map[int]runs // by number of keys
}

// runs are the first and the last row of the peers of each row: rows that the first so many keys do not tell apart.
type runs struct{ first, last []int }

// peers are those by the call's own keys; found once, as frames ask for them for every pair of rows.
func (p *partition) peers(w *expr.Window) runs {
	if r, ok := p.runs[w.Peers]; ok {
		return r
	}
	r := runs{make([]int, len(p.rows)), make([]int, len(p.rows))}
	start := 0
	for i := range p.rows {
		if key(p.keys[i][:w.Peers]) != key(p.keys[start][:w.Peers]) {
			start = i
		}
		r.first[i] = start
		for j := start; j <= i; j++ {
			r.last[j] = i
		}
	}
	if p.runs == nil {
		p.runs = map[int]runs{}
	}
	p.runs[w.Peers] = r
	return r
}

func (p *partition) firstPeer(w *expr.Window, i int) int { return p.peers(w).first[i] }

func (p *partition) lastPeer(w *expr.Window, i int) int { return p.peers(w).last[i] }

func (p *partition) value(w *expr.Window, i int) vector.Value {
	integer := func(n int) vector.Value {
		return vector.Value{Type: sqltype.T(sqltype.BigInt), I: int128.FromInt64(int64(n))}
	}
	switch w.Fn.Kind {
	case function.RowNumber:
		return integer(i + 1)
	case function.Rank:
		return integer(p.firstPeer(w, i) + 1)
	case function.DenseRank:
		n := 1
		for j := range i {
			if p.lastPeer(w, j) == j {
				n++
			}
		}
		return integer(n)
	case function.PercentRank:
		if len(p.rows) == 1 {
			return vector.FloatValue(0)
		}
		return vector.FloatValue(float64(p.firstPeer(w, i)) / float64(len(p.rows)-1))
	case function.CumeDist:
		return vector.FloatValue(float64(p.lastPeer(w, i)+1) / float64(len(p.rows)))
	case function.Ntile:
		buckets := int(scalar(w.Args[0], p.rows[i]).Int64())
		sizes := make([]int, buckets)
		for j := range p.rows {
			sizes[j%buckets]++
		}
		for b := 0; ; b++ {
			if i < sizes[b] {
				return integer(b + 1)
			}
			i -= sizes[b]
		}
	case function.Lag, function.Lead:
		return p.shifted(w, i)
	}
	var frame []*env
	for j := range p.rows {
		if p.inFrame(w, i, j) {
			frame = append(frame, p.rows[j])
		}
	}
	if w.Fn.Kind == function.WindowAggregate {
		return aggregateOf(&expr.Aggregate{Fn: w.Fn.Aggregate, Args: w.Args, Distinct: w.Distinct, Filter: w.Filter}, frame)
	}
	return p.frameValue(w, i, frame)
}

func (p *partition) shifted(w *expr.Window, i int) vector.Value {
	by, step := 1, -1
	if w.Fn.Kind == function.Lead {
		step = 1
	}
	if len(w.Args) > 1 {
		by = int(scalar(w.Args[1], p.rows[i]).Int64())
	}
	j := i
	for left := by; left > 0; {
		if j += step; j < 0 || j >= len(p.rows) {
			break
		}
		if !w.IgnoreNulls || !scalar(w.Args[0], p.rows[j]).Null {
			left--
		}
	}
	switch {
	case j >= 0 && j < len(p.rows):
		return scalar(w.Args[0], p.rows[j])
	case len(w.Args) == 3:
		return scalar(w.Args[2], p.rows[i])
	}
	return vector.NullOf(w.Type())
}

func (p *partition) frameValue(w *expr.Window, i int, frame []*env) vector.Value {
	var vals []vector.Value
	for _, r := range frame {
		if v := scalar(w.Args[0], r); !v.Null || !w.IgnoreNulls {
			vals = append(vals, v)
		}
	}
	at := 0
	switch w.Fn.Kind {
	case function.LastValue:
		at = len(vals) - 1
	case function.NthValue:
		at = int(scalar(w.Args[1], p.rows[i]).Int64()) - 1
	}
	if at < 0 || at >= len(vals) {
		return vector.NullOf(w.Type())
	}
	return vals[at]
}

// inFrame reports whether row j is in the frame of row i.
func (p *partition) inFrame(w *expr.Window, i, j int) bool {
	return !p.outside(w, &w.Frame.Start, i, j, false) && !p.outside(w, &w.Frame.End, i, j, true)
}

// outside: row j is before the start (or behind the end) of the frame of row i.
func (p *partition) outside(w *expr.Window, b *expr.Bound, i, j int, end bool) bool {
	at := i
	switch {
	case b.Kind == expr.UnboundedPreceding, b.Kind == expr.UnboundedFollowing:
		return false
	case w.Frame.Rows && b.Kind == expr.Preceding:
		at = i - int(b.Rows)
	case w.Frame.Rows && b.Kind == expr.Following:
		at = i + int(b.Rows)
	case w.Frame.Rows:
	case b.Kind == expr.CurrentRow && end:
		at = p.lastPeer(w, i)
	case b.Kind == expr.CurrentRow:
		at = p.firstPeer(w, i)
	default:
		return p.beyondValue(w, b, i, j, end)
	}
	if end {
		return j > at
	}
	return j < at
}

// beyondValue: NULL keys have the other NULLs for a bound.
func (p *partition) beyondValue(w *expr.Window, b *expr.Bound, i, j int, end bool) bool {
	mine, other := scalar(w.Frame.Key, p.rows[i]), scalar(w.Frame.Key, p.rows[j])
	bound := scalar(b.Value, p.rows[i])
	if mine.Null || other.Null {
		if mine.Null == other.Null {
			return false
		}
		return (j > i) == end
	}
	if bound.Null {
		fail("a frame bound out of range")
	}
	c := other.Compare(bound)
	if w.Frame.Desc {
		c = -c
	}
	if end {
		return c > 0
	}
	return c < 0
}
