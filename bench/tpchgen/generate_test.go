package tpchgen

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// pool is shared by the tests: it takes a second to make.
var pool = sync.OnceValue(func() textPool {
	p, err := newTextPool(context.Background(), newVocabulary())
	if err != nil {
		panic(err)
	}
	return p
})

func testGenerator(t *testing.T, opts Options) *generator {
	t.Helper()
	g, err := newGenerator(opts)
	if err != nil {
		t.Fatal(err)
	}
	g.vocabulary, g.pool = newVocabulary(), pool()
	return g
}

// row writes row i of a chunk as the official text format does.
func row(tab *table, c *chunk, i int) string {
	var fields []string
	for col, def := range tab.columns {
		v := &c.columns[col]
		switch def.kind {
		case kindInt32:
			fields = append(fields, fmt.Sprint(v.i32[i]))
		case kindDate:
			fields = append(fields, fmt.Sprint("d", v.i32[i]))
		case kindInt64:
			fields = append(fields, fmt.Sprint(v.i64[i]))
		case kindDecimal:
			fields = append(fields, fmt.Sprintf("%d.%02d", v.i64[i]/100, v.i64[i]%100))
		case kindText:
			fields = append(fields, string(v.text[i]))
		}
	}
	return strings.Join(fields, "|")
}

// TestOfficialRows compares first rows at scale factor 1 with those that other ports of
// the official program give.
func TestOfficialRows(t *testing.T) {
	g := testGenerator(t, Options{ScaleFactor: 1, Dir: "unused"})
	check := func(table string, source int64, at int, want string) {
		t.Helper()
		for _, j := range g.jobs() {
			i := slices.Index(j.tables, table)
			if i < 0 {
				continue
			}
			var out []*chunk
			for _, name := range j.tables {
				out = append(out, newChunk(tableNamed(name)))
			}
			j.rows.fill(1, source+1, out)
			if got := row(tableNamed(table), out[i], at); got != want {
				t.Errorf("%s row %d is\n%s, want\n%s", table, at+1, got, want)
			}
		}
	}
	check("region", 5, 0, "0|AFRICA|lar deposits. blithely final packages cajole. regular waters are final requests. regular accounts are according to ")
	check("nation", 25, 1, "1|ARGENTINA|1|al foxes promise slyly according to the regular accounts. bold requests alon")
	check("supplier", 1, 0, "1|Supplier#000000001| N kD4on9OM Ipw3,gf0JBoQDd7tgrzrddZ|17|27-918-335-1736|5755.94|each slyly above the careful")
	check("customer", 2, 1, "2|Customer#000000002|XSTf4,NCwDVaWNe6tEgvwfmRchLXak|13|23-768-687-3665|121.65|AUTOMOBILE|l accounts. blithely ironic theodolites integrate boldly: caref")
	check("part", 1, 0, "1|goldenrod lavender spring chocolate lace|Manufacturer#1|Brand#13|PROMO BURNISHED COPPER|7|JUMBO PKG|901.00|ly. slyly ironi")
	check("partsupp", 1, 0, "1|2|3325|771.64|, even theodolites. regular, final theodolites eat after the carefully pending foxes. furiously regular deposits sleep slyly. carefully bold realms above the ironic dependencies haggle careful")
	check("orders", 1, 0, "1|36901|O|173665.47|d9497|5-LOW|Clerk#000000951|0|nstructions sleep furiously among ")
	check("lineitem", 1, 3, "1|2132|4633|4|28.00|28955.64|0.09|0.06|N|O|d9607|d9585|d9632|NONE|AIR|lites. fluffily even de")
}

