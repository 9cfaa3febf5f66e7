package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/test/faults"
)

// multiInsert writes a batch to several tables by one statement.
func multiInsert(batch int64, tables []string) string {
	sql := fmt.Sprintf(`FROM numbers("number"="%d") x`, rowsPerBatch)
	for _, table := range tables {
		one := insertBatch(table, batch)
		one, _, _ = strings.Cut(one, " FROM ")
		one = strings.Replace(one, " WITH LABEL "+label(table, batch), "", 1)
		sql += " " + one
	}
	return sql
}

// TestFaults fails one write, sync or rename (or all from one on, as a full disk does) in each of many statements:
// a statement that fails changes nothing, one that succeeds is whole.
func TestFaults(t *testing.T) {
	rounds := 60
	if *long {
		rounds = 1000
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 2))
	dir := t.TempDir()
	e := newExpectation()
	failed := 0
	for n := int64(1); n <= int64(rounds); {
		fs := faults.New()
		db, err := basalt.Open(dir, basalt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), FS: fs, Settings: map[string]string{"enable_auto_compaction": "0"}})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		if err := makeTables(s, dir); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			table, sql := "ins", insertBatch("ins", n)
			tables := 0 // those of a multi-insert
			switch k := r.IntN(12); {
			case k < 2:
				table = batchTables[1+k]
				sql = insertBatch(table, n)
			case k < 5:
				table = overwritten[k-2]
				sql = overwrite(table, n)
			case k == 6:
				tables = 2 + r.IntN(2)
				table, sql = "", multiInsert(n, batchTables[:tables])
			case k == 9:
				table = "altered"
				sql = insertBatch(table, n)
			case k > 9:
				table, sql = "", columnStatements[3+2*r.IntN(2)]
			case k == 5:
				table, sql = "", `ALTER TABLE `+[]string{"ins", "plain", "ow", "managed"}[r.IntN(4)]+` CONCATENATE`
			}
			fs.Fail(faults.Plan{Kinds: faults.Writes, After: r.IntN(80), On: r.IntN(2) == 0})
			_, err := s.Exec(context.Background(), sql)
			fs.Heal()
			switch {
			case err == nil && tables > 0:
				for _, table := range batchTables[:tables] {
					e.done[table][n] = true
				}
			case err == nil && table != "":
				e.done[table][n] = true
			case err != nil && (!errors.Is(err, faults.Err) || !strings.Contains(err.Error(), "no space left")):
				t.Fatalf("%s: %v", sql, err)
			case err != nil:
				failed++
			}
			if left := fs.Undurable(); err == nil && len(left) > 0 {
				t.Fatalf("%s: published before it was durable: %v", sql, left)
			}
			fs.Forget()
			if slices.Contains(overwritten, table) && err == nil {
				e.done[table] = map[int64]bool{n: true}
			}
			n++
		}
		s.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := check(dir, e, false); err != nil {
			t.Fatalf("-seed %d, after statement %d: %v", *seed, n, err)
		}
	}
	if failed < rounds/4 {
		t.Errorf("only %d of %d statements failed", failed, rounds)
	}
	t.Logf("%d of %d statements failed", failed, rounds)
}
