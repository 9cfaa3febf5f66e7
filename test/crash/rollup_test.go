package crash

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// indexed are the tables that get and lose rollups and views while they are written.
var indexed = []string{"ins", "ow"}

var indexStatements = map[string][]string{
	"ins": {
		`CREATE MATERIALIZED VIEW m_dt AS SELECT dt, count(*) AS n_, sum(id) AS s_, max(batch) AS b_ FROM ins GROUP BY dt`,
		`ALTER TABLE ins ADD ROLLUP r_id (id, batch)`,
		`DROP MATERIALIZED VIEW IF EXISTS m_dt ON ins`,
		`CREATE MATERIALIZED VIEW m_batch AS SELECT batch, dt, bitmap_union(to_bitmap(id)) AS u_, count(*) AS n2_ FROM ins GROUP BY batch, dt`,
		`ALTER TABLE ins DROP ROLLUP r_id`,
		`DROP MATERIALIZED VIEW IF EXISTS m_batch ON ins`,
	},
	"ow": {
		`CREATE MATERIALIZED VIEW o_dt AS SELECT dt, count(*) AS n_, sum(id) AS s_, min(generation) AS g_ FROM ow GROUP BY dt`,
		`ALTER TABLE ow ADD ROLLUP o_id (id, generation)`,
		`ALTER TABLE ow DROP ROLLUP o_id`,
	},
}

// indexQueries are answered from an index when there is one.
var indexQueries = map[string][]string{
	"ins": {
		`SELECT to_days(dt), count(*), sum(id), max(batch) FROM ins GROUP BY dt ORDER BY 1`, `SELECT id, batch FROM ins WHERE id < 40 ORDER BY 1, 2`,
		`SELECT batch, count(DISTINCT id), count(*) FROM ins GROUP BY batch ORDER BY 1`,
	},
	"ow": {`SELECT to_days(dt), count(*), sum(id), min(generation) FROM ow GROUP BY dt ORDER BY 1`, `SELECT id, generation FROM ow WHERE id < 40 ORDER BY 1, 2`},
}

// changeIndexes adds and drops indexes for ever. What is there already, or not there, from an earlier life is no matter.
func changeIndexes(db *basalt.DB) error {
	s := db.NewSession(basalt.SessionOptions{})
	for {
		for _, table := range indexed {
			for _, sql := range indexStatements[table] {
				_, err := s.Exec(context.Background(), sql)
				if err != nil && !strings.Contains(err.Error(), "already exists") && !strings.Contains(err.Error(), "does not exist") {
					return fmt.Errorf("%s: %w", sql, err)
				}
			}
		}
	}
}

// checkIndexes compares answers with routing and without, before and after everything is indexed, and looks at the jobs:
// what a kill interrupted goes on.
func checkIndexes(s *basalt.Session, table string) error {
	if ok, err := exists(s, table); !ok {
		return err
	}
	ctx := context.Background()
	compare := func(when string) error {
		for _, sql := range indexQueries[table] {
			if _, err := s.Exec(ctx, "SET enable_materialized_view_rewrite = 0"); err != nil {
				return err
			}
			want, err := numbers(s, sql)
			if err != nil {
				return err
			}
			if _, err := s.Exec(ctx, "SET enable_materialized_view_rewrite = 1"); err != nil {
				return err
			}
			got, err := numbers(s, sql)
			if err != nil {
				return err
			}
			if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
				return fmt.Errorf("%s: %s\nrouted     %v\nnot routed %v", when, sql, got[:min(len(got), 8)], want[:min(len(want), 8)])
			}
		}
		return nil
	}
	if err := compare("after the kill"); err != nil {
		return err
	}
	// Adding one more builds all that is missing.
	if _, err := s.Exec(ctx, `ALTER TABLE `+table+` ADD ROLLUP zz (id)`); err != nil {
		return err
	}
	if err := compare("when all is indexed"); err != nil {
		return err
	}
	if _, err := s.Exec(ctx, `ALTER TABLE `+table+` DROP ROLLUP zz`); err != nil && !sqlerr.Is(err, sqlerr.UnknownTable) {
		return err
	}
	rows, err := s.Query(ctx, `SHOW ALTER TABLE ROLLUP`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next(ctx) {
		line := fmt.Sprint(rows.Values()...)
		if strings.Contains(line, table) && (strings.Contains(line, "PENDING") || strings.Contains(line, "RUNNING")) {
			return fmt.Errorf("a job is left: %s", line)
		}
	}
	return rows.Err()
}
