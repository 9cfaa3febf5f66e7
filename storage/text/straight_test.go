package text

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

// TestBlocks compares the marks of 64 bytes with a look at every byte.
func TestBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 6))
	for range 2000 {
		look := [4]byte{',', '\n', '"', '\n'}
		if r.IntN(2) == 0 {
			look = [4]byte{byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))}
		}
		m := lineMarks{field: uint64(look[0]) * ones, line: uint64(look[1]) * ones, quote: uint64(look[2]) * ones, escape: uint64(look[3]) * ones}
		m.ascii = look[3] == look[1] && look[0]|look[1]|look[2] < 0x80
		var b [64]byte
		var found, stop uint64
		for i := range b {
			b[i] = look[r.IntN(4)] ^ []byte{0, 0, 0x80, 1, byte(r.IntN(256))}[r.IntN(5)]
			if b[i] == look[0] || b[i] == look[1] {
				found |= 1 << i
			}
			if b[i] == look[1] || b[i] == look[2] || b[i] == look[3] {
				stop |= 1 << i
			}
		}
		if f, s := m.block(&b); f != found || s != stop {
			t.Fatalf("%q in %q: %b and %b, want %b and %b", look, b, f, s, found, stop)
		}
	}
}

// rowsOf are rows of texts that mean something to some format, and of others.
func rowsOf(r *rand.Rand, o *Options, rows int) []byte {
	var out []byte
	specials := r.IntN(3) // none, few, many
	enclosed := o.Quote != 0 && r.IntN(2) == 0
	line := o.Line
	if line == 0 {
		line = '\n'
	}
	for range rows {
		fields := 4
		if r.IntN(20) == 0 {
			fields = r.IntN(8)
		}
		for k := range fields {
			if k > 0 {
				out = append(out, o.Field)
			}
			texts := []string{"", "1", "2.50", "-7", "12345678", "abc", "a longer text without any meaning", `\N`, "null", "2024-02-29", "é\xac", "\r", strings.Repeat("x", r.IntN(90))}
			if specials > 0 && r.IntN(40/(specials*specials)) == 0 {
				texts = []string{`"a,b"`, `"a""b"`, `a"b`, `"x` + string(line) + `y"`, `\,`, `a\\`, `\`, `"`, `"a"b`, `""`}
			}
			value := texts[r.IntN(len(texts))]
			if enclosed && r.IntN(3) > 0 {
				q := string(o.Quote)
				value = q + strings.ReplaceAll(value, q, "") + []string{"", string(o.Field), string(line), strings.Repeat(string(o.Field), r.IntN(200)), ""}[r.IntN(5)] + q
			}
			out = append(out, value...)
		}
		if r.IntN(8) == 0 && line == '\n' {
			out = append(out, '\r')
		}
		out = append(out, line)
	}
	if r.IntN(3) == 0 && len(out) > 0 {
		out = out[:len(out)-1-r.IntN(min(len(out), 5))]
	}
	return out
}

// TestStraight reads files with straight rows found many at a time, and every row by the splitter.
func TestStraight(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 7))
	text := sqltype.T(sqltype.String)
	straightRows, quotedRows, rounds := 0, 0, 60
	if testing.Short() {
		rounds = 15
	}
	for _, opt := range append(everyFormat(), Options{Kind: CSV, Field: ',', Line: '\n', HasNull: true}, Options{Kind: CSV, Field: 0xac, Quote: '\'', Escape: '^'},
		Options{Kind: CSV, Field: ',', Quote: ','}, Options{Kind: CSV, Field: '"', Quote: '"', Escape: '"'}) {
		if opt.Kind == JSON {
			continue
		}
		if opt.Field == 0 {
			opt.Field = ','
		}
		opt.Strict, opt.Header, opt.SkipTypes = false, false, false
		for range rounds {
			cols := []storage.Column{{Name: "a", Type: text}, {Name: "b", Type: text}, {Name: "c", Type: text}, {Name: "d", Type: text}}[:1+r.IntN(4)]
			data := rowsOf(r, &opt, r.IntN(600))
			every, block, batch, step := 1+r.IntN(3), []int{100, 5000, blockBytes}[r.IntN(3)], []int{1, 16, 100, 4096}[r.IntN(4)], []int64{1000, rangeBytes}[r.IntN(2)]
			read := func(general bool) []string {
				s, err := NewSource(memFS{data: data}, []string{"f"}, cols, opt)
				if err != nil {
					t.Fatal(err)
				}
				f := s.files[0]
				if f.step = step; !general {
					f.block = block
				}
				f.general = general
				rows, err := collect(t, s, every, batch)
				if err != nil {
					t.Fatal(err)
				}
				return rows
			}
			want, got := read(true), read(false)
			if !slices.Equal(got, want) {
				for i := range want {
					if i >= len(got) || got[i] != want[i] {
						t.Fatalf("%+v: row %d of %d (%d) of %q is not %q but %q", opt, i, len(got), len(want), data, want[i], got[i:min(i+1, len(got))])
					}
				}
				t.Fatalf("%+v: %d rows, want %d", opt, len(got), len(want))
			}
			rows, quoted := countStraight(t, data, cols, opt)
			if straightRows += rows; quoted {
				quotedRows += rows
			}
		}
	}
	if straightRows < 250*rounds || quotedRows < 5*rounds {
		t.Errorf("only %d rows were found many at a time, %d of them where quotes are", straightRows, quotedRows)
	}
}

// countStraight is how many rows at the beginning take finds in a file, and whether some had quotes.
func countStraight(t *testing.T, data []byte, cols []storage.Column, opt Options) (rows int, quoted bool) {
	s, err := NewSource(memFS{data: data}, []string{"f"}, cols, opt)
	if err != nil || len(data) == 0 {
		return 0, false
	}
	ordinals := make([]int, len(cols))
	for i := range ordinals {
		ordinals[i] = i
	}
	st := newStraight(newDelimitedSplitter(s.files[0], cols, ordinals), len(cols), len(data))
	if st == nil {
		return 0, false
	}
	rows, _ = st.take(data, 0, len(data), 0)
	return rows, st.marks.quoted
}

// TestStraightMarks reads rows of more marks than are kept, and rows that end long after what was looked at.
func TestStraightMarks(t *testing.T) {
	text := sqltype.T(sqltype.String)
	cols := []storage.Column{{Name: "a", Type: text}, {Name: "b", Type: text}}
	opt := Options{Kind: CSV, Field: ',', Quote: '"'}
	var data []byte
	for i := range 40 {
		data = append(data, "1,2\n3,4\n"...)
		if i%4 == 1 {
			data = append(append(data, strings.Repeat(",x", 1+i*10_000)...), '\n')
		}
		if i%4 == 2 {
			data = append(append(append(data, `5,"`...), strings.Repeat(",\n", 1000*i)...), "\"\n"...)
		}
	}
	read := func(general bool) []string {
		s, err := NewSource(memFS{data: data}, []string{"f"}, cols, opt)
		if err != nil {
			t.Fatal(err)
		}
		s.files[0].general = general
		rows, err := collect(t, s, 1, 4096)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if want, got := read(true), read(false); len(want) != 100 || !slices.Equal(got, want) {
		t.Fatalf("%d rows, want %d that are equal", len(got), len(want))
	}
}
