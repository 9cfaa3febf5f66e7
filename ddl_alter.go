package basalt

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// alteration is one ALTER TABLE or TRUNCATE in progress.
type alteration struct {
	x    *execution
	tx   *catalog.Tx
	name ast.Name // of the table
	// gone are paths that nobody needs once the transaction is there.
	gone []string
	// visible are the partitions of a table of Hive when the statement began; copies the files of those that it renames.
	visible []pathPartition
	copies  []copiedFile
	// reschedule asks for a run of the dynamic partition scheduler on the table.
	reschedule *catalog.Table
	// reindex asks for the indexes of a table to be built.
	reindex *tableKey
	// columns tells that a clause about columns ran; rewrite that the table's files are not what its columns say then.
	columns, rewrite bool
}

// alterActions are the clauses that run, by kind.
var alterActions = map[string]func(a *alteration, t *catalog.Table, act *ast.AlterAction) error{
	"RENAME":                   (*alteration).rename,
	"REPLACE WITH TABLE":       (*alteration).replaceTable,
	"SET":                      (*alteration).set,
	"SET TBLPROPERTIES":        (*alteration).setHive,
	"SET SERDEPROPERTIES":      (*alteration).setHive,
	"SET LOCATION":             (*alteration).setHive,
	"SET FILEFORMAT":           (*alteration).setHive,
	"MODIFY COMMENT":           (*alteration).comment,
	"MODIFY COLUMN COMMENT":    (*alteration).columnComment,
	"MODIFY COLUMN SET STATS":  (*alteration).columnStats,
	"MODIFY DISTRIBUTION":      (*alteration).modifyDistribution,
	"ADD PARTITION":            (*alteration).addPartition,
	"ADD TEMPORARY PARTITION":  (*alteration).addPartition,
	"DROP PARTITION":           (*alteration).dropPartition,
	"DROP TEMPORARY PARTITION": (*alteration).dropPartition,
	"RENAME PARTITION":         (*alteration).renamePartition,
	"MODIFY PARTITION":         (*alteration).modifyPartition,
	"REPLACE PARTITION":        (*alteration).replacePartition,
	"ADD ROLLUP":               (*alteration).addRollup,
	"DROP ROLLUP":              (*alteration).dropRollup,
	"RENAME ROLLUP":            (*alteration).renameRollup,
}

// alterTable runs the clauses of ALTER TABLE in order, all or none.
func (x *execution) alterTable(ctx context.Context, st *ast.AlterTable) (*Rows, error) {
	if t := x.pathTable(st); t != nil {
		return x.alterPaths(st, t)
	}
	columns := false
	for i := range st.Actions {
		act := &st.Actions[i]
		columns = columns || columnActions[act.Kind] != nil
		if alterActions[act.Kind] == nil && columnActions[act.Kind] == nil {
			return nil, sqlerr.Unsupported("ALTER TABLE " + act.Kind).At(st.Position())
		}
		if len(act.Specs) > 0 {
			return nil, sqlerr.Unsupported("ALTER TABLE " + act.Kind + " with Hive's partition specifications").At(act.Position())
		}
	}
	run := func(a *alteration) error {
		for i := range st.Actions {
			act := &st.Actions[i]
			t, err := x.alterable(a.tx, a.name)
			if err != nil {
				return err
			}
			do := alterActions[act.Kind]
			if do == nil {
				do = (*alteration).alterColumns
			}
			if err := do(a, t, act); err != nil {
				return sqlerr.From(err).At(act.Position())
			}
		}
		return nil
	}
	if columns {
		return x.changeColumns(ctx, st, run)
	}
	return x.change(st.Name, run)
}

// pathTable is the table of Hive whose partitions st is about; nil when it is about something else.
func (x *execution) pathTable(st *ast.AlterTable) *catalog.Table {
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil // told by who looks it up
	}
	t := x.snapshot.Table(db, name)
	about := slices.ContainsFunc(st.Actions, func(act ast.AlterAction) bool { return len(act.Specs) > 0 || strings.HasSuffix(act.Kind, " PARTITION") })
	if t == nil || !t.Hive || !about {
		return nil
	}
	return t
}

