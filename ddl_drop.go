package basalt

import (
	"path/filepath"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage/partition"
)

// drop is DROP TABLE, VIEW and DATABASE. Without FORCE tables and databases wait in the
// recycle bin for catalog_trash_expire_second.
func (x *execution) drop(st *ast.Drop) (*Rows, error) {
	db := x.s.db
	force := st.Force || db.trashSeconds() == 0
	var gone []string
	err := db.cat.Update(func(tx *catalog.Tx) error {
		gone = nil
		for _, n := range st.Names {
			dropped, err := x.dropOne(tx, st.Kind, n, force)
			if err != nil {
				missing := sqlerr.Is(err, sqlerr.UnknownTableDDL) || sqlerr.Is(err, sqlerr.UnknownDatabase) ||
					sqlerr.Is(err, sqlerr.CannotDropDB) && n.Name != catalog.DefaultDatabase
				if st.IfExists && missing {
					continue
				}
				return sqlerr.From(err).At(n.Position())
			}
			gone = append(gone, db.dropForGood(tx, dropped)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db.discard(gone...)
	return okRows(x.s, 0, ""), nil
}

// dropForGood ends what the catalog still knows of dropped tables, and returns their folders.
func (db *DB) dropForGood(tx *catalog.Tx, dropped []*catalog.Table) (folders []string) {
	tx.LeaveGroups(dropped...)
	ids := map[int64]bool{}
	for _, t := range dropped {
		if t.Kind == catalog.Internal {
			ids[t.ID] = true
			folders = append(folders, db.location(t))
		} else if t.Kind == catalog.External && purges(t) {
			folders = append(folders, t.Location)
		}
	}
	if len(ids) > 0 {
		tx.Purge(time.Time{}, func(r *catalog.Recycled) bool { return ids[r.TableID] })
	}
	return folders
}

// dropOne drops one object and returns the tables that are gone for good.
func (x *execution) dropOne(tx *catalog.Tx, kind ast.ObjectKind, n ast.Name, force bool) ([]*catalog.Table, error) {
	if kind == ast.DatabaseObject {
		if tx.DatabaseID(n.Name) == 0 && n.Name != catalog.InformationSchema {
			return nil, sqlerr.New(sqlerr.CannotDropDB, "Can't drop database '%s'; database doesn't exist", n.Name)
		}
		if !force {
			return nil, tx.RecycleDatabase(n.Name)
		}
		return tx.DropDatabase(n.Name)
	}
	db := n.Database
	if db == "" {
		db = x.s.Database()
	}
	if kind == ast.ViewObject {
		return nil, tx.DropView(db, n.Name)
	}
	if t := tx.Table(db, n.Name); !force && t != nil && t.Kind == catalog.Internal {
		return nil, tx.RecycleTable(db, n.Name)
	}
	t, err := tx.DropTable(db, n.Name)
	if err != nil {
		return nil, err
	}
	return []*catalog.Table{t}, nil
}

// recoverDropped is RECOVER DATABASE, TABLE and PARTITION.
func (x *execution) recoverDropped(st *ast.Recover) (*Rows, error) {
	name := st.Name
	err := x.s.db.cat.Update(func(tx *catalog.Tx) error {
		if st.Kind == "DATABASE" {
			return tx.RecoverDatabase(name.Name, st.ID, st.As)
		}
		db, table, err := x.resolveName(name)
		if err != nil {
			return err
		}
		if st.Kind == "TABLE" {
			_, err := tx.RecoverTable(db, table, st.ID, st.As)
			return err
		}
		t, err := x.alterable(tx, name)
		if err != nil {
			return err
		}
		if st.As != "" {
			if err := checkPartitionName(st.As); err != nil {
				return err
			}
		}
		return tx.RecoverPartition(db, t.ID, st.Partition, st.ID, st.As, func(t *catalog.Table, p *catalog.Partition) error {
			return partition.CheckFree(t.Partitioning.Kind, partitionTypes(t), p.Name, &p.Bounds, namedPartitions(t, p.Temporary))
		})
	})
	if err != nil {
		return nil, sqlerr.From(err).At(name.Position())
	}
	return okRows(x.s, 0, ""), nil
}

// trashSeconds is how long dropped things can be recovered.
func (db *DB) trashSeconds() int64 { return db.globalInt("catalog_trash_expire_second") }

func (db *DB) globalInt(name string) int64 {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.global.int(name)
}

// emptyTrash purges what has been in the recycle bin for too long.
func (db *DB) emptyTrash() error {
	before := db.now().Add(-time.Duration(db.trashSeconds()) * time.Second)
	due := false
	for _, r := range db.cat.Recycled() {
		due = due || !r.Dropped.After(before)
	}
	if !due {
		return nil
	}
	var purged []*catalog.Recycled
	err := db.cat.Update(func(tx *catalog.Tx) error {
		purged = tx.Purge(before, nil)
		return nil
	})
	if err != nil {
		return err
	}
	var gone []string
	for _, r := range purged {
		if r.Table != nil {
			gone = append(gone, db.location(r.Table))
		}
		gone = append(gone, db.recycledPaths(r)...)
	}
	db.discard(gone...)
	return nil
}

// recycledPaths are the files of a partition in the recycle bin.
func (db *DB) recycledPaths(r *catalog.Recycled) []string {
	dir := db.location(&catalog.Table{Location: r.Location})
	var out []string
	for i := range r.Files {
		out = append(out, filepath.Join(dir, r.Files[i].Path))
	}
	return out
}

// stalePaths are the full paths of index files that a transaction made useless.
func (db *DB) stalePaths(tx *catalog.Tx) (out []string) {
	for _, f := range tx.Stale() {
		out = append(out, filepath.Join(db.location(&catalog.Table{Location: f.Location}), f.Path))
	}
	return out
}

// filePaths are the full paths of files of t.
func (db *DB) filePaths(t *catalog.Table, files []catalog.DataFile) []string {
	out := make([]string, len(files))
	for i := range files {
		out[i] = filepath.Join(db.location(t), files[i].Path)
	}
	return out
}
