package basalt

import (
	"context"
	"testing"

	"github.com/basaltdb/basalt/catalog"
)

func ddlSession(t *testing.T, o Options) *Session {
	t.Helper()
	db, err := Open("", o)
	if err != nil {
		t.Fatal(err)
	}
	s := db.NewSession(SessionOptions{})
	t.Cleanup(func() { s.Close(); _ = db.Close() })
	return s
}

func ddlTable(s *Session, name string) *catalog.Table {
	return s.db.cat.Snapshot().Table(catalog.DefaultDatabase, name)
}

func mustExec(t *testing.T, s *Session, sql string) {
	t.Helper()
	if _, err := s.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestCreatePartitionedTable(t *testing.T) {
	s := ddlSession(t, Options{})
	mustExec(t, s, `CREATE TABLE t (dt DATE NOT NULL, id BIGINT NOT NULL, v INT) DUPLICATE KEY(dt, id)
		PARTITION BY RANGE(dt) (PARTITION p1 VALUES LESS THAN ("2024-02-01"), PARTITION p2 VALUES [("2024-02-01"), ("2024-03-01")), FROM ("2024-03-01") TO ("2024-05-15") INTERVAL 1 MONTH)
		DISTRIBUTED BY HASH(id) BUCKETS 4 PROPERTIES("replication_num"="1")`)
	tab := ddlTable(s, "t")
	if tab == nil || len(tab.Partitions) != 5 || tab.Distribution.Buckets != 4 || len(tab.Distribution.Sorted) != 2 {
		t.Fatalf("%+v", tab)
	}
	seen := map[int64]bool{}
	for _, p := range tab.Partitions {
		for id := p.FirstTablet; id < p.FirstTablet+4; id++ {
			if seen[id] || id == p.ID {
				t.Errorf("tablet %d twice", id)
			}
			seen[id] = true
		}
	}
}

// TestCreateIfNotExistsAtOnce makes a table while CREATE TABLE IF NOT EXISTS … AS of the same name writes its rows.
func TestCreateIfNotExistsAtOnce(t *testing.T) {
	fs := &writingFS{}
	db, err := Open(t.TempDir(), Options{FS: fs, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, other := db.NewSession(SessionOptions{}), db.NewSession(SessionOptions{})
	defer s.Close()
	defer other.Close()
	for name, rest := range map[string]string{"t": "", "h": " STORED AS PARQUET"} {
		do := func() { mustExec(t, other, "CREATE TABLE "+name+rest+" AS SELECT 1 a") }
		fs.do.Store(&do)
		mustExec(t, s, "CREATE TABLE IF NOT EXISTS "+name+rest+" AS SELECT 2 a")
		if got := textOf(t, s, "SELECT a FROM "+name); fs.do.Load() != nil || got != "1|\n" {
			t.Errorf("%s has %q", name, got)
		}
	}
}
