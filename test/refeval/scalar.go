package refeval

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
)

// scalar computes an expression for one row.
func scalar(x expr.Expr, e *env) vector.Value {
	switch x := x.(type) {
	case *expr.Column:
		v, ok := e.lookup(x.ID)
		if !ok {
			fail("no column %s", x.Name)
		}
		v.Type = x.T
		return v
	case *expr.Literal:
		return x.Value
	case *expr.Field:
		return retype(e.fields[x.Index], x.T)
	case *expr.Call:
		return call(x, e)
	}
	fail("no value of %T", x)
	return vector.Value{}
}

func call(x *expr.Call, e *env) vector.Value {
	if calls++; calls > maxCalls {
		panic(ErrTooSlow)
	}
	t := x.Fn.Result
	if v, ok := nestedCall(x, e); ok {
		return v
	}
	switch x.Fn.Name { // those that do not look at all arguments, or take NULLs
	case "and", "or":
		return connect(x, e)
	case "case", "if":
		args := x.Args
		for ; len(args) >= 2; args = args[2:] {
			if scalar(args[0], e).IsTrue() {
				return retype(scalar(args[1], e), t)
			}
		}
		if len(args) == 1 {
			return retype(scalar(args[0], e), t)
		}
		return vector.NullOf(t)
	case "coalesce", "ifnull", "nvl":
		for _, a := range x.Args {
			if v := scalar(a, e); !v.Null {
				return retype(v, t)
			}
		}
		return vector.NullOf(t)
	}
	args := make(Row, len(x.Args))
	null := false
	for i, a := range x.Args {
		args[i] = scalar(a, e)
		null = null || args[i].Null
	}
	switch x.Fn.Name {
	case "is_null":
		return vector.BoolValue(args[0].Null)
	case "is_not_null":
		return vector.BoolValue(!args[0].Null)
	case "is_true":
		return vector.BoolValue(args[0].IsTrue())
	case "is_false":
		return vector.BoolValue(!args[0].Null && !args[0].IsTrue())
	case "<=>":
		if args[0].Null || args[1].Null {
			return vector.BoolValue(args[0].Null && args[1].Null)
		}
		return vector.BoolValue(args[0].Compare(args[1]) == 0)
	case "in":
		return in(args)
	case "nullif":
		if !null && args[0].Compare(args[1]) == 0 {
			return vector.NullOf(t)
		}
		return retype(args[0], t)
	}
	if null {
		return vector.NullOf(t)
	}
	if v, ok := compare(x.Fn.Name, args); ok {
		return v
	}
	switch x.Fn.Name {
	case "not":
		return vector.BoolValue(!args[0].IsTrue())
	case "cast":
		return cast(args[0], t)
	case "like":
		return vector.BoolValue(like([]rune(args[0].S), []rune(args[1].S)))
	}
	for _, f := range []func(string, Row, sqltype.Type) (vector.Value, bool){textCall, dateCall, roundCall} {
		if v, ok := f(x.Fn.Name, args, t); ok {
			return v
		}
	}
	return arithmetic(x.Fn.Name, args, t)
}

func retype(v vector.Value, t sqltype.Type) vector.Value {
	v.Type = t
	return v
}

func connect(x *expr.Call, e *env) vector.Value {
	decides := x.Fn.Name == "or"
	out := vector.BoolValue(!decides)
	for _, a := range x.Args {
		v := scalar(a, e)
		if v.Null {
			out = vector.NullOf(out.Type)
		} else if v.IsTrue() == decides {
			return vector.BoolValue(decides)
		}
	}
	return out
}

func in(args Row) vector.Value {
	b := vector.BoolValue(false)
	if args[0].Null {
		return vector.NullOf(b.Type)
	}
	unknown := false
	for _, a := range args[1:] {
		if a.Null {
			unknown = true
		} else if args[0].Compare(a) == 0 {
			return vector.BoolValue(true)
		}
	}
	if unknown {
		return vector.NullOf(b.Type)
	}
	return b
}

