package runner

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
)

// TestCrowd: every person has a session that is set up, each answer is compared, and each is timed.
func TestCrowd(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	setup, err := ExternalTables("tpch", "data", tpchgen.Tables())
	if err != nil {
		t.Fatal(err)
	}
	s, err := StartServer(ctx, ServerOptions{Binary: binary, StateDir: t.TempDir(), Setup: setup, Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := Crowd{People: 5, Rounds: 2, Setup: append(setup, "SET parallel_fragment_exec_instance_num = 3"), Want: map[string]result.Set{}}
	for _, n := range []int{1, 3, 6} {
		q := Query{Name: tpch.Name(n), SQL: tpch.Query(n), Rules: tpch.Rules(n)}
		c.Queries = append(c.Queries, q)
		if c.Want[q.Name], err = result.Parse(tpch.Answer(n)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Run(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pages) != 10 || len(r.Queries) != 30 || r.Pages[0] < r.Queries[0] || r.Queries[0] <= 0 {
		t.Errorf("%d dashboards %v, %d queries %v", len(r.Pages), r.Pages, len(r.Queries), r.Queries)
	}
	wrong := func(want string, change func(c *Crowd)) {
		t.Helper()
		other := c
		change(&other)
		if _, err := other.Run(ctx, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	name := c.Queries[1].Name
	wrong("not set up", func(c *Crowd) { c.Setup = setup })
	wrong(name+": wrong rows", func(c *Crowd) { c.Want = map[string]result.Set{c.Queries[0].Name: c.Want[c.Queries[0].Name], name: {}} })
	wrong(name+": there are no rows", func(c *Crowd) { c.Want = map[string]result.Set{c.Queries[0].Name: c.Want[c.Queries[0].Name]} })
}

func TestPercentile(t *testing.T) {
	var ts []time.Duration
	if got := Percentile(ts, 95); got != 0 {
		t.Errorf("of none: %v", got)
	}
	for n := 1; n <= 40; n++ {
		ts = append(ts, time.Duration(n))
	}
	for p, want := range map[int]time.Duration{0: 1, 1: 1, 50: 20, 51: 21, 95: 38, 100: 40} {
		if got := Percentile(ts, p); got != want {
			t.Errorf("percentile %d of 1 to 40: %d, want %d", p, got, want)
		}
	}
}
