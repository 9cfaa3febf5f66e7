package int128

// AppendDecimal appends x / 10^scale with exactly scale digits after the point.
func AppendDecimal(dst []byte, x Int, scale int) []byte {
	var buf [48]byte
	i := len(buf)
	neg := x.Hi < 0
	u := x.Abs() // Min stays Min, which udiv reads as 2^127
	digits := 0
	ten19 := FromUint64(10_000_000_000_000_000_000)
	for {
		var part uint64
		if u.Hi == 0 && u.Lo < ten19.Lo {
			part, u = u.Lo, Int{}
		} else {
			q, r := udiv(u, ten19)
			part, u = r.Lo, q
		}
		for k := 0; k < 19; k++ {
			if part == 0 && u == (Int{}) && digits > scale {
				break
			}
			if digits == scale && scale > 0 {
				i--
				buf[i] = '.'
			}
			i--
			buf[i] = byte('0' + part%10)
			part /= 10
			digits++
		}
		if u == (Int{}) && digits > scale {
			break
		}
	}
	if neg {
		i--
		buf[i] = '-'
	}
	return append(dst, buf[i:]...)
}

// String is x in base 10.
func (x Int) String() string { return string(AppendDecimal(nil, x, 0)) }

// Parse reads an optionally signed base-10 integer; ok is false on other text and overflow.
func Parse(s string) (x Int, ok bool) {
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" {
		return Int{}, false
	}
	ten := FromInt64(10)
	for i := 0; i < len(s); i++ {
		d := s[i] - '0'
		if d > 9 {
			return Int{}, false
		}
		if x, ok = x.MulOK(ten); !ok {
			return Int{}, false
		}
		if x, ok = x.SubOK(FromInt64(int64(d))); !ok { // downwards, so that Min parses
			return Int{}, false
		}
	}
	if neg {
		return x, true
	}
	return x.Neg(), x != Min
}
