package expr

import (
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// NewCall resolves name for the types of args and casts the arguments that need it.
// Errors are those of function.Resolve.
func NewCall(name string, args ...Expr) (Expr, error) {
	fn, err := function.Resolve(name, ArgsOf(args))
	if err != nil {
		return nil, err
	}
	return Apply(fn, args)
}

// MustCall is NewCall for calls that cannot fail but by a bug of ours: and, not, comparisons
// of equal types.
func MustCall(name string, args ...Expr) Expr {
	e, err := NewCall(name, args...)
	if err != nil {
		panic(invariant.Failed("call of %s: %s", name, err))
	}
	return e
}

// Apply makes the call of a resolved overload, with arguments cast to its parameters.
func Apply(fn *function.Scalar, args []Expr) (Expr, error) {
	cast, err := CastArgs(fn.Params, args)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: fn, Args: cast}, nil
}

// ApplyAggregate makes the call of a resolved aggregate, with arguments cast to its parameters.
func ApplyAggregate(fn *function.Aggregate, args []Expr) (*Aggregate, error) {
	cast, err := CastArgs(fn.Params, args)
	if err != nil {
		return nil, err
	}
	return &Aggregate{Fn: fn, Args: cast}, nil
}

// CastArgs casts arguments to the parameters of what they are given to, one each.
func CastArgs(params []sqltype.Type, args []Expr) ([]Expr, error) {
	if len(params) != len(args) {
		panic(invariant.Failed("%d parameters for %d arguments", len(params), len(args)))
	}
	out := make([]Expr, len(args))
	for i, a := range args {
		c, err := CastTo(a, params[i])
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

// ArgsOf describes expressions for function.Resolve.
func ArgsOf(args []Expr) []function.Arg {
	out := make([]function.Arg, len(args))
	for i, a := range args {
		out[i] = function.Arg{Type: a.Type()}
		if l, ok := a.(*Literal); ok {
			out[i].Const = &l.Value
		}
	}
	return out
}

// CastTo is e as type t: e itself when it has it, a NULL of the type for a NULL, else a cast.
func CastTo(e Expr, t sqltype.Type) (Expr, error) { return CastWith(e, t, function.Cast) }

// CastWith is CastTo by another conversion, which is nil where nothing is to be done, as
// function.Cast.
func CastWith(e Expr, t sqltype.Type, cast func(from, to sqltype.Type) (*function.Scalar, error)) (Expr, error) {
	if e.Type().Equal(t) {
		return e, nil
	}
	if l, ok := e.(*Literal); ok && l.Value.Null {
		return Null(t), nil
	}
	fn, err := cast(e.Type(), t)
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return relabel(e, t), nil
	}
	return &Call{Fn: fn, Args: []Expr{e}}, nil
}

// relabel gives e a type of the same memory and meaning (VARCHAR(10) and VARCHAR(20)).
func relabel(e Expr, t sqltype.Type) Expr {
	if l, ok := e.(*Literal); ok {
		v := l.Value
		v.Type = t
		return &Literal{Value: v}
	}
	return e
}

// CommonType is function.CommonType of all types; an error names the two that do not meet.
func CommonType(types ...sqltype.Type) (sqltype.Type, error) {
	t := types[0]
	for _, u := range types[1:] {
		c, ok := function.CommonType(t, u)
		if !ok {
			return t, sqlerr.New(sqlerr.TypeMismatch, "Types %s and %s cannot be combined", t, u)
		}
		t = c
	}
	return t, nil
}

// Lit is a constant.
func Lit(v vector.Value) *Literal { return &Literal{Value: v} }

// Null is NULL of type t.
func Null(t sqltype.Type) *Literal { return &Literal{Value: vector.NullOf(t)} }

// Bool is TRUE or FALSE.
func Bool(b bool) *Literal { return &Literal{Value: vector.BoolValue(b)} }

// Int is a BIGINT constant.
func Int(v int64) *Literal {
	return &Literal{Value: vector.IntValue(sqltype.T(sqltype.BigInt), v)}
}

// Ref reads the column c.
func Ref(c Column) *Column { return &c }

// Refs reads each of cols.
func Refs(cols []Column) []Expr {
	out := make([]Expr, len(cols))
	for i := range cols {
		out[i] = Ref(cols[i])
	}
	return out
}

// IsCall reports a call of the named function and gives its arguments.
func IsCall(e Expr, name string) ([]Expr, bool) {
	if c, ok := e.(*Call); ok && c.Fn.Name == name {
		return c.Args, true
	}
	return nil, false
}

// Conjuncts splits e at its ANDs, through all levels, and appends the parts to dst; TRUE
// and nil are dropped.
func Conjuncts(dst []Expr, e Expr) []Expr {
	if e == nil {
		return dst
	}
	if args, ok := IsCall(e, "and"); ok {
		for _, a := range args {
			dst = Conjuncts(dst, a)
		}
		return dst
	}
	if l, ok := e.(*Literal); ok && l.Value.Type.Kind == sqltype.Boolean && l.Value.IsTrue() {
		return dst
	}
	return append(dst, e)
}

// And is the conjunction of conds: TRUE for none, the one itself for one.
func And(conds ...Expr) Expr { return connect("and", true, conds) }

// Or is the disjunction of conds: FALSE for none, the one itself for one.
func Or(conds ...Expr) Expr { return connect("or", false, conds) }

func connect(name string, empty bool, conds []Expr) Expr {
	switch len(conds) {
	case 0:
		return Bool(empty)
	case 1:
		return conds[0]
	}
	var flat []Expr
	for _, c := range conds {
		if args, ok := IsCall(c, name); ok {
			flat = append(flat, args...)
		} else {
			flat = append(flat, c)
		}
	}
	return MustCall(name, flat...)
}

// Not is NOT e.
func Not(e Expr) Expr { return MustCall("not", e) }

// Eq is a = b for operands of one type.
func Eq(a, b Expr) Expr { return MustCall("=", a, b) }