// change runs f in one transaction, then lets go of what it dropped.
func (x *execution) change(name ast.Name, f func(a *alteration) error) (*Rows, error) {
	var a *alteration
	err := x.s.db.cat.Update(func(tx *catalog.Tx) error {
		a = &alteration{x: x, tx: tx, name: name}
		return f(a)
	})
	if must := (*mustRewrite)(nil); errors.As(err, &must) {
		return nil, err
	}
	if err != nil {
		return nil, sqlerr.From(err).At(name.Position())
	}
	x.s.db.discard(append(a.gone, x.s.db.stalePaths(a.tx)...)...)
	if a.reindex != nil {
		x.buildSoon(*a.reindex)
	}
	if a.reschedule != nil {
		if err := x.s.db.dynamicOf(a.reschedule); err != nil {
			x.warn(err)
		}
	}
	return okRows(x.s, 0, ""), nil
}

// alterable finds a table that can be changed, as of a transaction.
func (x *execution) alterable(tx *catalog.Tx, n ast.Name) (*catalog.Table, error) {
	db, name, err := x.resolveName(n)
	if err != nil {
		return nil, err
	}
	t := tx.Table(db, name)
	switch {
	case t == nil && x.snapshot.View(db, name) != nil:
		return nil, sqlerr.New(sqlerr.NotBaseTable, "'%s.%s' is not BASE TABLE", db, name).At(n.Position())
	case t == nil && db == catalog.InformationSchema:
		return nil, sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", db).At(n.Position())
	case t == nil:
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(n.Position())
	}
	return t, nil
}

// internalOnly fails for tables whose files are not ours.
func internalOnly(t *catalog.Table, what string) error {
	if t.Kind != catalog.Internal {
		return sqlerr.Unsupported(what + " of an external table")
	}
	return nil
}

func (a *alteration) rename(t *catalog.Table, act *ast.AlterAction) error {
	to := act.NewName
	if db, name, ok := strings.Cut(to, "."); ok {
		if db != t.Database {
			return sqlerr.Unsupported("ALTER TABLE RENAME into another database")
		}
		to = name
	}
	if _, _, err := a.x.resolveName(ast.Name{Pos: act.Pos, Database: t.Database, Name: to}); err != nil {
		return err
	}
	if err := a.tx.RenameTable(t.Database, t.Name, to); err != nil {
		return err
	}
	a.name = ast.Name{Pos: a.name.Pos, Database: t.Database, Name: to}
	return nil
}

// renameTables is MySQL's RENAME TABLE: the pairs in order, so that names can be exchanged, all or none.
func (x *execution) renameTables(st *ast.RenameTable) (*Rows, error) {
	return x.change(st.From[0], func(a *alteration) error {
		for i, from := range st.From {
			db, name, err := x.resolveName(from)
			if err != nil {
				return err
			}
			to := st.To[i]
			if to.Database == "" {
				to.Database = x.s.Database()
			}
			todb, next, err := x.resolveName(to)
			if err != nil {
				return err
			}
			if db != todb {
				return sqlerr.Unsupported("RENAME TABLE into another database").At(to.Position())
			}
			if a.tx.View(db, name) != nil {
				err = a.tx.RenameView(db, name, next)
			} else if _, err = x.alterable(a.tx, from); err == nil {
				err = a.tx.RenameTable(db, name, next)
			}
			if err != nil {
				return sqlerr.From(err).At(from.Position())
			}
		}
		return nil
	})
}

