package eval

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// Predicate is a conjunction compiled for filtering: each conjunct looks only at the rows
// that passed the ones before it. One goroutine uses it.
type Predicate struct {
	f     frame
	conds []selector
	mem   [2][]int32
	from  *Selections // whose memory mem is
}

// selector keeps the rows of sel (nil: all) for which its condition is true. The result
// is ascending, in dst's memory, which has room for all rows and is never sel's.
type selector interface {
	rows(f *frame, sel, dst []int32) ([]int32, error)
}

// CompilePredicate prepares the conjunction of conds.
func CompilePredicate(conds []expr.Expr, fc *function.Context) (*Predicate, error) {
	p, err := newCompiler(fc, conds...).predicate(conds)
	if err != nil {
		return nil, err
	}
	p.f.fc = fc
	return p, nil
}

// Borrow makes the predicate select rows in memory of s, which must outlive what it selects.
func (p *Predicate) Borrow(s *Selections) { p.from = s }

func (c *compiler) predicate(conds []expr.Expr) (*Predicate, error) {
	p := &Predicate{}
	var flat []expr.Expr
	for _, e := range conds {
		flat = expr.Conjuncts(flat, e)
	}
	for _, e := range flat {
		s, err := c.selector(e)
		if err != nil {
			return nil, err
		}
		p.conds = append(p.conds, s)
	}
	return p, nil
}

// Select returns the rows of sel (nil: all n) for which every conjunct is true,
// ascending, in memory that is valid until the next Select.
func (p *Predicate) Select(cols []*vector.Vector, n int, sel []int32) ([]int32, error) {
	p.f.cols, p.f.n, p.f.sel = cols, n, sel
	p.f.gen++
	return p.selectRows(&p.f, sel)
}

func (p *Predicate) selectRows(f *frame, sel []int32) ([]int32, error) {
	for i := range p.mem[:min(max(len(p.conds), 1), len(p.mem))] {
		if cap(p.mem[i]) < f.n {
			p.mem[i] = p.from.take(f.n)
		}
	}
	if len(p.conds) == 0 {
		return allRows(sel, f.n, &p.mem[0]), nil
	}
	all := sel == nil
	var out []int32
	for i, c := range p.conds {
		var err error
		if out, err = c.rows(f, sel, p.mem[i&1][:0]); err != nil {
			return nil, err
		}
		if len(out) == 0 {
			return p.mem[i&1][:0], nil // no rows; a nil selection would be all
		}
		if !all || len(out) < f.n { // else the next one has the faster loops over all rows
			sel, all = out, false
		}
	}
	return out, nil
}

func (c *compiler) selector(e expr.Expr) (selector, error) {
	call, ok := e.(*expr.Call)
	if !ok {
		n, err := c.compile(e)
		return &truthSelector{n}, err
	}
	if call.Fn.Name == "or" {
		s := &orSelector{}
		for _, a := range call.Args {
			p, err := c.predicate([]expr.Expr{a})
			if err != nil {
				return nil, err
			}
			s.any = append(s.any, p)
		}
		return s, nil
	}
	if call.Fn.NewSelector == nil || expr.IsVolatile(call) {
		n, err := c.compile(e)
		return &truthSelector{n}, err
	}
	n := &callNode{fn: call.Fn}
	consts := constsOf(call.Args)
	var err error
	if n.kernel, err = call.Fn.New(consts); err != nil {
		return nil, err
	}
	s := &callSelector{callNode: n}
	if s.sel, err = call.Fn.NewSelector(consts); err != nil {
		return nil, err
	}
	if n.args, err = c.compileList(call.Args); err != nil {
		return nil, err
	}
	n.init()
	return s, nil
}

// callSelector is a predicate with a filter form.
type callSelector struct {
	*callNode
	sel function.Selector
}

