package runner

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/tpch"
)

// fake answers each query from the stored answers, after change has had its way.
type fake struct {
	name   string
	took   []time.Duration // of the runs, in order, repeated
	change func(n string, s *result.Set) error
	calls  *[]string
	runs   int
}

func (f *fake) Name() string      { return f.name }
func (f *fake) Version() string   { return "<1>" }
func (f *fake) PeakMemory() int64 { return 300 << 20 }
func (f *fake) Close() error      { return nil }

func (f *fake) Run(_ context.Context, query, _ string) (result.Set, time.Duration, error) {
	*f.calls = append(*f.calls, f.name)
	took := f.took[f.runs%len(f.took)]
	f.runs++
	for n := 1; n <= tpch.Count; n++ {
		if tpch.Name(n) != query {
			continue
		}
		set, err := result.Parse(tpch.Answer(n))
		if err == nil && f.change != nil {
			err = f.change(query, &set)
		}
		return set, took, err
	}
	return result.Set{}, 0, errors.New("no such query")
}

func ms(n ...int) (out []time.Duration) {
	for _, v := range n {
		out = append(out, time.Duration(v)*time.Millisecond)
	}
	return out
}

func tpchQueries(numbers []int) (out []Query) {
	for _, n := range numbers {
		out = append(out, Query{Name: tpch.Name(n), SQL: tpch.Query(n), Rules: tpch.Rules(n)})
	}
	return out
}

func run(t *testing.T, queries []int, change func(string, *result.Set) error) (*Report, []string) {
	t.Helper()
	var calls []string
	// The first of four runs warms up; the median of the others is 50 and 100.
	a := &fake{name: "A", took: ms(9000, 70, 50, 30), change: change, calls: &calls}
	b := &fake{name: "B", took: ms(1, 100, 300, 80), calls: &calls}
	r, err := Run(context.Background(), Plan{Queries: tpchQueries(queries), Runs: 3, Log: io.Discard}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	return r, calls
}

func TestRunTakesTurns(t *testing.T) {
	r, calls := run(t, []int{1, 6}, nil)
	if got, want := strings.Join(calls, ""), "ABBAABBA"+"ABBAABBA"; got != want {
		t.Errorf("the engines ran in the order %s, want %s", got, want)
	}
	if err := r.Err(); err != nil {
		t.Errorf("equal rows are reported as different: %v", err)
	}
	for _, q := range r.Queries {
		if a, b := q.Engines[0].Median(), q.Engines[1].Median(); a != 50*time.Millisecond || b != 100*time.Millisecond {
			t.Errorf("medians are %v and %v, want 50ms and 100ms", a, b)
		}
	}
	if mean, n := r.GeometricMean(); mean != 0.5 || n != 2 {
		t.Errorf("the geometric mean is %v over %d queries, want 0.5 over 2", mean, n)
	}
}

func TestRunFindsDifferences(t *testing.T) {
	r, _ := run(t, []int{1, 6}, func(query string, s *result.Set) error {
		if query == "q06" {
			s.Rows[0][0].Text = "1193053.2254"
		}
		return nil
	})
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "q06 on A: wrong rows") {
		t.Errorf("a wrong revenue gives %v", err)
	}
	if _, n := r.GeometricMean(); n != 1 {
		t.Errorf("%d queries count for the mean, want 1: the wrong one must not", n)
	}
}

func TestRunGoesOnAfterAnError(t *testing.T) {
	r, calls := run(t, []int{1, 6}, func(query string, s *result.Set) error {
		if query == "q01" {
			return errors.New("not supported yet")
		}
		return nil
	})
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "q01 on A: not supported yet") {
		t.Errorf("a failing query gives %v", err)
	}
	if n := strings.Count(strings.Join(calls, ""), "A"); n != 1+4 {
		t.Errorf("A ran %d times, want 5: a query that failed is not run again", n)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	r, _ := run(t, []int{1, 6}, func(query string, s *result.Set) error {
		if query == "q06" {
			return errors.New("not supported yet\nsecond line")
		}
		return nil
	})
	c := Context{Title: "tpch_sf1", Heading: "TPC-H", Threads: 2, Runs: 3, Machine: "a machine", Commit: "abc", Date: time.Unix(0, 0).UTC(), Notes: []string{"A note."}}
	write := func() string {
		t.Helper()
		if err := Write(dir, r, c); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	once := write()
	for _, want := range []string{
		"| q01 | 50.0 | 100.0 | 0.50 | 4 |", "| q06 | failed | 100.0 | | 1 |", "| sum | 50.0 | 100.0 | 0.50 | |",
		"- q06 on A: not supported yet\n", "1970-01-01, commit abc", "A note.", "**0.50**", "(tpch_sf1.svg)", "peak memory 300 MB",
	} {
		if !strings.Contains(once, want) {
			t.Errorf("the results lack %q:\n%s", want, once)
		}
	}
	if again := write(); again != once {
		t.Errorf("writing again changes the file:\n%s", again)
	}
	c.Title = "tpch_sf10"
	both := write()
	if !strings.HasPrefix(both, once) || !strings.Contains(both, "(tpch_sf10.svg)") {
		t.Errorf("another scale does not get a section of its own:\n%s", both)
	}
	picture, err := os.Open(filepath.Join(dir, "tpch_sf1.svg"))
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	d := xml.NewDecoder(picture)
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
	}
}
