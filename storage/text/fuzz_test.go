package text

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// memFS is one file in memory.
type memFS struct {
	storage.FS
	data []byte
}

type memFile struct{ *bytes.Reader }

func (memFile) Close() error { return nil }

func (f memFile) Stat() (storage.FileInfo, error) {
	return storage.FileInfo{Name: "f", Size: f.Size(), ModTime: time.Unix(0, 0)}, nil
}

func (m memFS) Open(string) (storage.File, error)     { return memFile{bytes.NewReader(m.data)}, nil }
func (m memFS) Stat(string) (storage.FileInfo, error) { return memFile{bytes.NewReader(m.data)}.Stat() }

// everyType has columns of all types that texts are converted to.
func everyType() []storage.Column {
	text, number := sqltype.T(sqltype.String), sqltype.T(sqltype.Int)
	types := []sqltype.Type{number, text, sqltype.DecimalOf(10, 2), sqltype.ArrayOf(number), sqltype.T(sqltype.Date), sqltype.MapOf(text, sqltype.DecimalOf(20, 3)),
		sqltype.StructOf([]string{"a", "b"}, []sqltype.Type{number, sqltype.ArrayOf(sqltype.ArrayOf(text))}), sqltype.T(sqltype.TinyInt), sqltype.T(sqltype.SmallInt),
		sqltype.T(sqltype.BigInt), sqltype.T(sqltype.LargeInt), sqltype.DecimalOf(38, 10), sqltype.T(sqltype.Float), sqltype.T(sqltype.Double), sqltype.T(sqltype.Boolean),
		sqltype.DateTimeOf(6), {Kind: sqltype.Timestamp, Scale: 6}, {Kind: sqltype.Varchar, Length: 5}, {Kind: sqltype.Char, Length: 2}, sqltype.T(sqltype.Binary),
		sqltype.T(sqltype.JSON), sqltype.T(sqltype.Time), sqltype.MapOf(number, sqltype.ArrayOf(sqltype.T(sqltype.Double)))}
	var cols []storage.Column
	for i, t := range types {
		cols = append(cols, storage.Column{Name: string(rune('a' + i)), Type: t, Nullable: true})
	}
	return cols
}

// everyFormat are options of all kinds.
func everyFormat() []Options {
	escaped := Hive()
	escaped.Escape = '\\'
	return []Options{
		{Kind: CSV, Quote: '"', Line: '\n', HasNull: true, Strict: true}, {Kind: JSON, Strict: true}, Hive(), // the dialect or the schema may be inferred
		escaped, {Kind: JSON}, {Kind: CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n'}, {Kind: CSV, Field: ',', Quote: '"', Escape: '"', HasNull: true, Null: "null", Header: true, SkipTypes: true},
		{Kind: CSV, Field: '|', Line: ';', Skip: 1}, {Kind: Delimited, Field: ',', Line: '\n', Escape: ',', Nested: []byte{';', ':'}},
		{Kind: CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n', OneLine: true},
	}
}

// collect reads all columns, or up to an error, which must be the user's; a row a text. every picks one row in so many.
func collect(t testing.TB, s storage.Source, every, batch int) (rows []string, err error) {
	req := &storage.ScanRequest{Limit: -1, BatchRows: batch}
	for i := range s.Columns() {
		req.Columns = append(req.Columns, i)
	}
	if every > 1 {
		seen := 0
		req.Filters = []storage.Filter{{Columns: []int{0}, New: func() (storage.FilterFunc, error) {
			return func(_ []*vector.Vector, n int, sel []int32) (out []int32, _ error) {
				for i := range n {
					if seen++; seen%every == 0 {
						out = append(out, int32(i))
					}
				}
				return out, nil
			}, nil
		}}}
	}
	ctx := context.Background()
	splits, err := s.Splits(ctx, req)
	var b *vector.Batch
	for _, sp := range splits {
		var r storage.Reader
		if r, err = s.Open(ctx, sp, req); err != nil {
			break
		}
		for b, err = r.Next(ctx); b != nil && err == nil; b, err = r.Next(ctx) {
			for k := range b.NumRows() {
				var row strings.Builder
				for _, c := range b.Cols {
					if c.Len != b.Len {
						t.Fatalf("vector of %d rows in a batch of %d", c.Len, b.Len)
					}
					fmt.Fprintf(&row, "%s\x00", c.Value(b.Row(k)).Text())
				}
				rows = append(rows, row.String())
			}
		}
		r.Close()
		if err != nil {
			break
		}
	}
	if err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) && !sqlerr.Is(err, sqlerr.WrongValue) {
		t.Fatalf("not an error for users: %v", err)
	}
	return rows, err
}

// FuzzRead reads hostile text with an inferred schema.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\"\"y\"\n"), uint8(0))
	f.Add([]byte("{\"a\":[1,{\"b\":null}]}\n"), uint8(1))
	f.Add([]byte("1\x012\x02\x033\n"), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		s, err := NewSource(memFS{data: data}, []string{"f"}, nil, everyFormat()[kind%3])
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptFile) {
				t.Fatalf("not an error for users: %v", err)
			}
			return
		}
		s.files[0].step = max(7, int64(len(data)/16)) // each range costs what the columns do
		_, _ = collect(t, s, 1, 100)
	})
}

