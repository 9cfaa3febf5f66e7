package keymodel

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/storage"
)

var (
	long = flag.Bool("long", false, "10,000 steps, 60 kills")
	seed = flag.Uint64("seed", 0, "seed of the steps; 0: another one each time")
)

// What the environment tells a child: the folder, the seed and the first step.
const (
	childFolder = "BASALT_KEYMODEL_FOLDER"
	childSeed   = "BASALT_KEYMODEL_SEED"
	childFrom   = "BASALT_KEYMODEL_FROM"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(childFolder); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func pickSeed(t *testing.T) uint64 {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-seed %d", s)
	return s
}

// world is an engine with a session.
type world struct {
	dir string
	db  *basalt.DB
	s   *basalt.Session
}

func openWorld(dir string) (*world, error) { return openWorldOn(dir, nil) }

// openWorldOn is openWorld with a file system in place of the system's.
func openWorldOn(dir string, disk storage.FS) (*world, error) {
	db, err := basalt.Open(dir, basalt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Workers: 2, FS: disk,
		Settings: map[string]string{"dictionary_cache_limit": "1"}}) // each statement reads dictionaries anew, unless others have them
	if err != nil {
		return nil, err
	}
	w := &world{dir, db, db.NewSession(basalt.SessionOptions{})}
	for _, s := range shapes {
		if err := w.exec(s.create()); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) exec(sql string) error {
	_, err := w.s.Exec(context.Background(), sql)
	return err
}

func (w *world) take(c *change) error {
	if c.partial {
		for _, set := range []string{"enable_unique_key_partial_update = true", "enable_insert_strict = false"} {
			if _, err := w.s.Exec(context.Background(), "SET "+set); err != nil {
				return err
			}
		}
		defer func() {
			_, _ = w.s.Exec(context.Background(), "SET enable_unique_key_partial_update = false")
			_, _ = w.s.Exec(context.Background(), "SET enable_insert_strict = true")
		}()
	}
	for _, sql := range c.before {
		if err := w.exec(sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	err := w.exec(c.sql)
	if c.index && err != nil && (strings.Contains(err.Error(), "already exists") || strings.Contains(err.Error(), "does not exist")) {
		return nil
	}
	return err
}

// columns are the names and types of a table.
func (w *world) columns(table string) (string, error) {
	list, err := w.lines("SELECT ordinal_position + 100, column_name, column_type FROM information_schema.columns WHERE table_name = '" + table + "'")
	return strings.Join(list, ", "), err
}

// lines are the rows of a query as text, sorted.
func (w *world) lines(sql string) ([]string, error) {
	rows, err := w.s.Query(context.Background(), sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for {
		b, err := rows.NextBatch(context.Background())
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		for i := range b.NumRows() {
			var parts []string
			for _, c := range b.Cols {
				if c.IsNull(b.Row(i)) {
					parts = append(parts, null)
				} else {
					parts = append(parts, c.Value(b.Row(i)).Text())
				}
			}
			out = append(out, strings.Join(parts, "|"))
		}
	}
	slices.Sort(out)
	return out, nil
}

// check compares a table with its oracle: all rows, rows by conditions, and aggregates that need no merging.
func (w *world) check(t *testing.T, r *rand.Rand, o *oracle) {
	t.Helper()
	compare := func(sql string, want []string) {
		t.Helper()
		got, err := w.lines(sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s:\ngot  %v\nwant %v", sql, got, want)
		}
	}
	compare("SELECT * FROM "+o.name, o.lines())
	for _, c := range []condition{keyCondition(r), valueCondition(r, o.shape)} {
		var want []string
		n := 0
		o.each(func(x *row) {
			if c.match(x) {
				want = append(want, o.line(x))
				n++
			}
		})
		compare("SELECT * FROM "+o.name+" WHERE "+c.sql, want)
		compare("SELECT count(*) FROM "+o.name+" WHERE "+c.sql, []string{fmt.Sprint(n)})
	}
	if c := o.numbered; c != "" {
		sql := fmt.Sprintf("SELECT count(*) FROM %[1]s WHERE (bitmap_dict(%[2]s) IS NULL) <> (%[2]s IS NULL) OR bitmap_dict_text('%[1]s.%[2]s', bitmap_dict(%[2]s)) <> %[2]s OR bitmap_dict('%[1]s.%[2]s', %[2]s) <> bitmap_dict(%[2]s)", o.name, c)
		compare(sql, []string{"0"})
		compare(fmt.Sprintf("SELECT count(DISTINCT %[2]s) - count(DISTINCT bitmap_dict(%[2]s)) FROM %[1]s", o.name, c), []string{"0"})
	}
	c := keyCondition(r)
	sum, some := int64(0), false
	groups := map[string]int64{}
	o.each(func(x *row) {
		if v, ok := intOf(x.values[0]); ok && c.match(x) {
			sum, some = sum+v, true
			groups[x.k2] += v
		}
	})
	want := null
	if some {
		want = fmt.Sprint(sum)
	}
	compare("SELECT sum("+o.valueName(0)+") FROM "+o.name+" WHERE "+c.sql, []string{want})
	var grouped []string
	for k, v := range groups {
		grouped = append(grouped, fmt.Sprintf("%s|%d", k, v))
	}
	compare("SELECT k2, sum("+o.valueName(0)+") s FROM "+o.name+" WHERE "+c.sql+" GROUP BY k2 HAVING s IS NOT NULL", grouped)
}

// watch reads a table until the function is called that it returns: that one gives what a reader saw that was not there
// before, nil if all saw the same. Two different ones are an error.
func (w *world) watch(t *testing.T, o *oracle) func() []string {
	before, sql := o.lines(), "SELECT * FROM "+o.name
	stop, done := make(chan struct{}), make(chan []string)
	go func() {
		own := &world{w.dir, w.db, w.db.NewSession(basalt.SessionOptions{})}
		defer own.s.Close()
		var after []string
		for {
			got, err := own.lines(sql)
			switch {
			case err != nil:
				t.Errorf("%s, while it changes: %v", sql, err)
			case after != nil && !slices.Equal(got, after):
				t.Errorf("%s: readers see %v, then %v", sql, after, got)
			case after == nil && !slices.Equal(got, before):
				if after = got; got == nil {
					after = []string{}
				}
			}
			select {
			case <-stop:
				done <- after
				return
			default:
			}
		}
	}()
	return func() []string {
		close(stop)
		return <-done
	}
}

// TestInterleavings takes random steps in one process, with compaction in the background, and reopens now and then.
func TestInterleavings(t *testing.T) {
	base := pickSeed(t)
	steps := 250
	if *long {
		steps = 10_000
	}
	r := rand.New(rand.NewPCG(base, 1))
	w, err := openWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	oracles := newOracles()
	last := map[int][]string{} // by table
	for i := range steps {
		at, c := step(oracles, base, i)
		watched := func() []string { return nil }
		if r.IntN(3) == 0 {
			watched = w.watch(t, oracles[at])
		}
		if err := w.take(&c); err != nil {
			t.Fatalf("step %d: %s: %v", i, c.sql, err)
		}
		c.apply(oracles[at])
		if odd := watched(); odd != nil && !slices.Equal(odd, oracles[at].lines()) {
			t.Fatalf("step %d: %s: a reader sees neither what was nor what is:\n%v\nis %v", i, c.sql, odd, oracles[at].lines())
		}
		last[at] = append(last[at], fmt.Sprintf("step %d: %.300s", i, c.sql))
		if r.IntN(4) == 0 {
			before := t.Failed()
			func() {
				defer func() {
					if t.Failed() && !before {
						t.Logf("since the last check:\n%s", strings.Join(last[at], "\n"))
					}
				}()
				w.check(t, r, oracles[at])
			}()
			last[at] = nil
		}
		if r.IntN(150) == 0 {
			if err := w.db.Close(); err != nil {
				t.Fatal(err)
			}
			if w, err = openWorld(w.dir); err != nil {
				t.Fatal(err)
			}
			for _, o := range oracles {
				w.check(t, r, o)
			}
		}
	}
	for _, o := range oracles {
		w.check(t, r, o)
	}
	if err := w.db.Close(); err != nil {
		t.Error(err)
	}
}

// child takes steps until it is killed, and says which ones it begins and which ones are done.
func child(dir string) error {
	var base uint64
	var from int
	if _, err := fmt.Sscan(os.Getenv(childSeed)+" "+os.Getenv(childFrom), &base, &from); err != nil {
		return err
	}
	w, err := openWorld(dir)
	if err != nil {
		return err
	}
	oracles := newOracles()
	for i := 0; ; i++ {
		at, c := step(oracles, base, i)
		c.apply(oracles[at])
		if i < from {
			continue
		}
		if err := w.take(&c); err != nil {
			return fmt.Errorf("step %d: %s: %w", i, c.sql, err)
		}
		fmt.Println("done", i)
	}
}

// TestKills kills a process that takes steps: what it said to be done is there, and the step that it was in wholly
// or not at all.
func TestKills(t *testing.T) {
	base := pickSeed(t)
	kills := 3
	if *long {
		kills = 60
	}
	r := rand.New(rand.NewPCG(base, 2))
	dir := t.TempDir()
	oracles := newOracles()
	next := 0
	for range kills {
		last := runAndKill(t, dir, base, next, 3+r.IntN(60))
		for ; next <= last; next++ {
			at, c := step(oracles, base, next)
			c.apply(oracles[at])
		}
		w, err := openWorld(dir)
		if err != nil {
			t.Fatal(err)
		}
		at, c := step(oracles, base, next) // may be there
		got, err := w.lines("SELECT * FROM " + shapes[at].name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := w.columns(shapes[at].name)
		if err != nil {
			t.Fatal(err)
		}
		if before := oracles[at].lines(); !slices.Equal(got, before) || columns != oracles[at].definition() {
			c.apply(oracles[at])
			if after := oracles[at].lines(); !slices.Equal(got, after) {
				t.Fatalf("after step %d, in %s:\ngot    %v\nbefore %v\nafter  %v", next-1, c.sql, got, before, after)
			}
			next++
		} // else it is not, or taking it again gives the same
		for _, o := range oracles {
			w.check(t, r, o)
		}
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill runs a child from a step on and kills it after so many; it returns the last step that is done.
func runAndKill(t *testing.T, dir string, base uint64, from, steps int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFolder+"="+dir, fmt.Sprintf("%s=%d", childSeed, base), fmt.Sprintf("%s=%d", childFrom, from))
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last := from - 1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "done %d", &last); err != nil {
			t.Fatalf("%q", lines.Text())
		}
		if steps--; steps == 0 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if steps > 0 {
		t.Fatalf("the child ended by itself: %s", failed.String())
	}
	return last
}

// TestReadersSeeOneVersion: every statement changes all rows to one value, and no reader ever sees two, or a row more
// or less, while files are compacted.
func TestReadersSeeOneVersion(t *testing.T) {
	w, err := openWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.db.Close()
	const n = 3000
	rounds := 12
	if *long {
		rounds = 200
	}
	for _, sql := range []string{
		`CREATE TABLE one (k BIGINT, version INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 3`,
		`CREATE TABLE sums (k BIGINT, version INT MAX, loads BIGINT SUM) AGGREGATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 3`,
		fmt.Sprintf(`INSERT INTO one SELECT number, 0 FROM numbers("number"="%d")`, n),
		fmt.Sprintf(`INSERT INTO sums SELECT number, 0, 1 FROM numbers("number"="%d")`, n),
	} {
		if err := w.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	read := func(sql string, ok func(line string) bool) {
		wg.Go(func() {
			own := &world{w.dir, w.db, w.db.NewSession(basalt.SessionOptions{})}
			defer own.s.Close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				lines, err := own.lines(sql)
				if err != nil || len(lines) != 1 || !ok(lines[0]) {
					t.Errorf("%s: %v %v", sql, lines, err)
					return
				}
			}
		})
	}
	read(`SELECT count(*), min(version), max(version), count(DISTINCT k) FROM one`, func(line string) bool {
		var count, lo, hi, distinct int
		_, err := fmt.Sscanf(strings.ReplaceAll(line, "|", " "), "%d %d %d %d", &count, &lo, &hi, &distinct)
		return err == nil && count == n && lo == hi && distinct == n
	})
	read(`SELECT count(*), min(loads), max(loads), min(version), max(version) FROM sums`, func(line string) bool {
		var count, lo, hi, low, high int
		_, err := fmt.Sscanf(strings.ReplaceAll(line, "|", " "), "%d %d %d %d %d", &count, &lo, &hi, &low, &high)
		return err == nil && count == n && lo == hi && low == high && lo == low+1
	})
	read(fmt.Sprintf(`SELECT sum(loads) %% %d FROM sums`, n), func(line string) bool { return line == "0" })
	for i := 1; i <= rounds; i++ {
		sql := []string{
			fmt.Sprintf(`INSERT INTO one SELECT number, %d FROM numbers("number"="%d")`, i, n),
			fmt.Sprintf(`UPDATE one SET version = %d`, i),
		}[i%2]
		for _, sql := range []string{sql, fmt.Sprintf(`INSERT INTO sums SELECT number, %d, 1 FROM numbers("number"="%d")`, i, n)} {
			if err := w.exec(sql); err != nil {
				t.Fatal(err)
			}
		}
		if i%3 == 0 {
			for _, table := range []string{"one", "sums"} {
				if err := w.exec("ALTER TABLE " + table + " CONCATENATE"); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	close(stop)
	wg.Wait()
}

// TestConcurrentWriters load, update and delete the same keys at once, with compaction: the largest sequence of each key is
// what stays, once.
func TestConcurrentWriters(t *testing.T) {
	w, err := openWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.db.Close()
	if err := w.exec(`CREATE TABLE c (k BIGINT, writer INT, q BIGINT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES("function_column.sequence_col"="q")`); err != nil {
		t.Fatal(err)
	}
	if err := w.exec(`CREATE TABLE d (k BIGINT, v BIGINT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2`); err != nil {
		t.Fatal(err)
	}
	if err := w.exec(`INSERT INTO d SELECT number, 0 FROM numbers("number"="50")`); err != nil {
		t.Fatal(err)
	}
	const writers, n = 3, 200
	loads := 12
	if *long {
		loads = 150
	}
	var wg sync.WaitGroup
	for id := range writers {
		wg.Go(func() {
			own := &world{w.dir, w.db, w.db.NewSession(basalt.SessionOptions{})}
			defer own.s.Close()
			for i := range loads {
				// Sequences of the writers interleave; the last ones of each are the largest.
				sql := fmt.Sprintf(`INSERT INTO c SELECT number, %d, %d + number %% 3 FROM numbers("number"="%d")`, id, i*10+id, n)
				if err := own.exec(sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
				sql = `UPDATE d SET v = v + 1` // nothing is lost
				if err := own.exec(sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
				if i%5 == id {
					if err := own.exec("ALTER TABLE c CONCATENATE"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for k := range n {
		want = append(want, fmt.Sprintf("%d|%d|%d", k, writers-1, (loads-1)*10+writers-1+k%3))
	}
	slices.Sort(want)
	if got, err := w.lines("SELECT * FROM c"); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: %d rows\n%v\nwant\n%v", err, len(got), got, want)
	}
	if got, err := w.lines("SELECT min(v), max(v), count(*) FROM d"); err != nil || got[0] != fmt.Sprintf("%d|%d|50", writers*loads, writers*loads) {
		t.Errorf("%v %v, want %d updates", got, err, writers*loads)
	}
}
