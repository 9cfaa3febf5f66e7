package function

import "github.com/basaltdb/basalt/internal/sqltype"

// CommonType is the type that both operands of a comparison, or all branches of CASE,
// COALESCE, UNION and IN, are cast to. ok is false when there is none.
func CommonType(a, b sqltype.Type) (t sqltype.Type, ok bool) {
	switch {
	case a.Equal(b):
		return a, true
	case a.Kind == sqltype.Null:
		return b, true
	case b.Kind == sqltype.Null:
		return a, true
	case a.IsNested() || b.IsNested():
		return commonNested(a, b)
	case a.Kind == sqltype.Bitmap || b.Kind == sqltype.Bitmap || a.Kind == sqltype.HLL || b.Kind == sqltype.HLL:
		return sqltype.Type{}, a.Kind == b.Kind
	case isNumberLike(a) && isNumberLike(b):
		return commonNumber(a, b), true
	case a.IsTemporal() && b.IsTemporal():
		return commonTemporal(a, b), true
	case a.Kind == sqltype.Time && b.Kind == sqltype.Time:
		return sqltype.Type{Kind: sqltype.Time, Scale: max(a.Scale, b.Scale)}, true
	case a.IsString() && b.IsString():
		return commonString(a, b), true
	case a.Kind == sqltype.Binary && b.Kind == sqltype.Binary, a.Kind == sqltype.JSON && b.Kind == sqltype.JSON:
		return a, true
	}
	return tString, true
}

func isNumberLike(t sqltype.Type) bool { return t.IsNumeric() || t.Kind == sqltype.Boolean }

func commonNumber(a, b sqltype.Type) sqltype.Type {
	switch {
	case a.Kind == sqltype.Boolean:
		return b
	case b.Kind == sqltype.Boolean:
		return a
	case a.Kind == sqltype.Float && b.Kind == sqltype.Float:
		return a
	case a.IsFloat() || b.IsFloat():
		return tDouble
	case a.Kind == sqltype.Decimal || b.Kind == sqltype.Decimal:
		pa, sa := decimalDigits(a)
		pb, sb := decimalDigits(b)
		s := max(sa, sb)
		return sqltype.DecimalOf(min(sqltype.MaxDecimalPrecision, max(pa-sa, pb-sb)+s), s)
	}
	return sqltype.T(max(a.Kind, b.Kind))
}

// decimalDigits is precision and scale of the decimal that holds every value of t.
func decimalDigits(t sqltype.Type) (p, s int) {
	switch t.Kind {
	case sqltype.Decimal:
		return int(t.Precision), int(t.Scale)
	case sqltype.Boolean:
		return 1, 0
	case sqltype.TinyInt:
		return 3, 0
	case sqltype.SmallInt:
		return 5, 0
	case sqltype.Int:
		return 10, 0
	case sqltype.BigInt:
		return 19, 0
	}
	return sqltype.MaxDecimalPrecision, 0
}

func commonTemporal(a, b sqltype.Type) sqltype.Type {
	scale := uint8(0)
	for _, t := range [2]sqltype.Type{a, b} {
		if t.Kind != sqltype.Date {
			scale = max(scale, t.Scale)
		}
	}
	kind := sqltype.DateTime
	if a.Kind == sqltype.Timestamp && b.Kind == sqltype.Timestamp {
		kind = sqltype.Timestamp
	}
	return sqltype.Type{Kind: kind, Scale: scale}
}

// commonString keeps a length where both have one, so that UNION and CASE describe well.
func commonString(a, b sqltype.Type) sqltype.Type {
	if a.Kind == sqltype.String || b.Kind == sqltype.String {
		return tString
	}
	if a.Length == 0 || b.Length == 0 {
		return sqltype.T(sqltype.Varchar)
	}
	return sqltype.VarcharOf(int(max(a.Length, b.Length)))
}

func commonNested(a, b sqltype.Type) (sqltype.Type, bool) {
	if a.Kind != b.Kind || len(a.Nested.Elems) != len(b.Nested.Elems) {
		return sqltype.Type{}, false
	}
	elems := make([]sqltype.Type, len(a.Nested.Elems))
	for i := range elems {
		t, ok := CommonType(a.Nested.Elems[i], b.Nested.Elems[i])
		if !ok {
			return sqltype.Type{}, false
		}
		elems[i] = t
	}
	return sqltype.NestedOf(a.Kind, elems, a.Nested.Fields), true
}

// commonOf is CommonType of several arguments.
func commonOf(args []Arg) (t sqltype.Type, ok bool) {
	t = tNull
	for _, a := range args {
		if t, ok = CommonType(t, a.Type); !ok {
			return t, false
		}
	}
	return t, true
}

// comparisonType is the type that two operands are compared as.
func comparisonType(a, b Arg) (sqltype.Type, bool) {
	x, y := a.Type, b.Type
	if isText(y) && !isText(x) {
		a, b, x, y = b, a, y, x
	}
	if !isText(x) || isText(y) || y.Kind == sqltype.Null { // not text against something else
		t, ok := CommonType(x, y)
		if ok && t.Kind == sqltype.Null {
			t = tTinyInt
		}
		if ok && t.Kind == sqltype.String && !isText(x) { // TIME against numbers or dates
			t = tDouble
		}
		return t, ok
	}
	switch {
	case y.Kind == sqltype.Date && a.Const != nil && !a.Const.Null:
		if micros, ok := parseDateTime([]byte(a.Const.S)); !ok || micros%sqltype.MicrosPerDay == 0 {
			return tDate, true
		}
		return tMicros, true
	case y.Kind == sqltype.Timestamp:
		return sqltype.Type{Kind: sqltype.Timestamp, Scale: 6}, true
	case y.IsTemporal():
		return tMicros, true
	case y.Kind == sqltype.Time:
		return sqltype.Type{Kind: sqltype.Time, Scale: 6}, true
	case y.Kind == sqltype.Boolean:
		if a.Const != nil {
			if _, ok := parseBool([]byte(a.Const.S)); ok {
				return tBoolean, true
			}
		}
		return tDouble, true
	case y.IsNumeric():
		return textNumberType(a, y), true
	}
	return sqltype.Type{}, false
}

// textNumberType is DOUBLE, except that a constant integer text is compared with integers exactly.
func textNumberType(textArg Arg, number sqltype.Type) sqltype.Type {
	if textArg.Const == nil || textArg.Const.Null || !number.IsInteger() {
		return tDouble
	}
	if _, ok := parseInt64([]byte(textArg.Const.S)); !ok {
		return tDouble
	}
	for _, c := range textArg.Const.S {
		if (c < '0' || c > '9') && c != '-' {
			return tDouble
		}
	}
	if number.Kind == sqltype.LargeInt {
		return number
	}
	return tBigInt
}

// isText reports types that are bytes in memory and compare as such.
func isText(t sqltype.Type) bool {
	return t.IsString() || t.Kind == sqltype.Binary || t.Kind == sqltype.JSON
}
