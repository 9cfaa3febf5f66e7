package basalt

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/hive"
	"github.com/basaltdb/basalt/storage/table"
)

// openSource makes the scan source of a table of the catalog.
func (db *DB) openSource(t *catalog.Table) (storage.Source, error) {
	if t.Kind == catalog.Internal {
		return db.internalSource(t), nil
	}
	open, err := openerOf(t)
	if err != nil {
		return nil, err
	}
	if t.Partitioning != nil || t.Distribution.Kind != catalog.NotDistributed {
		return db.hiveSource(t, open)
	}
	unlock, err := db.shareFolder(t)
	if err != nil {
		return nil, err
	}
	paths, err := db.tableFiles(t)
	unlock()
	if sqlerr.Is(err, sqlerr.FileNotFound) && !strings.ContainsAny(t.Location, "*?[{") {
		err = nil // nobody wrote to it yet
	}
	if err != nil {
		return nil, err
	}
	return open(db.fs, paths, storageColumns(t))
}

// location is where an internal table's files are: relative locations lie in the
// warehouse, so that a data folder can be moved.
func (db *DB) location(t *catalog.Table) string {
	if filepath.IsAbs(t.Location) {
		return t.Location
	}
	w, err := db.warehouse()
	if err != nil {
		return t.Location
	}
	return filepath.Join(w, t.Location)
}

// listFiles expands a file, a folder or a glob to data files, hidden ones left out.
func (db *DB) listFiles(path string) ([]string, error) { return db.filesOf(path, db.fs.List) }

func (db *DB) filesOf(path string, list func(dir string) ([]storage.FileInfo, error)) ([]string, error) {
	if strings.ContainsAny(path, "*?[{") {
		return db.globFiles(path)
	}
	st, err := db.fs.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir {
		return []string{path}, nil
	}
	entries, err := list(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		switch {
		case hidden(e.Name):
		case e.IsDir && hive.Transactional(e.Name):
			return nil, sqlerr.Unsupported("a transactional table of Hive (" + filepath.Join(path, e.Name) + ")")
		case !e.IsDir && e.Size > 0:
			out = append(out, filepath.Join(path, e.Name))
		}
	}
	return out, nil
}

// hidden tells the files that Hive and its kin ignore.
func hidden(name string) bool { return hive.Hidden(name) }

func (db *DB) globFiles(pattern string) ([]string, error) {
	var out []string
	for _, p := range expandBraces(pattern) {
		matches, err := filepath.Glob(p)
		if err != nil {
			return nil, sqlerr.New(sqlerr.WrongArguments, "malformed file pattern: %s", pattern)
		}
		for _, m := range matches {
			if st, err := db.fs.Stat(m); err == nil && !st.IsDir && !hidden(st.Name) {
				out = append(out, m)
			}
		}
	}
	if len(out) == 0 {
		return nil, sqlerr.New(sqlerr.FileNotFound, "no file matches %s", pattern)
	}
	return out, nil
}

// expandBraces turns a{b,c}d into abd and acd; one level, several groups.
func expandBraces(p string) []string {
	open := strings.IndexByte(p, '{')
	if open < 0 {
		return []string{p}
	}
	end := strings.IndexByte(p[open:], '}')
	if end < 0 {
		return []string{p}
	}
	var out []string
	for _, alt := range strings.Split(p[open+1:open+end], ",") {
		out = append(out, expandBraces(p[:open]+alt+p[open+end+1:])...)
	}
	return out
}

// fileTable is FROM 'path'.
func (x *execution) fileTable(path string) (storage.Source, error) { return x.fileTableAs(path, "") }

// fileTableAs reads the files at path in a format; "" takes it from the first file.
func (x *execution) fileTableAs(path, format string) (storage.Source, error) {
	if x.s.db.hasPartitionFolders(path) {
		return x.s.db.folderTable(path, format)
	}
	paths, err := x.s.db.listFiles(path)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, sqlerr.New(sqlerr.FileNotFound, "the folder %s has no data files", path)
	}
	if format == "" {
		if text := textFormat(paths[0]); text != "" {
			return x.s.db.textFiles(paths, text)
		}
		format = x.s.db.formatAt(paths[0])
	}
	open, err := openerOf(&catalog.Table{Format: format})
	if err != nil {
		return nil, err
	}
	return open(x.s.db.fs, paths, nil)
}

