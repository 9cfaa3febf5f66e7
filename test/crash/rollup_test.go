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
	if err := checkHeld(s, table); err != nil {
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

// heldRows are, by index, what it holds and the same over the table.
var heldRows = map[string]map[string][2]string{
	"ins": {
		"m_dt":    {`SELECT to_days(dt), sum(n_), sum(s_), max(b_) FROM ins INDEX m_dt GROUP BY dt ORDER BY 1`, `SELECT to_days(dt), count(*), sum(id), max(batch) FROM ins GROUP BY dt ORDER BY 1`},
		"r_id":    {`SELECT id, batch FROM ins INDEX r_id ORDER BY 1, 2`, `SELECT id, batch FROM ins ORDER BY 1, 2`},
		"m_batch": {`SELECT batch, to_days(dt), bitmap_union_count(u_), sum(n2_) FROM ins INDEX m_batch GROUP BY batch, dt ORDER BY 1, 2`, `SELECT batch, to_days(dt), count(DISTINCT id), count(*) FROM ins GROUP BY batch, dt ORDER BY 1, 2`},
	},
	"ow": {
		"o_dt": {`SELECT to_days(dt), sum(n_), sum(s_), min(g_) FROM ow INDEX o_dt GROUP BY dt ORDER BY 1`, `SELECT to_days(dt), count(*), sum(id), min(generation) FROM ow GROUP BY dt ORDER BY 1`},
		"o_id": {`SELECT id, generation FROM ow INDEX o_id ORDER BY 1, 2`, `SELECT id, generation FROM ow ORDER BY 1, 2`},
	},
}

// checkHeld compares what the indexes of a table hold, of which nothing is to be built, with the table.
func checkHeld(s *basalt.Session, table string) error {
	if _, err := s.Exec(context.Background(), "SET enable_materialized_view_rewrite = 0"); err != nil {
		return err
	}
	for index, sql := range heldRows[table] {
		got, err := numbers(s, sql[0])
		if err != nil && strings.Contains(err.Error(), "does not have materialized view") {
			continue
		}
		if err != nil {
			return err
		}
		want, err := numbers(s, sql[1])
		if err != nil {
			return err
		}
		if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
			return fmt.Errorf("%s of %s holds %v, not %v", index, table, got[:min(len(got), 8)], want[:min(len(want), 8)])
		}
	}
	return nil
}