// replaceTable is REPLACE WITH TABLE: the tables swap their names, or, with swap = false, the other
// takes this one's name and this one is dropped.
func (a *alteration) replaceTable(t *catalog.Table, act *ast.AlterAction) error {
	swap := true
	for _, kv := range act.Properties {
		if !strings.EqualFold(kv.Key, "swap") {
			return sqlerr.Detail("Unknown properties: {%s=%s}", kv.Key, kv.Value)
		}
		if err := boolean(a.x, kv.Value); err != nil {
			return err
		}
		swap = strings.EqualFold(kv.Value, "true")
	}
	other, err := a.x.alterable(a.tx, ast.Name{Pos: act.Pos, Database: t.Database, Name: act.Name})
	if err != nil {
		return err
	}
	if other.ID == t.ID {
		return sqlerr.Detail("Table[%s] can not be replaced with itself", t.Name)
	}
	if err := internalOnly(t, "ALTER TABLE REPLACE WITH TABLE"); err != nil {
		return err
	}
	if err := internalOnly(other, "ALTER TABLE REPLACE WITH TABLE"); err != nil {
		return err
	}
	if err := a.tx.SwapTables(t.Database, t.Name, other.Name); err != nil || swap {
		return err
	}
	old, err := a.tx.DropTable(t.Database, other.Name)
	if err != nil {
		return err
	}
	a.gone = append(a.gone, a.x.s.db.dropForGood(a.tx, []*catalog.Table{old})...)
	return nil
}

// set is SET (properties). An empty value takes a property away.
func (a *alteration) set(t *catalog.Table, act *ast.AlterAction) error {
	if err := internalOnly(t, "ALTER TABLE SET"); err != nil {
		return err
	}
	check := slices.DeleteFunc(slices.Clone(act.Properties), func(p ast.Property) bool { return p.Value == "" && propertyOf(p.Key) != nil })
	if err := a.x.checkProperties(check, alterStatement); err != nil {
		return err
	}
	dynamic := false
	for _, kv := range act.Properties {
		dynamic = dynamic || strings.HasPrefix(kv.Key, dynamicPrefix)
		if kv.Key == colocateProperty {
			if err := setGroup(a.tx, t, kv.Value); err != nil {
				return err
			}
		}
	}
	next, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		for _, kv := range act.Properties {
			if t.Properties[kv.Key] = kv.Value; kv.Value == "" {
				delete(t.Properties, kv.Key)
			}
		}
		return a.x.checkTable(t, act.Position())
	})
	if err == nil && dynamic {
		a.reschedule = next
	}
	return err
}

func (a *alteration) comment(t *catalog.Table, act *ast.AlterAction) error {
	_, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error { t.Comment = act.NewName; return nil })
	return err
}

func (a *alteration) columnComment(t *catalog.Table, act *ast.AlterAction) error {
	_, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		c := t.ColumnNamed(act.Name)
		if c == nil {
			return sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", act.Name, t.Name)
		}
		c.Comment = act.NewName
		return nil
	})
	return err
}

// modifyDistribution changes the buckets of partitions to come.
func (a *alteration) modifyDistribution(t *catalog.Table, act *ast.AlterAction) error {
	if t.Partitioning == nil {
		return sqlerr.Detail("Only support change partitioned table's distribution.")
	}
	if t.Group != "" {
		return sqlerr.Detail("Cannot change default bucket number of colocate table.")
	}
	next, err := sameDistribution(t, act.Distribution)
	if err != nil {
		return err
	}
	_, err = a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		next.Sorted = t.Distribution.Sorted
		t.Distribution = next
		return nil
	})
	return err
}

// sameDistribution reads a distribution that may differ from t's in its number of buckets alone.
func sameDistribution(t *catalog.Table, d *ast.Distribution) (catalog.Distribution, error) {
	next, err := distributionOf(t, d)
	if err != nil {
		return next, err
	}
	if next.Kind != t.Distribution.Kind {
		return next, sqlerr.Detail("Cannot assign different distribution type. default is: %s", distributionWord(t))
	}
	if !slices.Equal(next.Columns, t.Distribution.Columns) {
		return next, sqlerr.Detail("Cannot assign hash distribution with different distribution cols. default is: [%s]", strings.Join(columnNames(t, t.Distribution.Columns), ", "))
	}
	next.Hash = t.Distribution.Hash
	return next, nil
}

func distributionWord(t *catalog.Table) string {
	if t.Distribution.Kind == catalog.HashDistributed {
		return "HASH"
	}
	return "RANDOM"
}

func columnNames(t *catalog.Table, ids []int32) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = t.ColumnByID(id).Name
	}
	return out
}
