package basalt

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// writingFS runs a function when a data file of a table is about to be made: in the middle of a load.
type writingFS struct {
	storage.OSFS
	do atomic.Pointer[func()] // once
}

func (f *writingFS) Create(path string) (storage.WritableFile, error) {
	if strings.HasSuffix(path, ".parquet") {
		if do := f.do.Swap(nil); do != nil {
			(*do)()
		}
	}
	return f.OSFS.Create(path)
}

// TestLoadsAcrossAlter changes the columns of a table in the middle of a load: the load comes in, and is right, or fails
// and leaves nothing.
func TestLoadsAcrossAlter(t *testing.T) {
	fs := &writingFS{}
	db, err := Open(t.TempDir(), Options{FS: fs, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	defer s.Close()
	defer other.Close()
	lines := func(sql string) string {
		t.Helper()
		rows, err := s.Query(context.Background(), sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		defer rows.Close()
		var out []string
		for {
			b, err := rows.NextBatch(context.Background())
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if b == nil {
				return strings.Join(out, ", ")
			}
			for i := range b.NumRows() {
				var parts []string
				for _, c := range b.Cols {
					if c.IsNull(b.Row(i)) {
						parts = append(parts, "NULL")
					} else {
						parts = append(parts, c.Value(b.Row(i)).Text())
					}
				}
				out = append(out, strings.Join(parts, " "))
			}
		}
	}
	for _, test := range []struct {
		name, create, load string
		alter              []string // while the load is under way
		refused            bool
		want               string
	}{
		{"unique_key_added", `(k INT, v INT) UNIQUE KEY(k)`, `VALUES (1, 10), (2, 20)`,
			[]string{`ADD COLUMN k2 INT KEY DEFAULT "0"`, `; INSERT INTO %s VALUES (1, 5, 99)`}, true, "1 5 99"},
		{"unique_value_added", `(k INT, v INT) UNIQUE KEY(k)`, `VALUES (1, 10), (2, 20)`,
			[]string{`ADD COLUMN w INT DEFAULT "7"`, `; INSERT INTO %s VALUES (1, 5, 99), (3, 6, 6)`}, false, "1 10 7, 2 20 7, 3 6 6"},
		{"unique_key_widened", `(k INT, j INT, v INT) UNIQUE KEY(k, j)`, `VALUES (1, 1, 10)`, []string{`MODIFY COLUMN j BIGINT KEY`}, true, ""},
		{"text_to_number", `(k INT, v VARCHAR(5)) DUPLICATE KEY(k)`, `VALUES (1, '10'), (2, 'x')`, []string{`MODIFY COLUMN v INT`}, true, ""},
		{"unique_keys_turned", `(k INT, j INT, v INT) UNIQUE KEY(k, j)`, `VALUES (1, 2, 10)`, []string{`ORDER BY (j, k, v)`}, true, ""},
		{"aggregate_key_added", `(k INT, v INT SUM) AGGREGATE KEY(k)`, `VALUES (1, 10), (1, 20)`,
			[]string{`ADD COLUMN k2 INT KEY DEFAULT "0"`, `; INSERT INTO %s VALUES (1, 5, 99), (1, 0, 1)`}, false, "1 0 31, 1 5 99"},
		{"aggregate_key_dropped", `(k INT, j INT, v INT SUM) AGGREGATE KEY(k, j)`, `VALUES (1, 1, 10), (1, 2, 20)`, []string{`DROP COLUMN j`}, true, ""},
		{"aggregate_keys_turned", `(k INT, j INT, v INT SUM) AGGREGATE KEY(k, j)`, `VALUES (1, 2, 10), (2, 1, 20)`, []string{`ORDER BY (j, k, v)`}, true, ""},
		{"aggregate_key_widened", `(k INT, j INT, v INT SUM) AGGREGATE KEY(k, j)`, `VALUES (1, 2, 10), (1, 2, 20)`,
			[]string{`MODIFY COLUMN j BIGINT KEY`, `; INSERT INTO %s VALUES (1, 2, 1), (1, 10000000000, 1)`}, false, "1 2 31, 1 10000000000 1"},
		{"rows_key_dropped", `(k INT, j INT, v INT) DUPLICATE KEY(k, j)`, `VALUES (1, 1, 10), (1, 2, 20)`, []string{`DROP COLUMN j`}, false, "1 10, 1 20"},
		{"rows_keys_turned", `(k INT, j INT, v INT) DUPLICATE KEY(k, j)`, `VALUES (1, 2, 10)`, []string{`ORDER BY (j, k, v)`}, true, ""},
		{"required_added", `(k INT, v INT) DUPLICATE KEY(k)`, `VALUES (1, 10)`, []string{`ADD COLUMN w INT NOT NULL`}, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustExec(t, s, "CREATE TABLE "+test.name+" "+test.create+" DISTRIBUTED BY HASH(k) BUCKETS 1")
			do := func() {
				for _, a := range test.alter {
					if more, ok := strings.CutPrefix(a, "; "); ok {
						mustExec(t, other, strings.Replace(more, "%s", test.name, 1))
					} else {
						mustExec(t, other, "ALTER TABLE "+test.name+" "+a)
					}
				}
			}
			fs.do.Store(&do)
			_, err := s.Exec(context.Background(), "INSERT INTO "+test.name+" "+test.load)
			switch {
			case fs.do.Load() != nil:
				t.Fatal("nothing happened in the middle of the load")
			case test.refused && !sqlerr.Is(err, sqlerr.DefinitionChanged), !test.refused && err != nil:
				t.Fatalf("%v", err)
			}
			if got := lines("SELECT * FROM " + test.name + " ORDER BY 1, 2"); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if test.refused { // again, as the table is now
				mustExec(t, s, "INSERT INTO "+test.name+" SELECT * FROM "+test.name)
			}
		})
	}
}

// TestLoadAcrossIndexRebuild changes the key of a rollup in the middle of a load: the rollup gets the load's rows later, folded
// as it folds now.
func TestLoadAcrossIndexRebuild(t *testing.T) {
	fs := &writingFS{}
	db, err := Open(t.TempDir(), Options{FS: fs, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	defer s.Close()
	defer other.Close()
	mustExec(t, s, `CREATE TABLE t (k INT, a INT, b INT, v INT SUM) AGGREGATE KEY(k, a, b) DISTRIBUTED BY HASH(k) BUCKETS 1 ROLLUP (r (a, b, v))`)
	do := func() {
		mustExec(t, other, `ALTER TABLE t DROP COLUMN b FROM r`)
		db.indexing.serial.Lock() // the rows of the load stay out of the rollup until the test has looked
	}
	fs.do.Store(&do)
	mustExec(t, s, `INSERT INTO t VALUES (1, 1, 1, 10), (2, 1, 2, 20), (3, 2, 1, 30)`)
	if fs.do.Load() != nil {
		t.Fatal("nothing happened in the middle of the load")
	}
	now := ddlTable(s, "t")
	if len(now.Files) != 1 || len(now.Files[0].Indexed) > 0 {
		t.Errorf("the rollup covers %v", now.Files)
	}
	db.indexing.serial.Unlock()
	if err := db.buildIndexes(context.Background(), tableKey{now.Database, now.ID}); err != nil {
		t.Fatal(err)
	}
	now = ddlTable(s, "t")
	if len(now.IndexFiles) != 1 || now.IndexFiles[0].Rows != 2 || !now.Files[0].Covers(now.Indexes[0].ID) {
		t.Errorf("the rollup has %+v", now.IndexFiles)
	}
}
