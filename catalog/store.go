package catalog

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// The store is one bbolt file of JSON records:
//
//	meta       version, nextID, format
//	databases  name                     -> {location}
//	tables     id (8 bytes, big endian) -> Table without Files
//	files      id, 0, path              -> DataFile, without deleted rows
//	deleted    id, 0, path, 0, number   -> a part of the deleted rows of a file, as roaring's portable form
//	views      database, 0, name        -> View
//	groups     qualified name           -> ColocateGroup
//	recycled   id                       -> Recycled, with its files
//	jobs       id                       -> AlterJob
//	statistics id                       -> Statistics
//	changes    id                       -> Change, in gob
//	dictionaries id, column, first id   -> a block of a column's dictionary
//	transactions id                     -> Transaction
//
// One Update is one bbolt transaction, so a crash leaves a whole number of Updates.
var (
	bucketMeta      = []byte("meta")
	bucketDatabases = []byte("databases")
	bucketTables    = []byte("tables")
	bucketFiles     = []byte("files")
	bucketDeleted   = []byte("deleted")
	bucketViews     = []byte("views")
	bucketGroups    = []byte("groups")
	bucketRecycled  = []byte("recycled")
	bucketJobs      = []byte("jobs")
)

const storeFormat = 1

type store struct{ db *bbolt.DB }

// storeOp is one record change of an Update.
type storeOp func(tx *bbolt.Tx) error