// TestFiles generates a small scale twice, in one file and in three, and checks the
// folders, the types, the rows and that both hold the same.
func TestFiles(t *testing.T) {
	want := map[string]int64{
		"lineitem": 60175, "orders": 15000, "partsupp": 8000, "part": 2000,
		"customer": 1500, "supplier": 100, "nation": 25, "region": 5,
	}
	var sums [2]map[string]string
	dir := t.TempDir()
	for run, files := range []int{3, 1} { // the second run must remove the first one's files
		done := map[string]int64{}
		g := testGenerator(t, Options{
			ScaleFactor: 0.01, Dir: dir, FilesPerTable: files, RowGroupRows: 10_000,
			Progress: func(table string, rows, total int64) {
				if rows < done[table] || total < rows {
					t.Errorf("%s: progress went from %d to %d of %d", table, done[table], rows, total)
				}
				done[table] = rows
			},
		})
		for _, j := range g.jobs() {
			if err := g.run(context.Background(), j); err != nil {
				t.Fatal(err)
			}
		}
		sums[run] = map[string]string{}
		for name, rows := range want {
			paths, err := filepath.Glob(filepath.Join(dir, name, "*"))
			if err != nil {
				t.Fatal(err)
			}
			if expected := min(files, max(1, int(rows/30))); len(paths) != expected {
				t.Errorf("%s has the files %v, want %d", name, paths, expected)
			}
			got, sum := readFiles(t, name, paths)
			if got != rows || done[name] != rows {
				t.Errorf("%s has %d rows, progress says %d, want %d", name, got, done[name], rows)
			}
			sums[run][name] = sum
		}
	}
	for name := range want {
		if sums[0][name] != sums[1][name] {
			t.Errorf("%s differs between three files and one", name)
		}
	}
}

// readFiles returns the rows of the files and a digest of their values in order.
func readFiles(t *testing.T, name string, paths []string) (rows int64, sum string) {
	t.Helper()
	h := sha256.New()
	columns := tableNamed(name).columns
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		p, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		rows += p.NumRows()
		for i, c := range p.Root().Columns() {
			if c.Name() != columns[i].name {
				t.Fatalf("%s: column %d is %s, want %s", path, i, c.Name(), columns[i].name)
			}
		}
		for n, group := range p.RowGroups() {
			if group.NumRows() > 10_000 || group.NumRows() < 10_000 && n < len(p.RowGroups())-1 {
				t.Errorf("%s: row group %d has %d rows", path, n, group.NumRows())
			}
			r := parquet.NewRowGroupReader(group)
			buf := make([]parquet.Row, 500)
			for {
				k, err := r.ReadRows(buf)
				for _, row := range buf[:k] {
					fmt.Fprintf(h, "%v\n", row)
				}
				if err != nil {
					break
				}
			}
		}
	}
	return rows, string(h.Sum(nil))
}

func TestOptions(t *testing.T) {
	check := func(opts Options, want string) {
		t.Helper()
		if err := Generate(context.Background(), opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Generate(%+v) gives %v, want an error about %q", opts, err, want)
		}
	}
	check(Options{ScaleFactor: 1}, "folder")
	check(Options{Dir: "d"}, "scale factor")
	check(Options{Dir: "d", ScaleFactor: 20000}, "scale factor")
	check(Options{Dir: "d", ScaleFactor: 1, Tables: []string{"lineitems"}}, "lineitems")
	check(Options{Dir: "d", ScaleFactor: 1, RowGroupRows: -1}, "negative")
}

// failingWriter fails at its second chunk, or cancels the run there.
type failingWriter struct {
	chunks, aborted int
	cancel          context.CancelFunc
}

var errFull = errors.New("no space")

func (w *failingWriter) Write(*chunk) error {
	if w.chunks++; w.chunks < 2 {
		return nil
	}
	if w.cancel != nil {
		w.cancel()
		return nil
	}
	return errFull
}
func (w *failingWriter) Close() error { return errors.New("closed after a failure") }
func (w *failingWriter) Abort()       { w.aborted++ }

func TestFailures(t *testing.T) {
	check := func(cancelled bool, want error) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		g := testGenerator(t, Options{ScaleFactor: 0.1, Dir: t.TempDir(), Tables: []string{"lineitem"}})
		w := &failingWriter{}
		if cancelled {
			w.cancel = cancel
		}
		g.newWriter = func(*table, string, int) (tableWriter, error) { return w, nil }
		if err := g.run(ctx, g.jobs()[0]); !errors.Is(err, want) {
			t.Errorf("the run gives %v, want %v", err, want)
		}
		if w.aborted != 1 {
			t.Errorf("the writer was aborted %d times, want once", w.aborted)
		}
	}
	check(false, errFull)
	check(true, context.Canceled)
}
