package random

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/test/faults"
)

// TestRandomAlter changes the columns of tables of every model and format at random, between loads, deletes, merges of
// files and restarts, and compares them with an oracle after each step. What the engine refuses, and what a failing disk
// cuts off, must change nothing; what is light must leave every file as it was.
func TestRandomAlter(t *testing.T) {
	first, seeds, steps := uint64(1), uint64(2), 20
	switch {
	case *seed != 0:
		first, seeds, steps = *seed, 1, 120
	case *long:
		seeds, steps = 4, 80
	}
	counts := map[string]int{}
	for s := first; s < first+seeds && !t.Failed(); s++ {
		for _, kind := range alteredKinds {
			a := &alterRun{t: t, r: rand.New(rand.NewPCG(s, 5)), m: newAlteredTable(kind.name), dir: t.TempDir(), counts: counts}
			a.run(steps)
			if t.Failed() {
				t.Logf("table %s; go test ./test/random -run TestRandomAlter -args -seed %d (%d steps)\n%s", kind.name, s, steps, strings.Join(a.log, ";\n"))
				break
			}
		}
	}
	t.Logf("%v", counts)
	for _, k := range []string{"ADD", "DROP", "RENAME", "MODIFY", "ORDER", "refused", "fault"} {
		if counts[k] == 0 {
			t.Errorf("%s never happened", k)
		}
	}
}

// alterRun is one table and its oracle.
type alterRun struct {
	t      *testing.T
	r      *rand.Rand
	m      *alteredTable
	dir    string
	db     *basalt.DB
	s      *basalt.Session
	disk   *faults.FS
	log    []string
	counts map[string]int
}

func (a *alterRun) run(steps int) {
	a.open()
	defer func() { a.db.Close() }()
	a.mustExec(a.m.create())
	for range 3 {
		a.mustExec(a.m.insert(a.r))
	}
	for range steps {
		switch k := a.r.IntN(10); {
		case k < 3:
			a.mustExec(a.m.insert(a.r))
		case k == 3:
			a.delete()
		case k == 4 && a.r.IntN(3) == 0:
			if err := a.exec("ALTER TABLE t CONCATENATE"); err != nil && !sqlerr.Is(err, sqlerr.NotSupported) {
				a.t.Errorf("CONCATENATE: %v", err)
			}
		case k == 5 && a.r.IntN(3) == 0:
			a.log = append(a.log, "-- opened anew")
			if err := a.db.Close(); err != nil {
				a.t.Error(err)
			}
			a.open()
		default:
			a.alter()
		}
		if a.t.Failed() {
			return
		}
		if a.compare(); a.t.Failed() {
			return
		}
	}
}

func (a *alterRun) open() {
	a.disk = faults.New()
	db, err := basalt.Open(a.dir, basalt.Options{FS: a.disk, Workers: 2, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Settings: map[string]string{"enable_auto_compaction": "0"}})
	if err != nil {
		a.t.Fatal(err)
	}
	a.db, a.s = db, db.NewSession(basalt.SessionOptions{})
	for _, sql := range []string{"SET hive.exec.dynamic.partition.mode = nonstrict"} {
		if _, err := a.s.Exec(context.Background(), sql); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *alterRun) exec(sql string) error {
	a.log = append(a.log, sql)
	_, err := a.s.Exec(context.Background(), sql)
	if err != nil {
		a.log[len(a.log)-1] += " -- " + err.Error()
	}
	return err
}

func (a *alterRun) mustExec(sql string) {
	if err := a.exec(sql); err != nil {
		a.t.Errorf("%s: %v", sql, err)
	}
}

// delete takes away the rows that have a value.
func (a *alterRun) delete() {
	i := a.r.IntN(len(a.m.cols))
	c := a.m.cols[i]
	v := c.value(a.r)
	if v == nil {
		return
	}
	if err := a.exec("DELETE FROM t WHERE " + c.name + " = " + literal(v, c.isText())); err == nil {
		a.m.rows = slices.DeleteFunc(a.m.rows, func(row []*string) bool { return row[i] != nil && *row[i] == *v })
	} else if !sqlerr.Is(err, sqlerr.NotSupported) && a.m.kind != "agg" {
		a.t.Error(err)
	}
}

// alter changes columns, sometimes on a disk that fails in the middle.
func (a *alterRun) alter() {
	clause, apply, light := a.m.change(a.r)
	word := strings.Fields(clause)[0]
	before := a.files()
	fault := a.r.IntN(4) == 0 || !light && a.r.IntN(2) == 0
	if fault {
		a.disk.Fail(faults.Plan{Kinds: faults.Writes, After: a.r.IntN(12), On: true})
	}
	err := a.exec("ALTER TABLE t " + clause)
	a.disk.Heal()
	switch {
	case err == nil:
		apply()
		a.counts[word]++
		if after := a.files(); light && !slices.Equal(before, after) {
			a.t.Errorf("%s is light, but changed files: %v, %v", clause, before, after)
		}
		return
	case errors.Is(err, faults.Err):
		a.counts["fault"]++
	case sqlerr.From(err).Code.Number >= 2000, strings.Contains(err.Error(), "invariant"):
		a.t.Errorf("%s: %v", clause, err)
	default:
		a.counts["refused"]++
	}
	a.s.Close() // lets go of what the statement pinned
	a.s = a.db.NewSession(basalt.SessionOptions{})
	if _, err := a.s.Exec(context.Background(), "SET hive.exec.dynamic.partition.mode = nonstrict"); err != nil {
		a.t.Fatal(err)
	}
	if after := a.files(); !slices.Equal(before, after) {
		a.t.Errorf("%s failed, but changed files: %v, %v", clause, before, after)
	}
}

// files are the data files with their sizes and times.
func (a *alterRun) files() []string {
	var out []string
	err := filepath.WalkDir(a.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".bolt") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			out = append(out, fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano()))
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// compare reads all columns, some of them, and the rows with a value.
func (a *alterRun) compare() {
	all := make([]int, len(a.m.cols))
	for i := range all {
		all[i] = i
	}
	a.same("SELECT * FROM t", all, func([]*string) bool { return true })
	i := a.r.IntN(len(a.m.cols))
	some := a.r.Perm(len(a.m.cols))[:1+a.r.IntN(len(a.m.cols))]
	var names []string
	for _, c := range some {
		names = append(names, a.m.cols[c].name)
	}
	c := a.m.cols[i]
	v := c.value(a.r)
	cond := c.name + " IS NULL"
	if v != nil {
		cond = c.name + " = " + literal(v, c.isText())
	}
	a.same("SELECT "+strings.Join(names, ", ")+" FROM t WHERE "+cond, some, func(row []*string) bool {
		return v == nil && row[i] == nil || v != nil && row[i] != nil && *row[i] == *v
	})
}

func (a *alterRun) same(sql string, cols []int, keep func(row []*string) bool) {
	ctx := context.Background()
	rows, err := a.s.Query(ctx, sql)
	if err != nil {
		a.t.Errorf("%s: %v", sql, err)
		return
	}
	defer rows.Close()
	var lines []string
	for rows.Next(ctx) {
		var parts []string
		for _, v := range rows.Values() {
			text := fmt.Sprint(v)
			if v == nil {
				text = "NULL"
			}
			parts = append(parts, text)
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	if err := rows.Err(); err != nil {
		a.t.Errorf("%s: %v", sql, err)
		return
	}
	slices.Sort(lines)
	if got, want := strings.Join(lines, "\n"), a.m.lines(cols, keep); got != want {
		a.t.Errorf("%s\ngot\n%s\nwant\n%s", sql, got, want)
	}
}
