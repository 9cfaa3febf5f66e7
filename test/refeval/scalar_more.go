package refeval

import (
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// textCall computes functions of strings; ok is false for other functions. No argument is
// NULL.
func textCall(name string, a Row, t sqltype.Type) (v vector.Value, ok bool) {
	str := func(s string) (vector.Value, bool) { return vector.StringValue(t, s), true }
	num := func(n int) (vector.Value, bool) { return vector.IntValue(t, int64(n)), true }
	switch name {
	case "upper":
		return str(strings.ToUpper(a[0].S))
	case "lower":
		return str(strings.ToLower(a[0].S))
	case "length":
		return num(len(a[0].S))
	case "char_length":
		return num(utf8.RuneCountInString(a[0].S))
	case "concat":
		s := ""
		for _, x := range a {
			s += x.S
		}
		return str(s)
	case "trim":
		return str(strings.Trim(a[0].S, " "))
	case "ltrim":
		return str(strings.TrimLeft(a[0].S, " "))
	case "reverse":
		r := []rune(a[0].S)
		for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
			r[i], r[j] = r[j], r[i]
		}
		return str(string(r))
	case "replace":
		if a[1].S == "" {
			return str(a[0].S)
		}
		return str(strings.ReplaceAll(a[0].S, a[1].S, a[2].S))
	case "instr":
		i := strings.Index(a[0].S, a[1].S)
		if i < 0 {
			return num(0)
		}
		return num(utf8.RuneCountInString(a[0].S[:i]) + 1)
	case "left":
		r := []rune(a[0].S)
		return str(string(r[:max(0, min(int64(len(r)), a[1].Int64()))]))
	case "right":
		r := []rune(a[0].S)
		return str(string(r[int64(len(r))-max(0, min(int64(len(r)), a[1].Int64())):]))
	case "substring":
		return str(substring([]rune(a[0].S), a))
	}
	return vector.Value{}, false
}

// substring counts from 1, from the end for negative starts; 0 is nowhere.
func substring(r []rune, a Row) string {
	n, from, count := int64(len(r)), a[1].Int64(), int64(len(r))
	if len(a) > 2 {
		count = a[2].Int64()
	}
	if from < 0 {
		from += n + 1
	}
	if from < 1 || from > n || count < 1 {
		return ""
	}
	return string(r[from-1 : min(n, from-1+count)])
}

var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

func day(v vector.Value) time.Time {
	if v.Type.Kind != sqltype.Date {
		fail("date function of %s", v.Type)
	}
	return epoch.AddDate(0, 0, int(v.Int64()))
}

// dateCall computes functions of dates; ok is false for other functions.
func dateCall(name string, a Row, t sqltype.Type) (v vector.Value, ok bool) {
	num := func(n int) (vector.Value, bool) { return vector.IntValue(t, int64(n)), true }
	switch name {
	case "year":
		return num(day(a[0]).Year())
	case "month":
		return num(int(day(a[0]).Month()))
	case "day", "dayofmonth":
		return num(day(a[0]).Day())
	case "quarter":
		return num((int(day(a[0]).Month()) + 2) / 3)
	case "dayofweek":
		return num(int(day(a[0]).Weekday()) + 1)
	case "datediff":
		return num(int(a[0].Int64() - a[1].Int64()))
	case "last_day":
		d := day(a[0])
		return fromDay(time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC), t), true
	case "date_add", "date_sub":
		n := int(a[1].Int64())
		if name == "date_sub" {
			n = -n
		}
		switch d := day(a[0]); strings.ToUpper(a[2].S) {
		case "DAY":
			return fromDay(d.AddDate(0, 0, n), t), true
		case "MONTH":
			return fromDay(addMonths(d, n), t), true
		case "YEAR":
			return fromDay(addMonths(d, 12*n), t), true
		}
	}
	return vector.Value{}, false
}

// addMonths keeps the day where the month has it, else takes the month's last.
func addMonths(d time.Time, n int) time.Time {
	first := time.Date(d.Year(), d.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d.Day(), last)-1)
}

// fromDay gives NULL outside the years 0 to 9999.
func fromDay(d time.Time, t sqltype.Type) vector.Value {
	if d.Year() < 0 || d.Year() > 9999 {
		return vector.NullOf(t)
	}
	return vector.IntValue(t, d.Unix()/86400)
}

// roundCall computes greatest, least, sign and the functions that round exact numbers; ok is
// false for others.
func roundCall(name string, a Row, t sqltype.Type) (v vector.Value, ok bool) {
	switch name {
	case "greatest", "least":
		best := a[0]
		for _, x := range a[1:] {
			if c := x.Compare(best); c != 0 && (c > 0) == (name == "greatest") {
				best = x
			}
		}
		return retype(best, t), true
	case "floor", "ceil", "ceiling", "truncate", "round":
	default:
		return v, false
	}
	if a[0].Type.IsFloat() || t.IsFloat() {
		fail("%s of a float", name)
	}
	r, digits := rat(a[0]), 0
	if len(a) > 1 {
		digits = int(a[1].Int64())
	}
	unit := new(big.Rat).SetInt(pow10(max(digits, -digits)))
	if digits < 0 {
		unit.Inv(unit)
	}
	r.Mul(r, unit)
	var whole *big.Int
	switch name {
	case "floor":
		whole = new(big.Int).Div(r.Num(), r.Denom())
	case "ceil", "ceiling":
		whole = new(big.Int).Neg(new(big.Int).Div(new(big.Int).Neg(r.Num()), r.Denom()))
	case "truncate":
		whole = new(big.Int).Quo(r.Num(), r.Denom())
	case "round":
		whole = divideHalfUp(r.Num(), r.Denom())
	}
	return fromRat(r.Quo(r.SetInt(whole), unit), t), true
}
