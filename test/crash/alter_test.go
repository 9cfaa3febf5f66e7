package crash

import (
	"context"
	"fmt"
	"strings"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// alteredSchema makes a table whose columns change while it is written.
const alteredSchema = `CREATE TABLE IF NOT EXISTS altered (id BIGINT, batch BIGINT, twice BIGINT) DUPLICATE KEY(id, batch) DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES("replication_num"="1")`

// columnStatements change the columns of altered: the orders write it anew, the others change the catalog alone. Each is
// refused in some states of the table.
var columnStatements = []string{
	`ALTER TABLE altered ADD COLUMN seven INT DEFAULT "7"`,
	`ALTER TABLE altered ORDER BY (batch, id, twice, seven)`,
	`ALTER TABLE altered DROP COLUMN seven`,
	`ALTER TABLE altered ORDER BY (id, batch, twice)`,
	`ALTER TABLE altered RENAME COLUMN seven eight, ADD COLUMN seven INT DEFAULT "7"`,
	`ALTER TABLE altered ORDER BY (batch, id, twice)`,
	`ALTER TABLE altered DROP COLUMN eight`,
}

// changeColumns changes columns for ever. What does not fit the table that an earlier life left is no matter.
func changeColumns(db *basalt.DB) error {
	s := db.NewSession(basalt.SessionOptions{})
	for {
		for _, sql := range columnStatements {
			if _, err := s.Exec(context.Background(), sql); err != nil && !refusedColumns(err) {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
	}
}

// refusedColumns reports what changeColumns may meet: a table in another state, or too many loads.
func refusedColumns(err error) bool {
	for _, code := range []sqlerr.Code{sqlerr.DuplicateColumn, sqlerr.CannotDropColumn, sqlerr.UnknownColumn, sqlerr.DefinitionChanged} {
		if sqlerr.Is(err, code) {
			return true
		}
	}
	return strings.Contains(err.Error(), "Reorder stmt")
}

// checkColumns: rows are whole whatever columns came, went or moved when the kill came, and no job is left.
func checkColumns(s *basalt.Session) error {
	if ok, err := exists(s, "altered"); !ok {
		return err
	}
	list, err := numbers(s, `SELECT count(*) FROM altered WHERE twice <> id * 2 OR twice IS NULL`)
	if err == nil && list[0][0] > 0 {
		err = fmt.Errorf("altered: %d rows have the values of another column", list[0][0])
	}
	if err != nil {
		return err
	}
	list, err = numbers(s, `SELECT count(*) FROM altered WHERE seven <> 7 OR seven IS NULL`)
	switch {
	case sqlerr.Is(err, sqlerr.UnknownColumn):
	case err != nil:
		return err
	case list[0][0] > 0:
		return fmt.Errorf("altered: %d rows have another value than the default", list[0][0])
	}
	rows, err := s.Query(context.Background(), `SHOW ALTER TABLE COLUMN WHERE State <> 'FINISHED' AND State <> 'CANCELLED'`)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next(context.Background()) {
		return fmt.Errorf("a job is left: %v", rows.Values())
	}
	return rows.Err()
}