func compare(op string, a Row) (vector.Value, bool) {
	var c int
	switch op {
	case "=", "<>", "<", "<=", ">", ">=":
		c = a[0].Compare(a[1])
	}
	switch op {
	case "=":
		return vector.BoolValue(c == 0), true
	case "<>":
		return vector.BoolValue(c != 0), true
	case "<":
		return vector.BoolValue(c < 0), true
	case "<=":
		return vector.BoolValue(c <= 0), true
	case ">":
		return vector.BoolValue(c > 0), true
	case ">=":
		return vector.BoolValue(c >= 0), true
	}
	return vector.Value{}, false
}

// like matches with % and _ and no escapes.
func like(s, p []rune) bool {
	if len(p) == 0 {
		return len(s) == 0
	}
	switch p[0] {
	case '%':
		for i := 0; i <= len(s); i++ {
			if like(s[i:], p[1:]) {
				return true
			}
		}
		return false
	case '_':
		return len(s) > 0 && like(s[1:], p[1:])
	}
	return len(s) > 0 && s[0] == p[0] && like(s[1:], p[1:])
}

// rat is a number as an exact fraction; floats are not for it.
func rat(v vector.Value) *big.Rat {
	r := new(big.Rat).SetInt(bigOf(v.I))
	if v.Type.Kind == sqltype.Decimal {
		r.Quo(r, new(big.Rat).SetInt(pow10(int(v.Type.Scale))))
	}
	return r
}

func float(v vector.Value) float64 {
	if v.Type.IsFloat() {
		return v.F
	}
	f, _ := rat(v).Float64()
	return f
}

func arithmetic(op string, a Row, t sqltype.Type) vector.Value {
	if t.IsFloat() {
		x := float(a[0])
		var y float64
		if len(a) > 1 {
			y = float(a[1])
		}
		switch op {
		case "+":
			x += y
		case "-":
			x -= y
		case "*":
			x *= y
		case "/", "%":
			if y == 0 {
				return vector.NullOf(t)
			}
			if op == "/" {
				x /= y
			} else {
				x = math.Mod(x, y)
			}
		case "neg":
			x = -x
		case "abs":
			x = math.Abs(x)
		default:
			fail("function %s", op)
		}
		return vector.Value{Type: t, F: x}
	}
	if op == "div" && (a[0].Type.IsFloat() || a[1].Type.IsFloat()) {
		return floatDiv(float(a[0]), float(a[1]), t)
	}
	r := rat(a[0])
	if len(a) > 1 && rat(a[1]).Sign() == 0 && (op == "/" || op == "%" || op == "div") {
		return vector.NullOf(t)
	}
	switch op {
	case "+":
		r.Add(r, rat(a[1]))
	case "-":
		r.Sub(r, rat(a[1]))
	case "*":
		r.Mul(r, rat(a[1]))
	case "/":
		r.Quo(r, rat(a[1]))
	case "div":
		r.Quo(r, rat(a[1]))
		r.SetInt(new(big.Int).Quo(r.Num(), r.Denom()))
	case "%":
		q := new(big.Rat).Quo(r, rat(a[1]))
		whole := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
		r.Sub(r, whole.Mul(whole, rat(a[1])))
	case "neg":
		r.Neg(r)
	case "abs":
		r.Abs(r)
	default:
		fail("function %s", op)
	}
	return fromRat(r, t)
}

// floatDiv is the whole part of a quotient of floats.
func floatDiv(x, y float64, t sqltype.Type) vector.Value {
	if y == 0 {
		return vector.NullOf(t)
	}
	q := math.Trunc(x / y)
	if math.Abs(q) >= 1<<63 {
		fail("number out of range")
	}
	return vector.IntValue(t, int64(q))
}

// fromRat rounds to the scale of t, half away from zero.
func fromRat(r *big.Rat, t sqltype.Type) vector.Value {
	n := new(big.Int).Mul(r.Num(), pow10(int(t.Scale)))
	x, ok := int128.Parse(divideHalfUp(n, r.Denom()).String())
	if !ok {
		fail("number out of range")
	}
	return vector.Value{Type: t, I: x}
}

