package partition

import (
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Roll is a window of partitions that moves with the clock: Doris's dynamic partitions.
type Roll struct {
	Unit string // HOUR, DAY, WEEK, MONTH, YEAR
	// First and End are the offsets of the first and the last partition that are made, in units from
	// now; partitions that end before the one at offset Start are dropped.
	First, Start, End int
	WeekDay           int            // 1 (Monday) … 7: where weeks begin
	MonthDay          int            // 1 … 28: where months begin
	Zone              *time.Location // nil: the clock's own
	Reserved          []Period       // partitions that are never dropped
}

// Period is a closed range of values of the partition column.
type Period struct{ From, To vector.Value }

// border is the start of the unit that lies offset units after the one of now, as a wall clock.
func (r *Roll) border(now time.Time, offset int) time.Time {
	if r.Zone != nil {
		now = now.In(r.Zone)
	}
	y, m, d := now.Date()
	wall := time.Date(y, m, d, now.Hour(), 0, 0, 0, time.UTC)
	switch r.Unit {
	case "HOUR":
	case "WEEK":
		wall = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		back := (int(wall.Weekday()) - r.WeekDay + 7) % 7
		wall = wall.AddDate(0, 0, -back)
	case "MONTH":
		if d < r.MonthDay {
			m--
		}
		wall = time.Date(y, m, r.MonthDay, 0, 0, 0, 0, time.UTC)
	default:
		wall = truncateTime(wall, r.Unit)
	}
	return shiftTime(wall, offset, r.Unit)
}

// Wanted are the partitions of the window at now, oldest first; those outside of the years of t
// are left out.
func (r *Roll) Wanted(t sqltype.Type, prefix string, now time.Time) []Named {
	var out []Named
	for i := r.First; i <= r.End; i++ {
		from := r.border(now, i)
		lower, ok1 := ValueOf(t, from)
		upper, ok2 := ValueOf(t, r.border(now, i+1))
		if ok1 && ok2 {
			out = append(out, Named{prefix + unitName(from, r.Unit), storage.PartitionBounds{
				Lower: []storage.Endpoint{EndpointOf(lower)}, Upper: []storage.Endpoint{{Value: upper}}}})
		}
	}
	return out
}

// Expired names the partitions that end before the window, and are not reserved.
func (r *Roll) Expired(t sqltype.Type, now time.Time, have []Named) []string {
	v, ok := ValueOf(t, r.border(now, r.Start))
	if !ok {
		return nil
	}
	limit := []storage.Endpoint{EndpointOf(v)}
	var out []string
	for i := range have {
		b := &have[i].Bounds
		if CompareBound(b.Upper, limit) <= 0 && !r.reserved(b) {
			out = append(out, have[i].Name)
		}
	}
	return out
}

func (r *Roll) reserved(b *storage.PartitionBounds) bool {
	for _, p := range r.Reserved {
		if CompareBound(b.Lower, []storage.Endpoint{EndpointOf(p.To)}) <= 0 && CompareBound([]storage.Endpoint{EndpointOf(p.From)}, b.Upper) < 0 {
			return true
		}
	}
	return false
}

// ReadPeriods reads [from,to],[from,to] with dates or moments; "" and NULL are none.
func ReadPeriods(t sqltype.Type, text string) ([]Period, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.EqualFold(text, "NULL") {
		return nil, nil
	}
	malformed := sqlerr.Detail("Invalid periods: %s, [from,to],[from,to] is expected", text)
	var out []Period
	for text != "" {
		body, rest, ok := strings.Cut(text, "]")
		body, open := strings.CutPrefix(strings.TrimSpace(body), "[")
		from, to, comma := strings.Cut(body, ",")
		if !ok || !open || !comma {
			return nil, malformed
		}
		var p Period
		for _, end := range []struct {
			text string
			to   *vector.Value
		}{{from, &p.From}, {to, &p.To}} {
			v, ok := readMoment(t, strings.Trim(strings.TrimSpace(end.text), `"'`))
			if !ok {
				return nil, malformed
			}
			*end.to = v
		}
		if p.From.Compare(p.To) > 0 {
			return nil, malformed
		}
		out = append(out, p)
		text = strings.TrimSpace(rest)
		if text != "" {
			if text, ok = strings.CutPrefix(text, ","); !ok || strings.TrimSpace(text) == "" {
				return nil, malformed
			}
			text = strings.TrimSpace(text)
		}
	}
	return out, nil
}

func readMoment(t sqltype.Type, text string) (vector.Value, bool) {
	for _, layout := range []string{time.DateOnly, time.DateTime} {
		if m, err := time.Parse(layout, text); err == nil {
			return ValueOf(t, m)
		}
	}
	return vector.Value{}, false
}
