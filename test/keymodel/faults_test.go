package keymodel

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/test/faults"
)

// TestFaults takes random steps on a disk that fails, and opens the folder anew now and then: a step that fails has changed nothing
// or, where it failed behind its commit, all; and no file is left that nobody lists.
func TestFaults(t *testing.T) {
	base := pickSeed(t)
	steps := 250
	if *long {
		steps = 10_000
	}
	r := rand.New(rand.NewPCG(base, 3))
	disk := faults.New()
	w, err := openWorldOn(t.TempDir(), disk)
	if err != nil {
		t.Fatal(err)
	}
	oracles := newOracles()
	failed, after := 0, 0
	reopen := func(i int) {
		for range 2 { // the first time sweeps what faults left
			if err := w.db.Close(); err != nil {
				t.Fatal(err)
			}
			if w, err = openWorldOn(w.dir, disk); err != nil {
				t.Fatal(err)
			}
			for _, o := range oracles {
				w.check(t, r, o)
			}
		}
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := faults.Orphans(w.dir); err != nil {
			t.Fatalf("before step %d: %v", i, err)
		}
		if w, err = openWorldOn(w.dir, disk); err != nil {
			t.Fatal(err)
		}
	}
	for i := range steps {
		at, c := step(oracles, base, i)
		o := oracles[at]
		if r.IntN(3) > 0 {
			kinds := []faults.Kind{faults.Writes, faults.Writes, faults.Reads, faults.Removes, faults.Writes | faults.Reads | faults.Removes}[r.IntN(5)]
			disk.Fail(faults.Plan{Kinds: kinds, After: r.IntN([]int{4, 20, 60}[r.IntN(3)]), On: r.IntN(2) == 0})
		}
		err := w.take(&c)
		disk.Heal()
		if err == nil {
			c.apply(o)
		} else {
			failed++
			building := strings.Contains(err.Error(), "state(ROLLUP) is not NORMAL") // an earlier fault hit an index's build, which waits
			if !errors.Is(err, faults.Err) && !building {
				t.Fatalf("step %d: %s: %v", i, c.sql, err)
			}
			got, err := w.lines("SELECT * FROM " + o.name)
			if err != nil {
				t.Fatalf("after step %d, %s, failed: %v", i, c.sql, err)
			}
			columns, err := w.columns(o.name)
			if err != nil {
				t.Fatal(err)
			}
			if before := o.lines(); !slices.Equal(got, before) || columns != o.definition() {
				c.apply(o)
				if want := o.lines(); !slices.Equal(got, want) || columns != o.definition() {
					t.Fatalf("after step %d, %s, failed:\ngot    %v\nbefore %v\nafter  %v\n%s\n%s", i, c.sql, got, before, want, columns, o.definition())
				}
				after++
			}
		}
		if r.IntN(4) == 0 {
			w.check(t, r, o)
		}
		if r.IntN(60) == 0 {
			reopen(i)
		}
	}
	reopen(steps)
	if err := w.db.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d of %d steps failed, %d of them behind their commit", failed, steps, after)
	if failed < steps/8 {
		t.Errorf("only %d of %d steps failed", failed, steps)
	}
}
