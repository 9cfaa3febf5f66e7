package basalt

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/hive"
)

// pathPartition is one folder of an external table.
type pathPartition struct {
	folder string // absolute
	name   string // below the table's folder
	tuple  []vector.Value
	files  []storage.FileInfo
}

// listedTable is what is known of the folders of an external table, and the source made of it.
type listedTable struct {
	mu     sync.Mutex
	table  *catalog.Table // the version that it was listed for
	lister *hive.Lister
	parts  []pathPartition
	source storage.Source
}

// listed is the listing of t; a table without an id, FROM 'folder', has none that is kept.
func (db *DB) listed(t *catalog.Table) *listedTable {
	if t.ID == 0 {
		return &listedTable{}
	}
	l, ok := db.listings.Load(t.ID)
	if !ok {
		if db.opened.Add(1)%1024 == 0 {
			db.forgetSources()
		}
		l, _ = db.listings.LoadOrStore(t.ID, &listedTable{})
	}
	return l.(*listedTable)
}

// refresh brings the listing up to date. Callers hold l.mu and have the folder locked.
func (l *listedTable) refresh(db *DB, t *catalog.Table) error {
	if l.table == t && l.lister.Fresh() {
		return nil
	}
	if l.lister == nil || l.table == nil || l.table.Location != t.Location {
		l.lister = hive.NewLister(db.fs)
	}
	l.table, l.source = nil, nil
	l.lister.Begin()
	parts, err := db.listPartitions(t, l.lister)
	if err != nil {
		return err
	}
	l.lister.End()
	l.table, l.parts = t, parts
	return nil
}

