package text

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// TestFastAgrees converts texts, good and bad, with the fast parsers and without them.
func TestFastAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	texts := []string{"", "-", ".", "-.", "1.", ".5", "-.5", "1.2.3", "+1", " 7", "7 ", "0", "-0", "00", "127", "128", "-128", "-129", "99999999", "1e3", "12a", "1/2", "1:2",
		"2024-02-29", "2023-02-29", "2024-13-01", "2024-00-01", "2024-1-1", "2024-01-0a", "20240101", "2024/01/01", "0000-01-01", "9999-12-31", "2024-01-31 10:00:00", "\xff\xff\xff", "1,5"}
	for range 3000 {
		n := 1 + r.IntN(10)
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789.-"[r.IntN(12-r.IntN(3))]
		}
		texts = append(texts, string(b))
		texts = append(texts, fmt.Sprintf("%d.%02d", r.IntN(100000)-50000, r.IntN(100)), fmt.Sprint(r.IntN(1<<r.IntN(31))-1000))
		texts = append(texts, fmt.Sprintf("%04d-%02d-%02d", r.IntN(10000), r.IntN(14), r.IntN(33)))
	}
	buf := []byte(strings.Join(texts, "|"))
	var spans []span
	at := 0
	for i, s := range texts {
		if spans = append(spans, span{uint32(at), int32(len(s)), 0}); i%50 == 49 {
			spans[i].n = missing
		}
		at += len(s) + 1
	}
	for _, typ := range []sqltype.Type{sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt), sqltype.T(sqltype.Int), sqltype.T(sqltype.BigInt), sqltype.T(sqltype.Double),
		sqltype.DecimalOf(18, 2), sqltype.DecimalOf(10, 2), sqltype.DecimalOf(9, 2), sqltype.DecimalOf(18, 10), sqltype.T(sqltype.Date)} {
		c := newConverter(storage.Column{Name: "c", Type: typ}, &Options{}, "x")
		if _, err := c.vector(buf, spans, nil); err != nil {
			t.Fatal(err)
		}
		parse, one := c.opt.parserOf(typ), vector.New(typ, 1)
		left, _ := c.fast(buf, spans, nil)
		if len(left) > len(texts)*95/100 {
			t.Errorf("%s: %d of %d are left", typ, len(left), len(texts))
		}
		got, _ := c.vector(buf, spans, nil)
		for i, s := range texts {
			one.Valid = nil
			if spans[i].n < 0 || !parse([]byte(s), one, 0) {
				if !got.IsNull(i) {
					t.Fatalf("%s: %q is %s, want NULL", typ, s, got.Value(i).Text())
				}
				continue
			}
			if want := one.Value(0); got.IsNull(i) || got.Value(i).Compare(want) != 0 {
				t.Fatalf("%s: %q is %s, want %s", typ, s, got.Value(i).Text(), want.Text())
			}
		}
	}
}

// TestMarks compares the blocks with a look at every byte.
func TestMarks(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for range 300 {
		b := make([]byte, 1+r.IntN(300))
		for i := range b {
			b[i] = ",\n\\a\xac\x2d\x00\x80"[r.IntN(8)]
		}
		m := newMarks(',', '\n', '\\')
		m.use(b)
		for i := 0; i <= len(b); i++ {
			if r.IntN(4) == 0 {
				i += r.IntN(100)
			}
			want := min(i, len(b))
			for want < len(b) && b[want] != ',' && b[want] != '\n' && b[want] != '\\' {
				want++
			}
			if got := m.next(b, min(i, len(b))); got != want {
				t.Fatalf("%q from %d: %d, want %d", b, i, got, want)
			}
		}
	}
}
