package orc

import (
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the writer's zone must be known wherever we run

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// epoch is 2015-01-01 00:00:00 as UTC seconds: timestamps count from it, in the writer's
// zone.
const epoch = 1420070400

// timestampValues are seconds since the epoch and nanoseconds.
type timestampValues struct {
	seconds, nanos intReader
	zone           zone
	tmp1, tmp2     []int64
}

func (v *timestampValues) read(n int) error {
	v.tmp1, v.tmp2 = grow(v.tmp1, n), grow(v.tmp2, n)
	if err := v.seconds.next(v.tmp1[:n]); err != nil {
		return err
	}
	return v.nanos.next(v.tmp2[:n])
}

func (v *timestampValues) next(dst []byte, n int) error {
	if err := v.read(n); err != nil {
		return err
	}
	v.combine(slice[int64](dst, n), v.tmp1[:n], v.tmp2[:n])
	return nil
}

func (v *timestampValues) pick(dst []byte, idx []int32, total int) error {
	if err := v.read(total); err != nil {
		return err
	}
	for i, x := range idx {
		v.tmp1[i], v.tmp2[i] = v.tmp1[x], v.tmp2[x]
	}
	v.combine(slice[int64](dst, len(idx)), v.tmp1[:len(idx)], v.tmp2[:len(idx)])
	return nil
}

func (v *timestampValues) skip(n int) error {
	if err := v.seconds.skip(n); err != nil {
		return err
	}
	return v.nanos.skip(n)
}

func (v *timestampValues) seek(p *positions) error {
	if err := v.seconds.seek(p); err != nil {
		return err
	}
	return v.nanos.seek(p)
}

// nanoScale is what the lowest three bits z of stored nanoseconds multiply by.
var nanoScale = [8]int64{1, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}

const (
	maxSeconds = math.MaxInt64/sqltype.MicrosPerSecond - 1<<32
	// borrowAbove: writers drop the fraction of a negative second towards zero when it has
	// milliseconds, and readers take the second back.
	borrowAbove = 999_999
)

// combine makes microseconds of the wall clock. Times that do not fit stay at the end of
// the range.
func (v *timestampValues) combine(dst, seconds, nanos []int64) {
	base := v.zone.base
	for i, s := range seconds {
		n := nanos[i]
		n = int64(uint64(n)>>3) * nanoScale[n&7]
		if s > maxSeconds || s < -maxSeconds {
			dst[i] = saturated(s)
			continue
		}
		s += base
		if s < 0 && n > borrowAbove {
			s--
		}
		if v.zone.loc != nil {
			s += v.zone.offset(s)
		}
		dst[i] = s*sqltype.MicrosPerSecond + n/1000
	}
}

func saturated(s int64) int64 {
	if s < 0 {
		return math.MinInt64
	}
	return math.MaxInt64
}

// zone turns seconds since the epoch into a wall clock: of the writer's zone, or of UTC.
type zone struct {
	base   int64          // the epoch in UTC seconds
	loc    *time.Location // nil: the offset is 0
	early  int64          // the offset before year1900
	lo, hi int64          // where off holds
	off    int64
}

// year1900 is the beginning of 1900 in UTC. Writers are Java's, whose zones have their present standard offset before
// it, not local mean time.
const year1900 = -2208988800

func (z *zone) offset(s int64) int64 {
	if s < year1900 {
		return z.early
	}
	if s < z.lo || s >= z.hi {
		t := time.Unix(s, 0).In(z.loc)
		_, off := t.Zone()
		start, end := t.ZoneBounds()
		z.off, z.lo, z.hi = int64(off), math.MinInt64, math.MaxInt64
		if !start.IsZero() {
			z.lo = start.Unix()
		}
		if !end.IsZero() {
			z.hi = end.Unix()
		}
	}
	return z.off
}

// writerZone is the zone of a stripe's timestamps. Files of old writers name none and
// meant the reader's, which is UTC here.
func writerZone(name, path string) (zone, error) {
	switch name {
	case "", "UTC", "GMT", "Etc/UTC", "Z", "Etc/GMT", "UCT", "Zulu", "Greenwich", "Universal":
		return zone{base: epoch}, nil
	}
	loc := fixedZone(name)
	if loc == nil {
		var err error
		if strings.HasPrefix(name, "/") || strings.Contains(name, "..") || name == "Local" {
			err = formatError("not a zone name")
		} else {
			loc, err = time.LoadLocation(name)
		}
		if err != nil {
			return zone{}, sqlerr.New(sqlerr.UnknownTimeZone, "unknown time zone %q of the writer of %s", name, path)
		}
	}
	start := time.Date(2015, 1, 1, 0, 0, 0, 0, loc).Unix()
	_, january := time.Date(2037, 1, 1, 0, 0, 0, 0, loc).Zone()
	_, july := time.Date(2037, 7, 1, 0, 0, 0, 0, loc).Zone()
	return zone{base: start, loc: loc, early: int64(min(january, july))}, nil
}

// fixedZone parses Java's custom zones: GMT+8, GMT-08:30, +0530.
func fixedZone(name string) *time.Location {
	text := strings.TrimPrefix(strings.TrimPrefix(name, "GMT"), "UTC")
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return nil
	}
	digits := strings.ReplaceAll(text[1:], ":", "")
	if len(digits) <= 2 {
		digits += "00"
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n/100 > 23 || n%100 > 59 {
		return nil
	}
	off := int(n/100*3600 + n%100*60)
	if text[0] == '-' {
		off = -off
	}
	return time.FixedZone(name, off)
}

// lastHybridDay is 1582-10-15, from which on both calendars agree.
const lastHybridDay = -141427

// rebaseDates keeps the shown date of days that were counted in the hybrid calendar.
func rebaseDates(days []int32) {
	for i, d := range days {
		if d < lastHybridDay {
			days[i] = julianToGregorian(d)
		}
	}
}

// julianToGregorian reads a day as a Julian date and returns the day of the same date in
// the Gregorian calendar. 29 February of years that have none becomes 1 March.
func julianToGregorian(day int32) int32 {
	// Days since 0000-03-01 of the Julian calendar, in cycles of four years.
	n := int64(day) + 719470
	cycle := n / 1461
	if n%1461 < 0 {
		cycle--
	}
	n -= cycle * 1461
	year := min(n/365, 3)
	n -= year * 365
	m := (5*n + 2) / 153
	d := n - (153*m+2)/5 + 1
	y := cycle*4 + year
	month := m + 3
	if month > 12 {
		month -= 12
		y++
	}
	return int32(sqltype.DaysFromCivil(int(y), int(month), int(d)))
}
