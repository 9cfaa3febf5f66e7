package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// lambda is a compiled lambda: its body runs over batches of elements, whose columns are the parameters and the captured
// values of each element's row.
type lambda struct {
	params   int
	captured []node
	body     node
	f        frame // of the elements

	values   []*vector.Vector // of captured, of the rows around
	gathered []vector.Vector  // memory of captured values per element
	parents  []int32          // the row of each element of the batch
}

func (c *compiler) lambda(e *expr.Lambda) (*lambda, error) {
	l := &lambda{params: len(e.Params), gathered: make([]vector.Vector, len(e.Captured)), values: make([]*vector.Vector, len(e.Captured))}
	l.f = frame{fc: c.fc, cols: make([]*vector.Vector, len(e.Params)+len(e.Captured))}
	var err error
	if l.captured, err = c.compileList(e.Captured); err != nil {
		return nil, err
	}
	l.body, err = newCompiler(c.fc, e.Body).compile(e.Body)
	return l, err
}

// capture computes the captured values for the rows of sel.
func (l *lambda) capture(f *frame, sel []int32) (err error) {
	for i, n := range l.captured {
		if l.values[i], err = n.eval(f, sel); err != nil {
			return err
		}
	}
	return nil
}

// run computes the body over a batch of elements of rows l.parents; params are their flat vectors.
func (l *lambda) run(params []*vector.Vector) (*vector.Vector, error) {
	copy(l.f.cols, params)
	for i, v := range l.values {
		l.f.cols[l.params+i] = v.Gather(l.parents, &l.gathered[i])
	}
	l.f.n = len(l.parents)
	l.f.gen++
	return l.body.eval(&l.f, nil)
}

// lambdaNode is a higher-order call: the lambda's results for all elements are one ARRAY vector, on which
// the function's kernel works.
type lambdaNode struct {
	callNode // its arguments are those without the lambda
	lambda   *lambda
	mapped   vector.Vector // ARRAY of the body's results, or of the sorted elements, by row
	all      bool          // the mapped array is the result
	sorts    bool
	volatile bool
}

func (c *compiler) lambdaNode(e *expr.Call, l *expr.Lambda) (node, error) {
	n := &lambdaNode{all: e.Fn.New == nil, sorts: e.Fn.Lambda == function.CompareElements, volatile: expr.IsVolatile(e)}
	n.fn = e.Fn
	if n.mapped.Type = e.Fn.Result; !n.sorts && !n.all {
		n.mapped.Type = sqltype.ArrayOf(e.Fn.Params[0])
	}
	var err error
	if n.lambda, err = c.lambda(l); err != nil {
		return nil, err
	}
	if n.args, err = c.compileList(e.Args[1:]); err != nil {
		return nil, err
	}
	if !n.all {
		if n.kernel, err = e.Fn.New(constsOf(e.Args)); err != nil {
			return nil, err
		}
	}
	n.init()
	return n, nil
}

func (n *lambdaNode) eval(f *frame, sel []int32) (*vector.Vector, error) {
	forms, err := n.evalArgs(f, sel)
	if err != nil {
		return nil, err
	}
	if err := n.lambda.capture(f, sel); err != nil {
		return nil, err
	}
	constant := forms.constant && !n.volatile
	for _, v := range n.lambda.values {
		constant = constant && v.Form == vector.Constant
	}
	rows := f.n
	if constant { // once for all rows
		n.resizeConstants(1)
		rows, sel = 1, nil
	}
	n.flatten(sel)
	var out *vector.Vector
	switch {
	case n.sorts:
		out, err = n.sorted(rows, sel)
	default:
		out, err = n.apply(f, rows, sel)
	}
	if err == nil && constant {
		out.Form, out.Len = vector.Constant, f.n
	}
	return out, err
}

// apply runs the lambda over all elements, then the kernel.
func (n *lambdaNode) apply(f *frame, rows int, sel []int32) (*vector.Vector, error) {
	present := n.present(rows, sel)
	params, offsets, err := n.unpack(present)
	if err != nil {
		return nil, err
	}
	result := vector.New(n.fn.Params[0], 0)
	total := int(offsets[len(offsets)-1])
	views := make([]*vector.Vector, len(params))
	k := 0 // the row of the next element
	for lo := 0; lo < total; lo += vector.BatchRows {
		hi := min(lo+vector.BatchRows, total)
		n.lambda.parents = n.lambda.parents[:0]
		for at := lo; at < hi; at++ {
			for at >= int(offsets[k+1]) {
				k++
			}
			n.lambda.parents = append(n.lambda.parents, present[k])
		}
		for i, p := range params {
			views[i] = p.Slice(lo, hi)
		}
		v, err := n.lambda.run(views)
		if err != nil {
			return nil, err
		}
		result.AppendFrom(v, nil)
	}
	n.pack(&n.mapped, rows, present, result, offsets)
	if n.all {
		return &n.mapped, nil
	}
	vals := append([]*vector.Vector{&n.mapped}, n.vals...)
	return n.run(f, vals, rows, sel)
}