// tableFunction is local(…) and numbers(…), Doris's table-valued functions.
func (x *execution) tableFunction(name string, props []ast.Property, args []vector.Value) (storage.Source, error) {
	p := map[string]string{}
	for _, kv := range props {
		p[strings.ToLower(kv.Key)] = kv.Value
	}
	switch name {
	case givenName:
		return x.given, nil
	case "local", "file":
		path := p["file_path"]
		if path == "" {
			path = p["uri"]
		}
		if path == "" {
			return nil, sqlerr.New(sqlerr.WrongArguments, `%s() needs "file_path"`, name)
		}
		if isTextFormat(p["format"]) {
			paths, err := x.s.db.listFiles(path)
			if err != nil {
				return nil, err
			}
			return x.s.db.textFunction(paths, p)
		}
		return x.fileTableAs(path, p["format"])
	case "numbers":
		for k := range p {
			if k != "number" && k != "const_value" {
				return nil, sqlerr.New(sqlerr.WrongArguments, "numbers() has no property %q", k)
			}
		}
		n, err := strconv.ParseInt(p["number"], 10, 64)
		if err != nil || n < 0 {
			return nil, sqlerr.New(sqlerr.WrongArguments, `numbers() needs "number", a count of rows that is not negative`)
		}
		src := &storage.Numbers{Count: n}
		if c, ok := p["const_value"]; ok {
			if src.Const, err = strconv.ParseInt(c, 10, 64); err != nil {
				return nil, sqlerr.New(sqlerr.WrongArguments, `numbers() has a malformed "const_value": %s`, c)
			}
			src.HasConst = true
		}
		return src, nil
	case "s3", "hdfs", "http", "azure", "files":
		return nil, sqlerr.Unsupported("table function " + name + "()")
	}
	return nil, sqlerr.New(sqlerr.UnknownFunction, "table function %s does not exist", name)
}

// newTxn numbers writes; staged and data file names carry the number. Files of earlier
// processes never clash: the catalog version grows with every commit, and what a crash
// left behind is swept at Open.
func (db *DB) newTxn() int64 { return db.cat.Version()<<20 | db.nextTxn.Add(1)&(1<<20-1) }

// sweep removes, at start, what crashed writers left in the warehouse.
func (db *DB) sweep() error {
	if db.dir == "" {
		return nil
	}
	db.takeBackAll()
	snap := db.cat.Snapshot()
	recycled := map[int64][]catalog.DataFile{} // partitions in the recycle bin, by table
	for _, r := range db.cat.Recycled() {
		recycled[r.TableID] = append(recycled[r.TableID], r.Files...)
	}
	for _, name := range snap.Databases() {
		for _, t := range snap.Tables(name) {
			if t.Kind != catalog.Internal {
				continue
			}
			all := t.AllFiles()
			keep := make(map[string]bool, len(all))
			for _, f := range recycled[t.ID] {
				keep[f.Path] = true
			}
			for _, f := range all {
				keep[f.Path] = true
			}
			if err := table.Sweep(db.fs, db.location(t), keep, dataExtensions...); err != nil {
				return err
			}
		}
	}
	return db.sweepDropped(snap)
}