// FuzzTable reads hostile text as columns of all types: small reads give what large ones do, and a filter the rows that it
// lets pass.
func FuzzTable(f *testing.F) {
	f.Add([]byte("1,abc,2.50,\"[1,2]\",2024-02-29,\"{\"\"k\"\":1.5}\",\"{\"\"a\"\":1,\"\"b\"\":[[\"\"x\"\"]]}\",4,5,6\n2,,,,\n"), uint8(0), uint8(1))
	f.Add([]byte("{\"a\":1,\"B\":\"x\\u00e9\\n\",\"d\":[1,null,3],\"f\":{\"k\":1.5},\"g\":{\"a\":1,\"b\":[[\"x\"],null]},\"p\":\"2024-01-01 10:00:00.5Z\"}\n{}\n"), uint8(1), uint8(3))
	f.Add([]byte("1\x01a\x012.5\x011\x022\x012024-01-01\x01k\x031.5\x02l\x032\x011\x02x\x04y\x03z\x011\x01\\N\n\n"), uint8(2), uint8(5))
	f.Add([]byte("1\x01a\\\x01b\\n\\\n\x012.5\x011\\\x02\x022\n"), uint8(3), uint8(2))
	f.Add([]byte("[{\"a\":1},\n{\"a\":[{}]}, {\"c\":1e3,\"k\":-170141183460469231731687303715884105728}]"), uint8(4), uint8(9))
	f.Add([]byte("\"1\",\"a\\\"b\",\"2\"\"x\nd\"\r\n"), uint8(5), uint8(1))
	f.Add([]byte("c,b,zz\nint,string,int\n1.005,\"null\",null\n"), uint8(6), uint8(4))
	f.Add([]byte("x;1|b|3.14159;|"), uint8(7), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, kind, step uint8) {
		formats := everyFormat()
		opt := formats[int(kind)%len(formats)]
		if opt.Kind == CSV && opt.Field == 0 {
			opt.Field = ','
		}
		opt.Strict = false
		general := false
		read := func(block int, step int64, every int) ([]string, error) {
			s, err := NewSource(memFS{data: data}, []string{"f"}, everyType(), opt)
			if err != nil {
				t.Fatal(err)
			}
			s.files[0].block, s.files[0].step, s.files[0].general = block, step, general
			return collect(t, s, every, 100)
		}
		step = max(step, uint8(min(len(data)/16, 255)))
		want, err := read(blockBytes, rangeBytes, 1)
		small, errSmall := read(1, rangeBytes, 1)
		if (err == nil) != (errSmall == nil) || err == nil && !slices.Equal(small, want) {
			t.Fatalf("read in small blocks: %q, %v, not %q, %v", small, errSmall, want, err)
		}
		general = true
		if one, errOne := read(1+int(step), rangeBytes, 1); err == nil && (errOne != nil || !slices.Equal(one, want)) {
			t.Fatalf("read a row at a time: %q, %v, not %q", one, errOne, want)
		}
		general = false
		if picked, err := read(1+int(step), rangeBytes, 2); err == nil {
			for i, row := range picked {
				if row != want[2*i+1] {
					t.Fatalf("row %d with a filter is %q, not %q", 2*i+1, row, want[2*i+1])
				}
			}
		}
		ranges, err := read(1+int(step), 1+int64(step), 1)
		if (opt.Kind == Delimited || opt.OneLine) && (err != nil || !slices.Equal(ranges, want)) {
			t.Fatalf("read by ranges: %q, %v, not %q", ranges, err, want)
		}
	})
}

var endings = []string{".gz", ".bz2", ".zst", ".snappy", ".deflate", ".lz4"}

// FuzzCompressed reads hostile compressed files, and text that our writer compressed.
func FuzzCompressed(f *testing.F) {
	for i, end := range endings {
		for name, e := range Compressions {
			if e == end {
				f.Add(compressed(f, name, []byte("1,2\n3,4\n"+strings.Repeat("5,6\n", 100))), uint8(i))
			}
		}
	}
	f.Add([]byte("\xff\x06\x00\x00sNaPpY\x01\x08\x00\x00\x01\x02\x03\x04a,b\n"), uint8(3))
	f.Add([]byte("BZh91AY&SY\x94$|\xd2\x00\x00\x01\x81\x80\x00\x02D\x00 \x000\xcc4\x19\x97\x17rE8P\x90\x94$|\xd2"), uint8(1))
	f.Add([]byte("x\x9c3\xd41\xe22\xd61\xe1\x02\x00\x05\xe4\x017"), uint8(4))              // zlib
	f.Add([]byte("\x00\x00\x00\x08\x00\x00\x00\x09\x801,2\n3,4\n"), uint8(5))              // blocks of Hadoop
	f.Add([]byte("\x04\"M\x18`@\x82\x08\x00\x00\x801,2\n3,4\n\x00\x00\x00\x00"), uint8(5)) // a frame
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		read := func(end string, data []byte) ([]string, error) {
			s, err := NewSource(memFS{data: data}, []string{"f" + end}, stringColumns(2), Options{Kind: CSV, Field: ',', Line: '\n'})
			if err != nil {
				return nil, err
			}
			return collect(t, s, 1, 100)
		}
		_, _ = read(endings[int(kind)%len(endings)], data)
		want, err := read("", data)
		if err != nil {
			t.Fatal(err)
		}
		name := []string{"gzip", "zstd", "snappy"}[kind%3]
		if got, err := read(Compressions[name], compressed(t, name, data)); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s: %q, %v, not %q", name, got, err, want)
		}
	})
}

