// Package transitivity is the workload of predicate inference: a small table joined with a
// table in 400 range partitions by id, where the query names one id of the small table. With
// inference the large table is read in one partition and one bucket, without it whole.
package transitivity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt"
)

// The large table at scale 1: partitions, ids in each, rows of each id, buckets of each partition.
const (
	Partitions = 400
	idsEach    = 2500
	rowsPerID  = 20
	buckets    = 2
)

// Query is one question of the workload.
type Query struct {
	Name, SQL string
	// Explain are lines that the plan must show with inference on.
	Explain []string
}

// Queries returns the questions. The first is the one of the claim.
func Queries() []Query {
	pruned := []string{fmt.Sprintf("partitions=1/%d", Partitions), fmt.Sprintf("tabletRatio=1/%d", Partitions*buckets)}
	return []Query{
		{"equal", "SELECT count(*), sum(t2.v), max(t1.w) FROM t1 JOIN t2 ON t1.id = t2.id WHERE t1.id = 1", pruned},
		{"left", "SELECT count(*), sum(t2.v), max(t1.w) FROM t1 LEFT JOIN t2 ON t1.id = t2.id WHERE t1.id = 1", pruned},
		{"list", "SELECT count(*), sum(t2.v), max(t1.w) FROM t1 JOIN t2 ON t1.id = t2.id WHERE t1.id IN (3, 5)", []string{fmt.Sprintf("partitions=1/%d", Partitions)}},
		{"range", "SELECT count(*), sum(t2.v), max(t1.w) FROM t1 JOIN t2 ON t1.id = t2.id WHERE t1.id < 100", []string{fmt.Sprintf("partitions=1/%d", Partitions)}},
		{"chain", "SELECT count(*), sum(t2.v), max(t3.w) FROM t1 JOIN t1 t3 ON t1.id = t3.id JOIN t2 ON t3.id = t2.id WHERE t1.id = 1", pruned},
	}
}

// Statements make and fill the tables; scale multiplies the rows of an id.
func Statements(scale float64) []string {
	each := max(1, int(rowsPerID*scale))
	ids := Partitions * idsEach
	return []string{
		"CREATE TABLE t1 (id INT NOT NULL, w INT) DUPLICATE KEY(id) DISTRIBUTED BY HASH(id) BUCKETS 2",
		fmt.Sprintf("CREATE TABLE t2 (id INT NOT NULL, v BIGINT, s VARCHAR(20)) DUPLICATE KEY(id) PARTITION BY RANGE(id) (FROM (0) TO (%d) INTERVAL %d) DISTRIBUTED BY HASH(id) BUCKETS %d",
			ids, idsEach, buckets),
		`INSERT INTO t1 SELECT number, number % 97 FROM numbers("number" = "1000")`,
		fmt.Sprintf(`INSERT INTO t2 SELECT number DIV %d, number * 48271 %% 2147483647, concat('text ', number %% 1000) FROM numbers("number" = "%d")`, each, each*ids),
	}
}

// Rows runs a query and gives its rows as text, and how long it took.
func Rows(ctx context.Context, s *basalt.Session, sql string) (rows []string, took time.Duration, err error) {
	start := time.Now()
	r, err := s.Query(ctx, sql)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", sql, err)
	}
	defer r.Close()
	for {
		b, err := r.NextBatch(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", sql, err)
		}
		if b == nil {
			return rows, time.Since(start), nil
		}
		for i := range b.NumRows() {
			parts := make([]string, len(b.Cols))
			for c := range b.Cols {
				parts[c] = b.Cols[c].Value(b.Row(i)).Text()
			}
			rows = append(rows, strings.Join(parts, "\t"))
		}
	}
}

// Check reports which lines the plan of a query lacks.
func (q Query) Check(ctx context.Context, s *basalt.Session) error {
	plan, _, err := Rows(ctx, s, "EXPLAIN "+q.SQL)
	if err != nil {
		return err
	}
	text := strings.Join(plan, "\n")
	for _, want := range q.Explain {
		if !strings.Contains(text, want) {
			return fmt.Errorf("%s: the plan lacks %s:\n%s", q.Name, want, text)
		}
	}
	return nil
}