// present lists the rows of sel in which no argument is NULL.
func (n *lambdaNode) present(rows int, sel []int32) []int32 {
	present := make([]int32, 0, rows)
	add := func(i int32) {
		for _, v := range n.vals {
			if v.IsNull(int(i)) {
				return
			}
		}
		present = append(present, i)
	}
	if sel != nil {
		for _, i := range sel {
			add(i)
		}
		return present
	}
	for i := range rows {
		add(int32(i))
	}
	return present
}

// unpack gives the elements of all arguments, one flat vector a parameter.
func (n *lambdaNode) unpack(present []int32) (params []*vector.Vector, offsets []int32, err error) {
	for _, v := range n.vals {
		for part := range v.Type.Nested.Elems {
			elems, ends := vector.Unpack(v, present, part)
			for k := range offsets {
				if ends[k] != offsets[k] {
					return nil, nil, sqlerr.New(sqlerr.WrongArguments, "The arrays of %s have different lengths in a row", n.fn.Name)
				}
			}
			params, offsets = append(params, elems), ends
		}
	}
	return params, offsets, nil
}

// pack makes out the arrays of the present rows; the others are NULL.
func (n *lambdaNode) pack(out *vector.Vector, rows int, present []int32, elems *vector.Vector, offsets []int32) {
	out.Reset(rows)
	if len(present) < rows {
		valid := out.MutableValid()
		clear(valid)
		for _, i := range present {
			valid.Set(int(i))
		}
	}
	var b []byte
	for k, i := range present {
		b = vector.AppendElements(b[:0], elems, int(offsets[k]), int(offsets[k+1]))
		out.SetBytes(int(i), b)
	}
}

// sorted merges runs of doubling length, all arrays side by side, so that a batch of the lambda has one
// comparison of every merge that is under way.
func (n *lambdaNode) sorted(rows int, sel []int32) (*vector.Vector, error) {
	present := n.present(rows, sel)
	params, offsets, err := n.unpack(present)
	if err != nil {
		return nil, err
	}
	elems := params[0]
	order, next := make([]int32, elems.Len), make([]int32, elems.Len)
	longest := 0
	for i := range order {
		order[i] = int32(i)
	}
	for k := range present {
		longest = max(longest, int(offsets[k+1]-offsets[k]))
	}
	for width := 1; width < longest; width *= 2 {
		var merges []merge
		for k, row := range present {
			for lo := int(offsets[k]); lo < int(offsets[k+1]); lo += 2 * width {
				mid, hi := min(lo+width, int(offsets[k+1])), min(lo+2*width, int(offsets[k+1]))
				merges = append(merges, merge{row: row, a: lo, b: mid, mid: mid, hi: hi, out: lo})
			}
		}
		for len(merges) > 0 {
			if merges, err = n.step(merges, elems, order, next); err != nil {
				return nil, err
			}
		}
		order, next = next, order
	}
	n.pack(&n.mapped, rows, present, elems.Gather(order, &vector.Vector{}), offsets)
	return &n.mapped, nil
}

// merge is the merging of two neighbouring runs of the order, [a, mid) and [b, hi), of one row's elements.
type merge struct {
	row           int32
	a, b, mid, hi int
	out           int
}

// step moves each merge on by one comparison and returns those that are not at their end.
func (n *lambdaNode) step(merges []merge, elems *vector.Vector, order, next []int32) ([]merge, error) {
	open := merges[:0]
	for _, m := range merges {
		if m.a < m.mid && m.b < m.hi {
			open = append(open, m)
			continue
		}
		copy(next[m.out+copy(next[m.out:], order[m.a:m.mid]):], order[m.b:m.hi])
	}
	var left, right vector.Vector
	for lo := 0; lo < len(open); lo += vector.BatchRows {
		batch := open[lo:min(lo+vector.BatchRows, len(open))]
		l, r := make([]int32, len(batch)), make([]int32, len(batch))
		n.lambda.parents = n.lambda.parents[:0]
		for i, m := range batch {
			l[i], r[i] = order[m.a], order[m.b]
			n.lambda.parents = append(n.lambda.parents, m.row)
		}
		v, err := n.lambda.run([]*vector.Vector{elems.Gather(l, &left), elems.Gather(r, &right)})
		if err != nil {
			return nil, err
		}
		for i := range batch {
			m := &batch[i]
			if !v.IsNull(i) && v.Value(i).Int64() > 0 {
				next[m.out] = r[i]
				m.b++
			} else {
				next[m.out] = l[i]
				m.a++
			}
			m.out++
		}
	}
	return open, nil
}