// cast converts among the types that the random queries use.
func cast(v vector.Value, t sqltype.Type) vector.Value {
	from := v.Type
	number := func(x sqltype.Type) bool {
		return x.IsInteger() || x.Kind == sqltype.Decimal || x.Kind == sqltype.Boolean
	}
	switch {
	case t.Kind == from.Kind && !number(t), t.Physical() == sqltype.PhysString && from.Physical() == sqltype.PhysString:
		return retype(v, t)
	case t.Kind == sqltype.Boolean && number(from):
		return vector.BoolValue(v.I.Sign() != 0)
	case number(from) && t.IsInteger(): // digits after the point are cut off
		r := rat(v)
		return inRange(fromRat(r.SetInt(new(big.Int).Quo(r.Num(), r.Denom())), t))
	case number(from) && number(t):
		return inRange(fromRat(rat(v), t))
	case t.IsFloat() && !from.IsString():
		return vector.Value{Type: t, F: float(v)}
	case t.IsFloat():
		f, err := strconv.ParseFloat(strings.TrimSpace(v.S), 64)
		if err != nil {
			return vector.NullOf(t)
		}
		return vector.Value{Type: t, F: f}
	case t.IsString() && !from.IsFloat():
		return vector.StringValue(t, v.Text())
	case from.IsFloat() && t.IsInteger():
		if math.IsNaN(v.F) || math.Abs(v.F) >= 1<<62 {
			return vector.NullOf(t)
		}
		return inRange(vector.IntValue(t, int64(v.F)))
	case from.IsFloat() && t.Kind == sqltype.Decimal:
		x, ok := int128.FromFloat64(math.Round(v.F * math.Pow10(int(t.Scale))))
		if !ok || math.IsNaN(v.F) || len(strings.TrimPrefix(x.String(), "-")) > int(t.Precision) {
			return vector.NullOf(t)
		}
		return vector.Value{Type: t, I: x}
	case from.IsFloat() && t.Kind == sqltype.Boolean:
		return vector.BoolValue(v.F != 0)
	case from.IsString() && t.IsInteger():
		return castText(strings.TrimSpace(v.S), t)
	case from.Kind == sqltype.Date && t.Kind == sqltype.DateTime:
		return vector.IntValue(t, v.Int64()*86400e6)
	}
	fail("cast from %s to %s", from, t)
	return vector.Value{}
}

// castText reads an integer with an optional fraction, which is cut off; other text is NULL.
func castText(s string, t sqltype.Type) vector.Value {
	digits := strings.TrimLeft(s, "+-")
	whole, frac, _ := strings.Cut(digits, ".")
	if len(s)-len(digits) > 1 || strings.Trim(whole+frac, "0123456789") != "" || whole+frac == "" {
		return vector.NullOf(t)
	}
	n, ok := new(big.Int).SetString("0"+whole, 10)
	if !ok {
		fail("number %q", s)
	}
	if s[0] == '-' {
		n.Neg(n)
	}
	return inRange(fromRat(new(big.Rat).SetInt(n), t))
}

// inRange gives NULL for what does not fit its type.
func inRange(v vector.Value) vector.Value {
	var limit int128.Int
	switch v.Type.Kind {
	case sqltype.TinyInt:
		limit = int128.FromInt64(math.MaxInt8)
	case sqltype.SmallInt:
		limit = int128.FromInt64(math.MaxInt16)
	case sqltype.Int:
		limit = int128.FromInt64(math.MaxInt32)
	case sqltype.BigInt:
		limit = int128.FromInt64(math.MaxInt64)
	case sqltype.Decimal:
		limit = int128.Pow10[v.Type.Precision].AddInt64(-1)
	default:
		return v
	}
	low := limit.Neg()
	if v.Type.Kind != sqltype.Decimal {
		low = low.AddInt64(-1)
	}
	if v.I.Cmp(limit) > 0 || v.I.Cmp(low) < 0 {
		return vector.NullOf(v.Type)
	}
	return v
}