func openStore(path string) (*store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, sqlerr.Wrap(sqlerr.FileIO, err, "cannot create the data folder")
	}
	db, err := bbolt.Open(path, 0o644, &bbolt.Options{Timeout: 20 * time.Millisecond})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, sqlerr.New(sqlerr.DataLocked, "the data folder %s is in use by another process", filepath.Dir(path))
	}
	if err != nil {
		return nil, sqlerr.Wrap(sqlerr.FileIO, err, "cannot open the catalog %s", path)
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

func idKey(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func fileKey(id int64, path string) []byte { return append(append(idKey(id), 0), path...) }

func viewKey(v *View) []byte { return []byte(v.Database + "\x00" + v.Name) }

func putJSON(bucket, key []byte, v any) storeOp {
	return func(tx *bbolt.Tx) error {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return tx.Bucket(bucket).Put(key, data)
	}
}

func del(bucket, key []byte) storeOp {
	return func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete(key) }
}

type databaseRecord struct {
	ID       int64
	Location string
}

// recycledRecord is a Recycled as stored.
type recycledRecord struct {
	Recycled
	Table *tableRecord `json:",omitempty"`
	// Files are those of the partition or the table.
	Files      []DataFile  `json:",omitempty"`
	Statistics *Statistics `json:",omitempty"`
}

// tableRecord keeps what is stored of a Table itself; its files have their own records.
type tableRecord struct {
	ID                               int64
	Database, Name, Format, Location string
	Kind                             TableKind
	Columns                          []Column
	Comment                          string
	Properties                       map[string]string
	Created                          time.Time
	Model                            KeyModel
	Partitioning                     *Partitioning
	Partitions                       []Partition
	Distribution                     Distribution
	FirstTablet                      int64
	Version                          int64
	Modified                         time.Time
	Group                            string
	GroupUnstable                    bool
	Hive                             bool     `json:",omitempty"`
	Indexes                          []Index  `json:",omitempty"`
	LastColumn                       int32    `json:",omitempty"`
	Retired                          []string `json:",omitempty"`
	Schema                           int32    `json:",omitempty"`
}

func recordOf(t *Table) tableRecord {
	return tableRecord{t.ID, t.Database, t.Name, t.Format, t.Location, t.Kind, t.Columns, t.Comment, t.Properties, t.Created,
		t.Model, t.Partitioning, storedPartitions(t.Partitions), t.Distribution, t.FirstTablet, t.Version, t.Modified, t.Group, t.GroupUnstable, t.Hive, t.Indexes,
		t.LastColumn, t.Retired, t.Schema}
}

// table is the stored table, without its files.
func (r *tableRecord) table() *Table {
	return &Table{ID: r.ID, Database: r.Database, Name: r.Name, Format: r.Format, Location: r.Location, Kind: r.Kind,
		Columns: r.Columns, Comment: r.Comment, Properties: r.Properties, Created: r.Created,
		Model: r.Model, Partitioning: r.Partitioning, Partitions: loadedPartitions(r.Partitions), Distribution: r.Distribution, FirstTablet: r.FirstTablet,
		Version: max(r.Version, 1), Modified: r.Modified, Group: r.Group, GroupUnstable: r.GroupUnstable, Hive: r.Hive || r.Kind == External, Indexes: r.Indexes,
		LastColumn: r.LastColumn, Retired: r.Retired, Schema: r.Schema}
}

func putDatabase(d *database) storeOp {
	return putJSON(bucketDatabases, []byte(d.name), databaseRecord{d.id, d.location})
}
func putGroup(g *ColocateGroup) storeOp { return putJSON(bucketGroups, []byte(g.Name), g) }
func dropGroup(name string) storeOp     { return del(bucketGroups, []byte(name)) }
func dropRecycled(id int64) storeOp     { return del(bucketRecycled, idKey(id)) }

func putRecycled(r *Recycled) storeOp {
	rec := recycledRecord{Recycled: *r, Files: r.Files}
	if r.Partition != nil {
		p := storedPartitions([]Partition{*r.Partition})[0]
		rec.Partition = &p
	}
	if r.Table != nil {
		t := recordOf(r.Table)
		rec.Table, rec.Files, rec.Statistics = &t, r.Table.AllFiles(), r.Table.Statistics
	}
	rec.Recycled.Table, rec.Recycled.Files = nil, nil
	return putJSON(bucketRecycled, idKey(r.ID), &rec)
}

func dropDatabase(name string) storeOp { return del(bucketDatabases, []byte(name)) }
func putView(v *View) storeOp          { return putJSON(bucketViews, viewKey(v), v) }
func dropView(v *View) storeOp         { return del(bucketViews, viewKey(v)) }

func putTable(t *Table) storeOp {
	return putJSON(bucketTables, idKey(t.ID), recordOf(t))
}

func dropTable(t *Table) storeOp {
	return func(tx *bbolt.Tx) error {
		all := t.AllFiles()
		for i := range all {
			if err := removeFile(tx, t.ID, all[i].Path); err != nil {
				return err
			}
		}
		if err := dropStatistics(t)(tx); err != nil {
			return err
		}
		return tx.Bucket(bucketTables).Delete(idKey(t.ID))
	}
}

// putFiles stores the records of files, with all of their deleted rows.
func putFiles(t *Table, files []DataFile) storeOp {
	return func(tx *bbolt.Tx) error {
		for i := range files {
			f := files[i]
			gone := f.Deleted
			f.Deleted = nil
			if err := putJSON(bucketFiles, fileKey(t.ID, f.Path), &f)(tx); err != nil {
				return err
			}
			if gone != nil {
				if err := putDeleted(tx, t.ID, f.Path, 0, gone); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func removeFiles(t *Table, paths map[string]bool) storeOp {
	return func(tx *bbolt.Tx) error {
		for p := range paths {
			if err := removeFile(tx, t.ID, p); err != nil {
				return err
			}
		}
		return nil
	}
}

// removeFile deletes the records of a file.
func removeFile(tx *bbolt.Tx, id int64, path string) error {
	if err := tx.Bucket(bucketFiles).Delete(fileKey(id, path)); err != nil {
		return err
	}
	return removeDeleted(tx, id, path)
}

type metaRecord struct {
	Format          int
	Version, NextID int64
}

func (s *store) commit(tx *Tx) error {
	err := s.db.Update(func(btx *bbolt.Tx) error {
		for _, b := range [][]byte{bucketMeta, bucketDatabases, bucketTables, bucketFiles, bucketDeleted, bucketViews, bucketStatistics, bucketGroups, bucketRecycled, bucketChanges, bucketJobs, bucketDictionaries, bucketTransactions} {
			if _, err := btx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		for _, op := range tx.ops {
			if op == nil {
				continue
			}
			if err := op(btx); err != nil {
				return err
			}
		}
		return putJSON(bucketMeta, []byte("meta"), metaRecord{storeFormat, tx.st.version, tx.st.nextID})(btx)
	})
	if err != nil {
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot write the catalog")
	}
	return nil
}

// load reads the catalog, and what it remembers of transactions into l.
func (s *store) load(l *ledger) (*state, error) {
	st := &state{nextID: 1, databases: map[string]*database{}}
	err := s.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			return nil // a new file
		}
		var m metaRecord
		if err := json.Unmarshal(meta.Get([]byte("meta")), &m); err != nil {
			return err
		}
		if m.Format != storeFormat {
			return sqlerr.New(sqlerr.CorruptFile, "the catalog has format %d, this version reads %d", m.Format, storeFormat)
		}
		st.version, st.nextID = m.Version, m.NextID
		if err := loadObjects(tx, st); err != nil {
			return err
		}
		if err := loadShared(tx, st); err != nil {
			return err
		}
		if err := l.load(tx); err != nil {
			return err
		}
		return loadChanges(tx, st)
	})
	if err != nil {
		var e *sqlerr.Error
		if errors.As(err, &e) {
			return nil, err
		}
		return nil, sqlerr.Wrap(sqlerr.CorruptFile, err, "cannot read the catalog %s", s.db.Path())
	}
	return st, nil
}

func loadObjects(tx *bbolt.Tx, st *state) error {
	err := tx.Bucket(bucketDatabases).ForEach(func(k, v []byte) error {
		var r databaseRecord
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		st.databases[string(k)] = &database{id: r.ID, name: string(k), location: r.Location, tables: map[string]*Table{}, views: map[string]*View{}}
		return nil
	})
	if err != nil {
		return err
	}
	db := func(name string) *database {
		d := st.databases[name]
		if d == nil { // the default database has no record
			d = &database{name: name, tables: map[string]*Table{}, views: map[string]*View{}}
			st.databases[name] = d
		}
		return d
	}
	files := tx.Bucket(bucketFiles).Cursor()
	err = tx.Bucket(bucketTables).ForEach(func(k, v []byte) error {
		var r tableRecord
		if err := json.Unmarshal(v, &r); err != nil {
			return err
		}
		t := r.table()
		if err := loadStatistics(tx, t); err != nil {
			return err
		}
		prefix := string(append(idKey(r.ID), 0))
		var all []DataFile
		for fk, fv := files.Seek([]byte(prefix)); len(fk) >= len(prefix) && string(fk[:len(prefix)]) == prefix; fk, fv = files.Next() {
			var f DataFile
			if err := json.Unmarshal(fv, &f); err != nil {
				return err
			}
			if err := loadDeleted(tx, r.ID, &f); err != nil {
				return err
			}
			all = append(all, f)
		}
		t.SetAllFiles(all)
		db(r.Database).tables[r.Name] = t
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketViews).ForEach(func(_, data []byte) error {
		v := &View{}
		if err := json.Unmarshal(data, v); err != nil {
			return err
		}
		db(v.Database).views[v.Name] = v
		return nil
	})
}

// loadShared reads what no database holds: colocate groups and the recycle bin.
func loadShared(tx *bbolt.Tx, st *state) error {
	st.groups, st.recycled, st.jobs = map[string]*ColocateGroup{}, map[int64]*Recycled{}, map[int64]*AlterJob{}
	if b := tx.Bucket(bucketJobs); b != nil {
		err := b.ForEach(func(_, data []byte) error {
			j := &AlterJob{}
			if err := json.Unmarshal(data, j); err != nil {
				return err
			}
			st.jobs[j.ID] = j
			return nil
		})
		if err != nil {
			return err
		}
	}
	if b := tx.Bucket(bucketGroups); b != nil { // catalogs of earlier versions have neither
		err := b.ForEach(func(_, data []byte) error {
			g := &ColocateGroup{}
			if err := json.Unmarshal(data, g); err != nil {
				return err
			}
			st.groups[g.Name] = g
			return nil
		})
		if err != nil {
			return err
		}
	}
	b := tx.Bucket(bucketRecycled)
	if b == nil {
		return nil
	}
	return b.ForEach(func(_, data []byte) error {
		var rec recycledRecord
		if err := json.Unmarshal(data, &rec); err != nil {
			return err
		}
		r := rec.Recycled
		if r.Partition != nil {
			p := loadedPartitions([]Partition{*r.Partition})[0]
			r.Partition = &p
		}
		if rec.Table != nil {
			r.Table = rec.Table.table()
			r.Table.SetAllFiles(rec.Files)
			r.Table.Statistics = rec.Statistics
		} else {
			r.Files = rec.Files
		}
		st.recycled[r.ID] = &r
		return nil
	})
}