func compressed(t testing.TB, name string, data []byte) []byte {
	var out bytes.Buffer
	w, err := compressor(&out, name)
	if w == nil || err != nil {
		return data
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// FuzzLoad reads hostile files as LOAD DATA does: small reads give what large ones do, problems included.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("1\tabc\t2.555\n\\N\tx\\\ty\t1e9\nz\n"), uint8(0))
	f.Add([]byte("1,\"a,\"\"b\nc\",NULL\r\n300,\\N,\"2\",4\r\n"), uint8(1))
	f.Add([]byte("skip\nxxx1||a||2<>yyyxxx3||b|<>"), uint8(2))
	f.Add([]byte("'1'ab'2'\n''''"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		o := []LoadOptions{
			{Field: "\t", Line: "\n", Escape: '\\'}, {Field: ",", Line: "\r\n", Quote: '"', Escape: '\\', Skip: 1},
			{Field: "||", Line: "<>", Starting: "xxx"}, {Field: "ab", Line: "\n", Quote: '\'', Escape: '\''}, {Field: "\n", Line: "\n\n", Quote: '"'},
		}[kind%5]
		for i, c := range everyType() {
			c.Nullable = i%2 == 0
			o.Columns = append(o.Columns, LoadColumn{Column: c, Default: vector.NullOf(c.Type)})
		}
		read := func(block int) ([]string, error) {
			var told []string
			o.Report = func(p *LoadProblem) error {
				told = append(told, fmt.Sprintf("%d %d %s %q", p.Row, p.Kind, p.Column, p.Value))
				return nil
			}
			l, err := NewLoader(memFS{data: data}, "f", o)
			if err != nil {
				t.Fatal(err)
			}
			l.block = block
			rows, err := collect(t, l, 1, 100)
			return append(rows, told...), err
		}
		want, err := read(blockBytes)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := read(1); err != nil || !slices.Equal(got, want) {
			t.Fatalf("read in small blocks: %q, %v, not %q", got, err, want)
		}
	})
}

// TestHostileMemory: short files do not take much memory, or long, whatever they declare.
func TestHostileMemory(t *testing.T) {
	digits := "0." + strings.Repeat("9", 1<<20)
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%d":1,`, i)
		}
		return "{" + strings.TrimSuffix(b.String(), ",") + "}"
	}
	for _, c := range []struct {
		name, file string
		data       string
		cols       []storage.Column
		megabytes  uint64
	}{
		{"snappy chunk", "f.csv.snappy", "\x03\xff\xff\xff\x03\xff\xff\xffx", stringColumns(1), 16},
		{"snappy text", "f.csv.snappy", "\x03\xff\xff\xff\x00\x00\x00\x07\xff\xff\xff\x1f\x04ab", stringColumns(1), 16},
		{"zstd window", "f.csv.zst", "\x28\xb5\x2f\xfd\x00\x80\x09\x00\x00x", stringColumns(1), 160},
		{"zstd large window", "f.csv.zst", "\x28\xb5\x2f\xfd\x00\xa0\x09\x00\x00x", stringColumns(1), 16},
		{"many columns", "f.csv", strings.Repeat(",", 9000) + "\n1\n", nil, 64},
		{"equal names", "f.csv", strings.Repeat("a,", 9000) + "\n1\n", nil, 64},
		{"many keys", "f.json", keys(200_000), nil, 64},
		{"many keys inside", "f.json", `{"a":` + keys(200_000) + "}", nil, 64},
		{"digits", "f.csv", digits + "\n", []storage.Column{{Name: "a", Type: sqltype.DecimalOf(20, 3)}}, 32},
	} {
		opt := Options{Kind: CSV, Field: ',', Line: '\n', Header: c.name == "equal names"}
		if strings.HasSuffix(c.file, ".json") {
			opt = Options{Kind: JSON}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := NewSource(memFS{data: []byte(c.data)}, []string{c.file}, c.cols, opt)
		if err == nil {
			_, err = collect(t, s, 1, 0)
		}
		runtime.ReadMemStats(&after)
		if err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > c.megabytes {
			t.Errorf("%s: %d bytes took %d MB (%v)", c.name, len(c.data), got, err)
		}
	}
}
