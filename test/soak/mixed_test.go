package soak

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

var mixedTables = []string{
	"CREATE TABLE u (k INT, v INT, s VARCHAR(20)) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 3",
	"CREATE TABLE q (k INT, n INT, v INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES('function_column.sequence_col' = 'n')",
	"CREATE TABLE a (k INT, c INT, v BIGINT SUM, b BITMAP BITMAP_UNION) AGGREGATE KEY(k, c) DISTRIBUTED BY HASH(k) BUCKETS 3 ROLLUP (r (c, v))",
	"CREATE TABLE d (k INT, dt DATE NOT NULL, v INT, t VARCHAR(20)) DUPLICATE KEY(k) AUTO PARTITION BY RANGE (date_trunc(dt, 'month')) () DISTRIBUTED BY HASH(k) BUCKETS 2 PROPERTIES('bitmap_dict' = 't')",
	"CREATE TABLE h (k INT, v STRING) PARTITIONED BY (p INT) STORED AS ORC",
}

// mixedStatements take one number each.
var mixedStatements = []string{
	"INSERT INTO u SELECT number, %d, concat('x', number) FROM numbers('number' = '2000')", "INSERT INTO u VALUES (%d, 1, 'a'), (5, 2, 'b')",
	"UPDATE u SET v = v + 1 WHERE k %% 10 = %d %% 10", "DELETE FROM u WHERE k = %d",
	"INSERT INTO q SELECT number, %d, number FROM numbers('number' = '1000')", "DELETE FROM q WHERE k = %d", "UPDATE q SET v = 1 WHERE k < %d",
	"INSERT INTO a SELECT number %% 100, number %% 7, number, to_bitmap(number + %d) FROM numbers('number' = '3000')", "DELETE FROM a WHERE k = %d",
	"INSERT INTO d SELECT number, date_add('2024-01-01', INTERVAL (number + %d) %% 400 DAY), number, concat('t', number %% 500) FROM numbers('number' = '2000')",
	"DELETE FROM d WHERE k = %d", "UPDATE d SET v = v + 1 WHERE k = %d",
	"INSERT OVERWRITE TABLE h PARTITION (p = 2) SELECT number, concat('v', number) FROM numbers('number' = '500') WHERE number <> %d",
	"INSERT INTO h PARTITION (p = 1) SELECT number, 'x' FROM numbers('number' = '50') WHERE number <> %d", "TRUNCATE TABLE h -- %d",
	"ALTER TABLE u CONCATENATE -- %d", "ALTER TABLE d CONCATENATE -- %d", "ALTER TABLE a CONCATENATE -- %d", "ANALYZE TABLE d -- %d", "ANALYZE TABLE u -- %d",
	"ALTER TABLE a DROP ROLLUP r -- %d", "ALTER TABLE a ADD ROLLUP r (c, v) -- %d", "CREATE MATERIALIZED VIEW m AS SELECT k, count(*) FROM d GROUP BY k -- %d",
	"DROP MATERIALIZED VIEW m ON d -- %d", "CREATE TABLE IF NOT EXISTS x AS SELECT * FROM u WHERE k <> %d", "DROP TABLE IF EXISTS x -- %d",
	"SELECT count(*), sum(v) FROM u WHERE k <> %d", "SELECT c, sum(v) FROM a WHERE c <> %d GROUP BY c", "SELECT k, bitmap_union_count(b) FROM a WHERE k <> %d GROUP BY k",
	"SELECT count(DISTINCT t) FROM d WHERE k <> %d", "SELECT u.k, d.v FROM u JOIN d ON u.k = d.k WHERE u.k <> %d ORDER BY 1, 2", "SELECT p, count(*) FROM h WHERE k <> %d GROUP BY p",
	"WITH c AS (SELECT k, sum(v) s FROM u GROUP BY k) SELECT count(*) FROM c x JOIN c y ON x.k = y.k WHERE x.k <> %d",
}

// mixedRefusals are what a statement may answer because of what others did, or of its own time limit.
var mixedRefusals = []string{
	"already exists", "does not exist in table", "is not NORMAL", "Query execution was interrupted", "was dropped meanwhile",
}

// TestMixedStatements writes, alters, compacts and reads a few tables of every kind from several sessions, some statements with
// little time, on one CPU slot and on two: all end, with an answer that they may give, and leave nothing.
func TestMixedStatements(t *testing.T) {
	statements := 40
	if *long {
		statements = 120
	}
	for _, workers := range []int{1, 2} {
		settle()
		before, heap := runtime.NumGoroutine(), heapInUse()
		db, err := basalt.Open(t.TempDir(), basalt.Options{Workers: workers, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		for _, sql := range mixedTables {
			if _, err := s.Exec(context.Background(), sql); err != nil {
				t.Fatal(err)
			}
		}
		var group errgroup.Group
		for w := range 8 {
			group.Go(func() error { return mix(db, rand.New(rand.NewPCG(uint64(w), uint64(workers))), statements) })
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		for _, table := range []string{"u", "q"} {
			rows, err := s.Query(context.Background(), "SELECT count(*) - count(DISTINCT k) FROM "+table)
			if err != nil {
				t.Fatal(err)
			}
			var twice int64
			for rows.Next(context.Background()) {
				if err := rows.Scan(&twice); err != nil {
					t.Fatal(err)
				}
			}
			if rows.Close(); twice != 0 {
				t.Errorf("%s has %d rows too many", table, twice)
			}
		}
		s.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		expectRest(t, db, before, heap)
	}
}

// mix runs statements of one session.
func mix(db *basalt.DB, r *rand.Rand, statements int) error {
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	for range statements {
		ctx, cancel := context.Background(), func() {}
		if r.IntN(3) == 0 {
			ctx, cancel = context.WithTimeout(ctx, time.Duration(1+r.IntN(100))*time.Millisecond)
		}
		sql := fmt.Sprintf(mixedStatements[r.IntN(len(mixedStatements))], r.IntN(2000))
		rows, err := s.Query(ctx, sql)
		if err == nil {
			for rows.Next(ctx) {
			}
			err = rows.Err()
			rows.Close()
		}
		cancel()
		if err == nil {
			continue
		}
		if text := sqlerr.From(err).Error(); !slices.ContainsFunc(mixedRefusals, func(m string) bool { return strings.Contains(text, m) }) {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
