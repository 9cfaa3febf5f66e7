package bind

import (
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/expr"
)

// literal is the value of a constant; negative numbers come with the sign apart, so that
// the least value of a type has that type.
func literal(l *ast.Literal, negative bool) (expr.Expr, error) {
	switch l.Kind {
	case ast.NullLit:
		return expr.Null(sqltype.T(sqltype.Null)), nil
	case ast.BoolLit:
		return expr.Bool(strings.EqualFold(l.Text, "true")), nil
	case ast.IntLit:
		return intLiteral(l, negative)
	case ast.DecimalLit:
		return decimalLiteral(l, negative)
	case ast.FloatLit:
		return floatLiteral(l, negative)
	case ast.StringLit:
		return expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), l.Text)), nil
	case ast.HexLit, ast.BitLit:
		return expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), l.Text)), nil
	case ast.DateLit:
		return typedLiteral(l, sqltype.T(sqltype.Date), "DATE")
	case ast.TimestampLit:
		scale := 0
		if _, fraction, ok := strings.Cut(l.Text, "."); ok {
			scale = min(len(fraction), 6)
		}
		return typedLiteral(l, sqltype.DateTimeOf(scale), "DATETIME")
	}
	return typedLiteral(l, sqltype.T(sqltype.Time), "TIME")
}

// intLiteral takes the narrowest of TINYINT … LARGEINT; wider ones are DOUBLE, as in MySQL.
func intLiteral(l *ast.Literal, negative bool) (expr.Expr, error) {
	text := l.Text
	if negative {
		text = "-" + text
	}
	x, ok := int128.Parse(text)
	if !ok {
		return floatLiteral(l, negative)
	}
	v := vector.Value{Type: sqltype.T(sqltype.LargeInt), I: x}
	if x.IsInt64() {
		n := int64(x.Lo)
		kind := sqltype.BigInt
		switch {
		case n == int64(int8(n)):
			kind = sqltype.TinyInt
		case n == int64(int16(n)):
			kind = sqltype.SmallInt
		case n == int64(int32(n)):
			kind = sqltype.Int
		}
		v.Type = sqltype.T(kind)
	}
	return expr.Lit(v), nil
}

// decimalLiteral takes the digits as written: 0.05 is DECIMAL(2,2), 1.50 is DECIMAL(3,2).
func decimalLiteral(l *ast.Literal, negative bool) (expr.Expr, error) {
	whole, fraction, _ := strings.Cut(l.Text, ".")
	whole = strings.TrimLeft(whole, "0")
	digits := whole + fraction
	if len(digits) > sqltype.MaxDecimalPrecision || digits == "" {
		return floatLiteral(l, negative)
	}
	x, ok := int128.Parse(digits)
	if !ok {
		return floatLiteral(l, negative)
	}
	if negative {
		x = x.Neg()
	}
	return expr.Lit(vector.Value{Type: sqltype.DecimalOf(len(digits), len(fraction)), I: x}), nil
}

func floatLiteral(l *ast.Literal, negative bool) (expr.Expr, error) {
	f, err := strconv.ParseFloat(l.Text, 64)
	if err != nil {
		return nil, sqlerr.New(sqlerr.WrongValue, "Number is out of range: %s", l.Text).At(l.Position())
	}
	if negative {
		f = -f
	}
	return expr.Lit(vector.FloatValue(f)), nil
}

// typedLiteral is DATE '…' and the like: text that must parse.
func typedLiteral(l *ast.Literal, t sqltype.Type, name string) (expr.Expr, error) {
	c, err := expr.CastTo(expr.Lit(vector.StringValue(sqltype.T(sqltype.Varchar), l.Text)), t)
	if err != nil {
		return nil, at(err, l)
	}
	c, err = expr.Fold(c, nil)
	if err != nil {
		return nil, at(err, l)
	}
	if v, ok := c.(*expr.Literal); !ok || v.Value.Null {
		return nil, sqlerr.New(sqlerr.WrongValue, "Incorrect %s value: '%s'", name, l.Text).At(l.Position())
	}
	return c, nil
}