// sweepDropped removes folders of the warehouse that no table owns: tables that were
// dropped, or created and never committed, when a process died.
func (db *DB) sweepDropped(snap catalog.Snapshot) error {
	root, err := db.warehouse()
	if err != nil {
		return err
	}
	owned := map[string]bool{}
	for _, r := range db.cat.Recycled() {
		if r.Table != nil {
			owned[db.location(r.Table)] = true
		}
	}
	for _, name := range snap.Databases() {
		for _, t := range snap.Tables(name) {
			if t.Kind == catalog.Internal {
				owned[db.location(t)] = true
			}
		}
	}
	databases, err := db.fs.List(root)
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range databases {
		if !d.IsDir || !strings.HasSuffix(d.Name, ".db") {
			continue
		}
		tables, err := db.fs.List(filepath.Join(root, d.Name))
		if err != nil {
			return err
		}
		for _, t := range tables {
			dir := filepath.Join(root, d.Name, t.Name)
			if t.IsDir && !owned[dir] {
				if err := db.fs.RemoveAll(dir); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// garbage are paths that wait for the statements that may still read them.
type garbage struct {
	mu      sync.Mutex
	pins    map[int64]int // catalog version -> running statements that see it
	pending []pendingPath
}

type pendingPath struct {
	version int64 // the first version that does not see the path
	path    string
	change  int64              // that ends when the path is gone; 0: none
	moves   []storage.FileMove // instead of a path: of files that are no longer looked for where they were
}

// pin keeps the files that a snapshot taken after it sees, until the returned function is
// called.
func (db *DB) pin() func() {
	g, v := &db.garbage, db.cat.Version()
	g.mu.Lock()
	if g.pins == nil {
		g.pins = map[int64]int{}
	}
	g.pins[v]++
	g.mu.Unlock()
	var once sync.Once
	return func() {
		once.Do(func() {
			g.mu.Lock()
			if g.pins[v]--; g.pins[v] == 0 {
				delete(g.pins, v)
			}
			g.mu.Unlock()
			db.collectGarbage()
		})
	}
}

// discard removes paths once no running statement can see them.
func (db *DB) discard(paths ...string) {
	db.garbage.mu.Lock()
	for _, p := range paths {
		db.garbage.pending = append(db.garbage.pending, pendingPath{version: db.cat.Version(), path: p})
	}
	db.garbage.mu.Unlock()
	db.collectGarbage()
}

// discardChange removes the staging folder of a write to an external table that counts, and with it the files that it
// replaced, and then forgets the write.
func (db *DB) discardChange(c *catalog.Change) {
	db.garbage.mu.Lock()
	db.garbage.pending = append(db.garbage.pending, pendingPath{version: db.cat.Version(), path: c.Staging, change: c.ID})
	db.garbage.mu.Unlock()
	db.collectGarbage()
}

// discardMoves forgets where files went once no running statement may look for them.
func (db *DB) discardMoves(moves []storage.FileMove) {
	db.garbage.mu.Lock()
	db.garbage.pending = append(db.garbage.pending, pendingPath{version: db.cat.Version() + 1, moves: moves}) // a commit follows
	db.garbage.mu.Unlock()
}

// collectGarbage removes what nobody sees any more. What cannot be removed now is
// logged, and swept at the next start.
func (db *DB) collectGarbage() {
	g := &db.garbage
	g.mu.Lock()
	if len(g.pending) == 0 {
		g.mu.Unlock()
		return
	}
	oldest := db.cat.Version()
	for v := range g.pins {
		oldest = min(oldest, v)
	}
	var now []pendingPath
	rest := g.pending[:0]
	for _, p := range g.pending {
		if p.version <= oldest {
			now = append(now, p)
		} else {
			rest = append(rest, p)
		}
	}
	g.pending = rest
	g.mu.Unlock()
	var ended []int64
	for _, p := range now {
		if p.moves != nil {
			db.moved.Forget(p.moves)
			continue
		}
		if err := db.fs.RemoveAll(p.path); err != nil {
			db.log.Warn("cannot remove dropped files", "path", p.path, "error", err)
		} else if p.change != 0 {
			ended = append(ended, p.change)
		}
	}
	if len(ended) == 0 {
		return
	}
	err := db.cat.Update(func(tx *catalog.Tx) error {
		for _, id := range ended {
			tx.EndChange(id)
		}
		return nil
	})
	if err != nil {
		db.log.Warn("cannot note that a write to an external table has ended", "error", err)
	}
}
