package bind

import (
	"math"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// folded is a window's name as it is looked up: without case.
func folded(name string) string { return strings.ToLower(name) }

// frame binds the frame of w, whose partition and order are bound. over is what the call says, spec the window that it
// means. Functions that look at the whole partition have the whole one.
func (b *binder) frame(s *scope, over, spec *ast.WindowSpec, w *expr.Window) (expr.Frame, error) {
	f := spec.Frame
	if f == nil {
		if len(w.Order) == 0 || !w.Fn.Kind.UsesFrame() {
			return expr.WholeFrame(), nil
		}
		return expr.Frame{End: expr.Bound{Kind: expr.CurrentRow}}, nil
	}
	fb := &frameBinder{binder: b, s: s, name: windowName(over), w: w}
	out, err := fb.bind(f)
	switch {
	case err != nil:
		return out, err
	case !w.Fn.Kind.UsesFrame(), out.IsWhole():
		return expr.WholeFrame(), nil
	case !out.Rows && len(w.Order) == 0: // all rows are peers
		return expr.WholeFrame(), nil
	}
	return out, nil
}

func windowName(w *ast.WindowSpec) string {
	if w.Ref != "" {
		return w.Ref
	}
	return "<unnamed window>"
}

// frameBinder binds one frame clause.
type frameBinder struct {
	*binder
	s    *scope
	name string
	w    *expr.Window
}

func (b *frameBinder) bind(f *ast.WindowFrame) (expr.Frame, error) {
	out := expr.Frame{Rows: f.Unit == "ROWS"}
	switch {
	case f.Unit == "GROUPS":
		return out, sqlerr.Unsupported("GROUPS").At(f.Position())
	case f.Start.Kind == ast.UnboundedFollowing:
		return out, sqlerr.New(frameStart, "Window '%s': frame start cannot be UNBOUNDED FOLLOWING", b.name).At(f.Position())
	case f.End.Kind == ast.UnboundedPreceding:
		return out, sqlerr.New(frameEnd, "Window '%s': frame end cannot be UNBOUNDED PRECEDING", b.name).At(f.Position())
	case f.Start.Kind > f.End.Kind:
		return out, b.illegal().At(f.Position())
	}
	var err error
	if out.Start, err = b.bound(f, &f.Start, out.Rows); err != nil {
		return out, err
	}
	if out.End, err = b.bound(f, &f.End, out.Rows); err != nil {
		return out, err
	}
	if out.Start.Value == nil && out.End.Value == nil {
		return out, nil
	}
	return out, at(b.rangeKey(&out), f)
}

func (b *frameBinder) illegal() *sqlerr.Error {
	return sqlerr.New(frameOffset, "Window '%s': frame start or end is negative, NULL or of non-integral type", b.name)
}

var boundKinds = map[ast.FrameBoundKind]expr.BoundKind{
	ast.UnboundedPreceding: expr.UnboundedPreceding, ast.Preceding: expr.Preceding, ast.CurrentRow: expr.CurrentRow,
	ast.Following: expr.Following, ast.UnboundedFollowing: expr.UnboundedFollowing,
}

func (b *frameBinder) bound(f *ast.WindowFrame, bound *ast.FrameBound, rows bool) (expr.Bound, error) {
	out := expr.Bound{Kind: boundKinds[bound.Kind]}
	if bound.N == nil {
		return out, nil
	}
	iv, isInterval := bound.N.(*ast.Interval)
	if rows {
		if isInterval {
			return out, sqlerr.New(rowsInterval, "Window '%s': INTERVAL can only be used with RANGE frames", b.name).At(bound.N.Position())
		}
		v, err := b.offset(bound.N)
		if err != nil {
			return out, err
		}
		if !v.Type.IsInteger() {
			return out, b.illegal().At(bound.N.Position())
		}
		out.Rows, out.Text = math.MaxInt64, v.Text()
		if v.I.IsInt64() {
			out.Rows = v.Int64()
		}
		return out, nil
	}
	return b.rangeBound(f, bound, out, iv)
}

// offset is the value of a bound's offset.
func (b *frameBinder) offset(n ast.Expr) (vector.Value, error) {
	if _, ok := n.(*ast.Param); ok && b.env.ParamTypesOnly {
		return vector.IntValue(sqltype.T(sqltype.BigInt), 0), nil
	}
	x, err := b.expr(b.s, n)
	if err != nil {
		return vector.Value{}, err
	}
	l, ok := fold(x).(*expr.Literal)
	if !ok {
		return vector.Value{}, sqlerr.New(frameNotConstant, "Window '%s' has a non-constant frame bound", b.name).At(n.Position())
	}
	if l.Value.Null || !l.Value.Type.IsNumeric() || l.Value.I.Sign() < 0 || l.Value.F < 0 || l.Value.F != l.Value.F {
		return vector.Value{}, b.illegal().At(n.Position())
	}
	return l.Value, nil
}

// rangeBound computes the key at which the frame of a row ends.
func (b *frameBinder) rangeBound(f *ast.WindowFrame, bound *ast.FrameBound, out expr.Bound, iv *ast.Interval) (expr.Bound, error) {
	var key expr.SortKey
	var t sqltype.Type
	if len(b.w.Order) == 1 {
		key = b.w.Order[0]
		t = key.Expr.Type()
	}
	temporal := t.Kind == sqltype.Date || t.Kind == sqltype.DateTime || t.Kind == sqltype.Timestamp
	switch {
	case len(b.w.Order) != 1 || !temporal && !t.IsNumeric():
		return out, sqlerr.New(rangeKeys, "Window '%s' with RANGE N PRECEDING/FOLLOWING frame requires exactly one ORDER BY expression, of numeric or temporal type", b.name).At(f.Position())
	case temporal && iv == nil:
		return out, sqlerr.New(rangeNeedsInterval, "Window '%s' with RANGE frame has ORDER BY expression of datetime type. Only INTERVAL bound value allowed", b.name).At(bound.N.Position())
	case !temporal && iv != nil:
		return out, sqlerr.New(rangeNeedsNumber, "Window '%s' with RANGE frame has ORDER BY expression of numeric type, INTERVAL bound value not allowed", b.name).At(bound.N.Position())
	}
	subtract := (bound.Kind == ast.Preceding) != key.Desc
	var err error
	if temporal {
		out.Text, out.Value, err = b.shiftedDate(key.Expr, iv, subtract)
		return out, err
	}
	v, err := b.offset(bound.N)
	if err != nil {
		return out, err
	}
	op := "+"
	if subtract {
		op = "-"
	}
	out.Text = v.Text()
	x, err := wideKey(key.Expr)
	if err != nil {
		return out, at(err, bound.N)
	}
	out.Value, err = b.make(bound.N, op, x, expr.Lit(v))
	return out, err
}

// wideKey is a sort key in a type in which adding an offset does not overflow.
func wideKey(key expr.Expr) (expr.Expr, error) {
	switch t := key.Type(); t.Kind {
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int:
		return expr.CastTo(key, sqltype.T(sqltype.BigInt))
	case sqltype.BigInt:
		return expr.CastTo(key, sqltype.T(sqltype.LargeInt))
	case sqltype.Float:
		return expr.CastTo(key, sqltype.T(sqltype.Double))
	case sqltype.Decimal:
		return expr.CastTo(key, sqltype.DecimalOf(sqltype.MaxDecimalPrecision, int(t.Scale)))
	}
	return key, nil
}

// shiftedDate is the key moved by an interval.
func (b *frameBinder) shiftedDate(key expr.Expr, iv *ast.Interval, subtract bool) (text string, moved expr.Expr, err error) {
	amount, unit, err := b.interval(b.s, iv)
	if err != nil {
		return "", nil, err
	}
	l, ok := amount.(*expr.Literal)
	switch {
	case !ok:
		return "", nil, sqlerr.New(frameNotConstant, "Window '%s' has a non-constant frame bound", b.name).At(iv.Position())
	case l.Value.Null && !b.env.ParamTypesOnly, l.Value.I.Sign() < 0, l.Value.F < 0, strings.HasPrefix(l.Value.S, "-"):
		return "", nil, b.illegal().At(iv.Position())
	}
	name := "date_add"
	if subtract {
		name = "date_sub"
	}
	moved, err = b.make(iv, name, key, amount, unit)
	return "INTERVAL " + expr.String(amount) + " " + iv.Unit, moved, err
}

// rangeKey gives the frame its key, of one type with both bounds.
func (b *frameBinder) rangeKey(f *expr.Frame) error {
	key := b.w.Order[0]
	t := key.Expr.Type()
	bounds := []*expr.Expr{&f.Start.Value, &f.End.Value}
	var err error
	for _, v := range bounds {
		if *v != nil {
			if t, err = expr.CommonType(t, (*v).Type()); err != nil {
				return err
			}
		}
	}
	if f.Key, err = expr.CastTo(key.Expr, t); err != nil {
		return err
	}
	f.Desc = key.Desc
	for _, v := range bounds {
		if *v != nil {
			if *v, err = expr.CastTo(*v, t); err != nil {
				return err
			}
		}
	}
	return nil
}