// pathPartitions are the partitions of an external table as its folders are now. The caller has the folder
// locked.
func (db *DB) pathPartitions(t *catalog.Table) ([]pathPartition, error) {
	l := db.listed(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.refresh(db, t)
	return l.parts, err
}

// tableFiles are the files of an external table without partitions and buckets. The caller has the folder locked.
func (db *DB) tableFiles(t *catalog.Table) ([]string, error) {
	l := db.listed(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lister == nil || l.table == nil || l.table.Location != t.Location {
		l.lister = hive.NewLister(db.fs)
	}
	l.table = t
	l.lister.Begin()
	defer l.lister.End()
	return db.filesOf(t.Location, l.lister.List)
}

// listPartitions lists the folders of t.
func (db *DB) listPartitions(t *catalog.Table, lister *hive.Lister) ([]pathPartition, error) {
	var names []string
	if t.InPath() {
		names = columnNames(t, t.Partitioning.Columns)
	}
	found, err := lister.Discover(t.Location, names)
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		if _, serr := db.fs.Stat(t.Location); sqlerr.Is(serr, sqlerr.FileNotFound) {
			err = nil // nobody wrote to it yet
		}
	}
	if err != nil {
		return nil, err
	}
	out := make([]pathPartition, 0, len(found))
	for i := range found {
		p := &found[i]
		tuple, err := pathTuple(t, p.Keys)
		if err != nil {
			return nil, err
		}
		out = append(out, pathPartition{filepath.Join(t.Location, filepath.FromSlash(p.Path)), p.Path, tuple, p.Files})
	}
	return db.withRecorded(t, out, lister)
}

// discovers reports whether folders that nobody told of are partitions of t: Hive's discover.partitions, which is on here.
func discovers(t *catalog.Table) bool {
	return !strings.EqualFold(t.Properties["discover.partitions"], "false")
}

// withRecorded brings what was found together with what the catalog knows of an external table's partitions: those
// that were dropped, or lie elsewhere.
func (db *DB) withRecorded(t *catalog.Table, found []pathPartition, lister *hive.Lister) ([]pathPartition, error) {
	if !t.InPath() || len(t.Partitions) == 0 && discovers(t) {
		return found, nil
	}
	records := make(map[string]*catalog.Partition, len(t.Partitions))
	elsewhere := map[string]bool{} // folders that are the place of another partition
	for i := range t.Partitions {
		p := &t.Partitions[i]
		records[p.Name] = p
		if p.Location != "" {
			elsewhere[p.Location] = true
		}
	}
	var out []pathPartition
	seen := map[string]bool{}
	for _, p := range found {
		name := pathName(t, p.tuple)
		rec := records[name]
		if elsewhere[p.folder] || rec == nil && !discovers(t) || rec != nil && (rec.Dropped || rec.Location != "") {
			continue
		}
		seen[name] = true
		out = append(out, p)
	}
	for i := range t.Partitions {
		rec := &t.Partitions[i]
		if rec.Dropped || seen[rec.Name] {
			continue
		}
		p := pathPartition{folder: rec.Location, name: rec.Name, tuple: rec.Bounds.Values[0]}
		if p.folder == "" {
			p.folder = filepath.Join(t.Location, filepath.FromSlash(rec.Name))
		}
		var err error
		if p.files, err = lister.Files(p.folder); err != nil && !sqlerr.Is(err, sqlerr.FileNotFound) {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b pathPartition) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// pathTuple turns the texts of a partition's path into values of the partition columns.
func pathTuple(t *catalog.Table, keys []hive.Key) ([]vector.Value, error) {
	if !t.InPath() {
		return nil, nil
	}
	tuple := make([]vector.Value, len(keys))
	for k, id := range t.Partitioning.Columns {
		v, err := pathValue(keys[k], t.ColumnByID(id).Type)
		if err != nil {
			return nil, err
		}
		tuple[k] = v
	}
	return tuple, nil
}

// hiveSource is the source of a partitioned or bucketed external table as its folders are now.
func (db *DB) hiveSource(t *catalog.Table, open fileset.Open) (storage.Source, error) {
	unlock, err := db.shareFolder(t)
	if err != nil {
		return nil, err
	}
	defer unlock()
	l := db.listed(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(db, t); err != nil {
		return nil, err
	}
	if l.source == nil {
		l.source = db.sourceOfFolders(t, l.parts, open)
	}
	return l.source, nil
}

// sourceOfFolders makes the source of listed partitions.
func (db *DB) sourceOfFolders(t *catalog.Table, parts []pathPartition, open fileset.Open) storage.Source {
	l := &storage.Layout{Table: t.ID}
	if t.Partitioning != nil {
		l.Kind, l.Columns = t.Partitioning.Kind, ordinals(t, t.Partitioning.Columns)
	}
	if d := &t.Distribution; d.Kind == catalog.HashDistributed {
		l.Bucketing = &storage.Bucketing{Hash: d.Hash, Columns: ordinals(t, d.Columns), Buckets: d.Buckets, Trusted: true}
	}
	var files []fileset.File
	for i := range parts {
		p := &parts[i]
		info := storage.PartitionInfo{ID: int64(i + 1), Name: p.name}
		var schema *fileset.Schema
		if p.tuple != nil {
			info.Bounds.Values = [][]vector.Value{p.tuple}
			schema = &fileset.Schema{Constants: make([]*vector.Value, len(t.Columns))}
			for k, c := range l.Columns {
				schema.Constants[c] = &p.tuple[k]
			}
		}
		if l.Bucketing != nil {
			info.Buckets = l.Bucketing.Buckets
		}
		l.Partitions = append(l.Partitions, info)
		for _, f := range p.files {
			file := fileset.File{Path: filepath.Join(p.folder, f.Name), Format: "files", Partition: int32(i), Rows: -1, Bytes: f.Size, Schema: schema}
			if l.Bucketing != nil {
				n, ok := hive.Bucket(f.Name)
				if file.Bucket = int32(n); !ok || n >= l.Bucketing.Buckets {
					l.Bucketing.Trusted = false // a file that no bucket writer named
					file.Bucket = 0
				}
			}
			files = append(files, file)
		}
	}
	db.estimateRows(files, open)
	return fileset.New(fileset.Options{FS: db.fs, Columns: storageColumns(t), Layout: l, Files: files, Formats: map[string]fileset.Open{"files": open}})
}
