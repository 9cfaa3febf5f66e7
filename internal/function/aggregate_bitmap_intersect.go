package function

import (
	"slices"

	"github.com/basaltdb/basalt/internal/bitmap"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// resolveIntersect is intersect_count(b, c, v1, v2, …) and its orthogonal kin: the bitmaps of the rows where c is a value
// are united value by value, and the unions intersected. Doris computes the orthogonal ones instance by instance, which is
// right for data that is divided by ranges of ids only; here they are exact whatever the data is.
func resolveIntersect(name string, args []Arg) (*Aggregate, error) {
	if len(args) < 3 || !castable(args[0].Type, tBitmap) {
		return nil, wrongArguments(name, args)
	}
	key := notNull(args[1].Type)
	if key.Kind >= sqltype.Array {
		return nil, wrongArguments(name, args)
	}
	params := types(tBitmap, key)
	for _, a := range args[2:] {
		if !castable(a.Type, key) {
			return nil, wrongArguments(name, args)
		}
		if a.Const == nil {
			return nil, sqlerr.New(sqlerr.WrongArguments, "%s: the values of the filter column must be constants", name)
		}
		params = append(params, key)
	}
	result := tBigInt
	if name == "orthogonal_bitmap_intersect" {
		result = tBitmap
	}
	return &Aggregate{Params: params, Result: result, IgnoresDistinct: true, NewAccumulator: func(_ *Context, consts []*vector.Value) (Accumulator, error) {
		k := &keyedBitmaps{numbers: map[string]int{}}
		for i := 2; i < len(params); i++ {
			c := consts[i]
			if c == nil {
				return nil, sqlerr.New(sqlerr.WrongArguments, "%s: the values of the filter column must be constants", name)
			}
			number := -1 // NULL: nothing equals it
			if !c.Null {
				number = k.number(rowKey(vector.NewConstant(*c, 1), 0))
			}
			k.program = append(k.program, step{set: number})
			if i > 2 {
				k.program = append(k.program, step{op: '&'})
			}
		}
		return k, nil
	}}, nil
}

// resolveBitmapExpr is orthogonal_bitmap_expr_calculate(b, c, 'x&(y|z)') and its _count: names stand for the unions of the
// bitmaps of the rows where c is that text.
func resolveBitmapExpr(name string, args []Arg) (*Aggregate, error) {
	if len(args) != 3 || !castable(args[0].Type, tBitmap) || !castable(args[1].Type, tString) {
		return nil, wrongArguments(name, args)
	}
	if args[2].Const == nil || args[2].Const.Null || !isText(args[2].Type) {
		return nil, sqlerr.New(sqlerr.WrongArguments, "%s: the expression must be a constant text", name)
	}
	if _, _, err := parseBitmapExpr(args[2].Const.S); err != nil {
		return nil, err
	}
	result := tBigInt
	if name == "orthogonal_bitmap_expr_calculate" {
		result = tBitmap
	}
	return &Aggregate{Params: types(tBitmap, tString, tString), Result: result, IgnoresDistinct: true,
		NewAccumulator: func(_ *Context, consts []*vector.Value) (Accumulator, error) {
			if consts[2] == nil || consts[2].Null {
				return nil, sqlerr.New(sqlerr.WrongArguments, "%s: the expression must be a constant text", name)
			}
			program, names, err := parseBitmapExpr(consts[2].S)
			k := &keyedBitmaps{numbers: map[string]int{}, program: program}
			for _, n := range names {
				k.number(n)
			}
			return k, err
		}}, nil
}

// rowKey is what rows of equal values have in common: row i of a flat or constant vector, not null.
func rowKey(v *vector.Vector, i int) string {
	w := v.Type.Physical().Size()
	if v.Type.Physical() == sqltype.PhysString {
		return string(textOf(v).at(i))
	}
	i &= formMask(v)
	return string(v.Data[i*w : (i+1)*w])
}

// step is one of a program in postfix order: push the union of a value's bitmaps, or combine the two on top.
type step struct {
	op  byte // 0: push
	set int  // of the value, -1: nothing
}

// keyedBitmaps is one set a group and value of the filter column, and what is made of them in the end.
type keyedBitmaps struct {
	numbers map[string]int // of the values
	program []step
	inner   bitmapSets // state of group g and value k: g*values+k
	algebra bitmap.Algebra
}

// number is that of a value, a new one if it is new.
func (k *keyedBitmaps) number(key string) int {
	n, ok := k.numbers[key]
	if !ok {
		n = len(k.numbers)
		k.numbers[key] = n
	}
	return n
}

// Grow implements Accumulator.
func (k *keyedBitmaps) Grow(n int) { k.inner.Grow(n * len(k.numbers)) }

// Update implements Accumulator.
func (k *keyedBitmaps) Update(groups []uint32, args []*vector.Vector, sel []int32) error {
	x, key := textOf(args[0]), args[1]
	w, isString := key.Type.Physical().Size(), key.Type.Physical() == sqltype.PhysString
	keys, mask := text{}, formMask(key)
	if isString {
		keys = textOf(key)
	}
	for j, g := range groups {
		i := row(sel, j)
		if isNullAt(args[0], i) || isNullAt(key, i) {
			continue
		}
		var b []byte
		if isString {
			b = keys.at(i)
		} else {
			b = key.Data[(i&mask)*w : (i&mask+1)*w]
		}
		if n, ok := k.numbers[string(b)]; ok {
			if err := k.inner.work.Or(&k.inner.sets[int(g)*len(k.numbers)+n], x.at(i), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Merge implements Accumulator.
func (k *keyedBitmaps) Merge(groups []uint32, other Accumulator, from int) error {
	o, values := other.(*keyedBitmaps), len(k.numbers)
	for j, g := range groups {
		for n := range values {
			k.inner.work.Merge(&k.inner.sets[int(g)*values+n], &o.inner.sets[(from+j)*values+n])
		}
	}
	return nil
}

// Finish implements Accumulator.
func (k *keyedBitmaps) Finish(lo int, out *vector.Vector) error {
	for i := range out.Len {
		b, err := k.result(lo + i)
		if err != nil {
			return err
		}
		if out.Type.Kind == sqltype.Bitmap {
			out.SetBytes(i, b)
			continue
		}
		if vector.Values[int64](out)[i], err = bitmap.Count(b); err != nil {
			return err
		}
	}
	return nil
}

// result runs the program for a group.
func (k *keyedBitmaps) result(g int) ([]byte, error) {
	var stack [][]byte
	for _, s := range k.program {
		var b []byte
		var err error
		if s.op == 0 {
			if s.set < 0 {
				b = bitmap.AppendEmpty(nil)
			} else {
				b, err = k.inner.work.AppendTo(nil, &k.inner.sets[g*len(k.numbers)+s.set])
			}
		} else {
			x, y := stack[len(stack)-2], stack[len(stack)-1]
			stack = stack[:len(stack)-2]
			switch s.op {
			case '&':
				b, err = k.algebra.And(nil, x, y)
			case '|':
				b, err = k.algebra.Or(nil, x, y)
			case '^':
				b, err = k.algebra.Xor(nil, x, y)
			default:
				b, err = k.algebra.AndNot(nil, x, y)
			}
		}
		if err != nil {
			return nil, err
		}
		stack = append(stack, b)
	}
	return stack[0], nil
}

// Bytes implements Accumulator.
func (k *keyedBitmaps) Bytes() int64 { return k.inner.Bytes() + 64*int64(len(k.program)) }

// Save implements Spillable.
func (k *keyedBitmaps) Save(groups []uint32, dst []byte) []byte {
	for _, g := range groups {
		for n := range len(k.numbers) {
			dst = k.inner.Save([]uint32{g*uint32(len(k.numbers)) + uint32(n)}, dst)
		}
	}
	return dst
}

// Load implements Spillable.
func (k *keyedBitmaps) Load(src []byte, n int) error { return k.inner.Load(src, n*len(k.numbers)) }

// parseBitmapExpr turns an expression of names, & | ^ - and parentheses into postfix order; all operators bind alike,
// from the left, and a backslash takes the next character into a name. names are those that the steps number.
func parseBitmapExpr(s string) (program []step, names []string, err error) {
	bad := func(what string) ([]step, []string, error) {
		return nil, nil, sqlerr.New(sqlerr.WrongArguments, "bitmap expression: %s: %s", what, s)
	}
	var ops []byte // operators and '(' that wait
	reduce := func() {
		for len(ops) > 0 && ops[len(ops)-1] != '(' {
			program, ops = append(program, step{op: ops[len(ops)-1]}), ops[:len(ops)-1]
		}
	}
	operand := true // one is expected
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n':
		case '(':
			if !operand {
				return bad("operator missing")
			}
			ops = append(ops, c)
		case ')':
			reduce()
			if operand || len(ops) == 0 {
				return bad("parenthesis out of place")
			}
			ops = ops[:len(ops)-1]
		case '&', '|', '^', '-':
			if operand {
				return bad("operand missing")
			}
			reduce()
			ops, operand = append(ops, c), true
		default:
			if !operand {
				return bad("operator missing")
			}
			var name []byte
			for ; i < len(s) && !slices.Contains([]byte(" \t\n()&|^-"), s[i]); i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				name = append(name, s[i])
			}
			i--
			n := slices.Index(names, string(name))
			if n < 0 {
				n, names = len(names), append(names, string(name))
			}
			program, operand = append(program, step{set: n}), false
		}
	}
	if reduce(); operand || len(ops) > 0 {
		return bad("unfinished")
	}
	return program, names, nil
}
