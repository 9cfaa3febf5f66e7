package sqltype

import (
	"testing"
	"time"
)

// TestCivil compares every day of the years 0 … 9999 with package time.
func TestCivil(t *testing.T) {
	at := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := int32(MinDate); d <= MaxDate; d++ {
		y, m, day := CivilFromDays(d)
		ty, tm, td := at.Date()
		if y != ty || m != int(tm) || day != td {
			t.Fatalf("%d: got %d-%d-%d, want %d-%d-%d", d, y, m, day, ty, tm, td)
		}
		if got := DaysFromCivil(y, m, day); got != int(d) {
			t.Fatalf("%d-%d-%d: got %d, want %d", y, m, day, got, d)
		}
		if day == 1 {
			if n := at.AddDate(0, 1, -1).Day(); n != DaysInMonth(y, m) {
				t.Fatalf("%d-%d has %d days, got %d", y, m, n, DaysInMonth(y, m))
			}
		}
		at = at.AddDate(0, 0, 1)
	}
}
