package sqltype

// Units of the temporal layouts.
const (
	MicrosPerSecond = 1_000_000
	MicrosPerDay    = 86_400 * MicrosPerSecond
)

// Range of DATE: 0000-01-01 … 9999-12-31, in days since 1970-01-01. DATETIME has the same years.
const (
	MinDate = -719528
	MaxDate = 2932896
)

// DaysFromCivil is the day number (since 1970-01-01, proleptic Gregorian) of a date.
// Months and days outside of their ranges carry over only within a month's days: month
// must be 1..12.
func DaysFromCivil(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - era*400
	doy := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// CivilFromDays is the inverse of DaysFromCivil for days of the years -9999 … 9999.
//
// Source: Neri & Schneider, Euclidean affine functions and applications to calendar
// algorithms, 2022. The shift by 82 eras keeps everything unsigned.
func CivilFromDays(days int32) (year, month, day int) {
	const eras = 82
	n := uint32(days + 719468 + 146097*eras)
	n1 := 4*n + 3
	c := n1 / 146097
	nc := n1 % 146097 / 4
	n2 := 4*nc + 3
	p2 := uint64(2939745) * uint64(n2)
	z := uint32(p2 >> 32)
	ny := uint32(p2) / 2939745 / 4
	n3 := 2141*ny + 197913
	m := n3 >> 16
	d := n3 & 0xffff / 2141
	y := int(100*c+z) - 400*eras
	if ny >= 306 {
		return y + 1, int(m) - 12, int(d) + 1
	}
	return y, int(m), int(d) + 1
}

// IsLeap reports leap years.
func IsLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysInMonth is the length of a month, 1..12.
func DaysInMonth(year, month int) int {
	if month == 2 {
		if IsLeap(year) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}