func (s *callSelector) rows(f *frame, sel, dst []int32) ([]int32, error) {
	forms, err := s.evalArgs(f, sel)
	if err != nil {
		return nil, err
	}
	if forms.constant {
		v, err := s.evalConstant(f)
		if err != nil {
			return nil, err
		}
		return selectTrue(v, f.n, sel, dst), nil
	}
	if forms.oneDict && s.onDictionary(s.vals[forms.at], f.n, sel) {
		d, err := s.forDict(f, forms.at)
		if err != nil {
			return nil, err
		}
		return selectCodes(s.vals[forms.at], d.passes(), sel, dst), nil
	}
	if forms.hasDict {
		s.flatten(sel)
	}
	return s.sel(f.fc, s.vals, f.n, sel, dst)
}

// passes are the entries for which a BOOLEAN result is true.
func (d *dictResult) passes() []bool {
	if d.pass == nil {
		vals := vector.Values[bool](d.v)
		d.pass = make([]bool, len(vals))
		for i, x := range vals {
			d.pass[i] = x && d.v.Valid.Get(i)
		}
	}
	return d.pass
}

// selectCodes keeps the rows whose code passes and which are not NULL.
func selectCodes(v *vector.Vector, pass []bool, sel, dst []int32) []int32 {
	codes := v.Codes
	if sel == nil {
		dst = dst[:len(codes)]
		k := 0
		for i, c := range codes {
			dst[k] = int32(i)
			if pass[c] {
				k++
			}
		}
		dst = dst[:k]
	} else {
		dst = dst[:len(sel)]
		k := 0
		for _, i := range sel {
			dst[k] = i
			if pass[codes[i]] {
				k++
			}
		}
		dst = dst[:k]
	}
	if v.Valid == nil {
		return dst
	}
	k := 0
	for _, i := range dst {
		dst[k] = i
		if v.Valid.Get(int(i)) {
			k++
		}
	}
	return dst[:k]
}

// truthSelector keeps the rows where a BOOLEAN value is true.
type truthSelector struct{ n node }

func (s *truthSelector) rows(f *frame, sel, dst []int32) ([]int32, error) {
	v, err := s.n.eval(f, sel)
	if err != nil {
		return nil, err
	}
	return selectTrue(v, f.n, sel, dst), nil
}

func selectTrue(v *vector.Vector, n int, sel, dst []int32) []int32 {
	if v.Form == vector.Constant {
		if v.Type.Kind == sqltype.Null || v.IsNull(0) || !vector.Values[bool](v)[0] {
			return dst[:0]
		}
		if sel != nil {
			return append(dst[:0], sel...)
		}
		return allRows(nil, n, &dst)
	}
	if v.Form == vector.Dictionary {
		return selectCodes(v, vector.Values[bool](v.Dict), sel, dst)
	}
	vals := vector.Values[bool](v)
	dst = dst[:0]
	if sel == nil {
		for i, x := range vals {
			if x && v.Valid.Get(i) {
				dst = append(dst, int32(i))
			}
		}
		return dst
	}
	for _, i := range sel {
		if vals[i] && v.Valid.Get(int(i)) {
			dst = append(dst, i)
		}
	}
	return dst
}

// orSelector keeps rows for which any condition is true; each looks at the rows that no
// earlier one took.
type orSelector struct {
	any  []*Predicate
	left [2][]int32
	hits [2][]int32
}

func (s *orSelector) rows(f *frame, sel, dst []int32) ([]int32, error) {
	left := allRows(sel, f.n, &s.left[0])
	all := s.hits[0][:0]
	for i, p := range s.any {
		hit, err := p.selectRows(f, left)
		if err != nil {
			return nil, err
		}
		if len(hit) == 0 {
			continue
		}
		all = mergeRows(s.hits[1][:0], all, hit)
		s.hits[0], s.hits[1] = all, s.hits[0]
		left = without(left, hit, &s.left[1-i&1])
		if len(left) == 0 {
			break
		}
	}
	return append(dst[:0], all...), nil
}

// mergeRows merges two ascending disjoint lists into dst.
func mergeRows(dst, a, b []int32) []int32 {
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			dst = append(dst, a[0])
			a = a[1:]
		} else {
			dst = append(dst, b[0])
			b = b[1:]
		}
	}
	return append(append(dst, a...), b...)
}
