package basalt

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
)

// partitioned fails for tables that have no partitions of Hive.
func partitioned(t *catalog.Table) error {
	if !t.InPath() {
		return sqlerr.New(sqlerr.NotPartitioned, "Table '%s' is not partitioned by PARTITIONED BY", t.Name)
	}
	return nil
}

// specTuple is a PARTITION (column = value, …) that names one partition: all columns with =.
func (x *execution) specTuple(t *catalog.Table, spec []ast.PartitionSpec) ([]vector.Value, error) {
	if err := partitioned(t); err != nil {
		return nil, err
	}
	tuple := make([]vector.Value, len(t.Partitioning.Columns))
	seen := make([]bool, len(tuple))
	for i := range spec {
		s := &spec[i]
		c, err := pathColumn(t, s)
		if err != nil {
			return nil, err
		}
		if s.Value == nil || s.Op != "=" {
			return nil, sqlerr.New(sqlerr.Syntax, "The partition spec needs %s = value", s.Column).At(s.Position())
		}
		k := slices.Index(t.Partitioning.Columns, c.ID)
		if seen[k] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "Partition column '%s' is given twice", c.Name).At(s.Position())
		}
		if tuple[k], err = x.pathLiteral(s.Value, c); err != nil {
			return nil, err
		}
		seen[k] = true
	}
	if slices.Contains(seen, false) {
		return nil, sqlerr.New(sqlerr.WrongUsage, "The partition spec does not name all of (%s)", strings.Join(columnNames(t, t.Partitioning.Columns), ", "))
	}
	return tuple, nil
}

// specMatch is a PARTITION (…) that may name some columns, with any comparison. NULL, the default partition, equals
// NULL and compares with nothing else.
func (x *execution) specMatch(t *catalog.Table, spec []ast.PartitionSpec) (func(tuple []vector.Value) bool, error) {
	if err := partitioned(t); err != nil {
		return nil, err
	}
	type condition struct {
		column int
		op     string
		value  vector.Value
	}
	var list []condition
	for i := range spec {
		s := &spec[i]
		c, err := pathColumn(t, s)
		if err != nil {
			return nil, err
		}
		if s.Value == nil {
			return nil, sqlerr.New(sqlerr.Syntax, "The partition spec needs a value of %s", s.Column).At(s.Position())
		}
		v, err := x.pathLiteral(s.Value, c)
		if err != nil {
			return nil, err
		}
		list = append(list, condition{slices.Index(t.Partitioning.Columns, c.ID), s.Op, v})
	}
	return func(tuple []vector.Value) bool {
		for _, c := range list {
			v := tuple[c.column]
			if v.Null || c.value.Null {
				if both := v.Null && c.value.Null; !(both && c.op == "=" || !v.Null && c.op == "<>") {
					return false
				}
				continue
			}
			if n := v.Compare(c.value); !(n == 0 && strings.Contains(c.op, "=") || n < 0 && strings.Contains(c.op, "<") || n > 0 && strings.Contains(c.op, ">")) {
				return false
			}
		}
		return true
	}, nil
}

// visiblePartitions are the partitions of a table of Hive as statements see them, ordered by name.
func (x *execution) visiblePartitions(t *catalog.Table) ([]pathPartition, error) {
	if err := partitioned(t); err != nil {
		return nil, err
	}
	if t.Kind == catalog.External {
		unlock, err := x.s.db.shareFolder(t)
		if err != nil {
			return nil, err
		}
		defer unlock()
		list, err := x.s.db.pathPartitions(t)
		list = slices.Clone(list)
		for i := range list {
			list[i].name = pathName(t, list[i].tuple)
		}
		slices.SortStableFunc(list, func(a, b pathPartition) int { return strings.Compare(a.name, b.name) })
		return slices.CompactFunc(list, func(a, b pathPartition) bool { return a.name == b.name }), err
	}
	out := make([]pathPartition, 0, len(t.Partitions))
	for i := range t.Partitions {
		p := &t.Partitions[i]
		out = append(out, pathPartition{name: p.Name, folder: filepath.Join(x.s.db.location(t), filepath.FromSlash(p.Name)), tuple: p.Bounds.Values[0]})
	}
	slices.SortFunc(out, func(a, b pathPartition) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// pathActions are the clauses of ALTER TABLE about Hive's partitions, by kind.
var pathActions = map[string]func(a *alteration, t *catalog.Table, act *ast.AlterAction) error{
	"ADD PARTITION":    (*alteration).addPath,
	"DROP PARTITION":   (*alteration).dropPath,
	"RENAME PARTITION": (*alteration).renamePath,
	"SET LOCATION":     (*alteration).relocatePath,
}

// alterPaths runs ALTER TABLE of a table of Hive where it is about partitions, all clauses or none.
func (x *execution) alterPaths(st *ast.AlterTable, t *catalog.Table) (*Rows, error) {
	for i := range st.Actions {
		act := &st.Actions[i]
		if pathActions[act.Kind] == nil {
			return nil, sqlerr.Unsupported("ALTER TABLE … PARTITION (…) " + act.Kind).At(act.Position())
		}
		if len(act.Specs) == 0 {
			return nil, sqlerr.New(sqlerr.WrongUsage, "Partitions of table '%s' are named by PARTITION (column = value)", t.Name).At(act.Position())
		}
	}
	if err := partitioned(t); err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	if t.Kind == catalog.External && slices.ContainsFunc(st.Actions, func(act ast.AlterAction) bool { return act.Kind == "RENAME PARTITION" }) {
		if len(st.Actions) > 1 {
			return nil, sqlerr.Unsupported("RENAME PARTITION of an external table with other clauses").At(st.Position())
		}
		return x.renameExternal(st, t)
	}
	// Folders are listed and files copied before the transaction, which nothing may hold up.
	visible, err := x.visiblePartitions(t)
	if err != nil {
		return nil, err
	}
	var copies []copiedFile
	if t.Kind == catalog.Internal {
		if copies, err = x.copyRenamed(t, st.Actions); err != nil {
			return nil, err
		}
	}
	rows, err := x.change(st.Name, func(a *alteration) error {
		a.visible, a.copies = visible, copies
		for i := range st.Actions {
			act := &st.Actions[i]
			now, err := x.alterable(a.tx, a.name)
			if err != nil {
				return err
			}
			if err := pathActions[act.Kind](a, now, act); err != nil {
				return sqlerr.From(err).At(act.Position())
			}
		}
		return nil
	})
	if err != nil {
		for _, c := range copies {
			x.s.db.discard(filepath.Join(x.s.db.location(t), c.to))
		}
	}
	return rows, err
}

// has reports whether statements see a partition of t, as of a.
func (a *alteration) has(t *catalog.Table, name string) bool {
	if p := t.PartitionNamed(name, false); p != nil {
		return !p.Dropped
	}
	return t.Kind == catalog.External && slices.ContainsFunc(a.visible, func(p pathPartition) bool { return p.name == name })
}

// addPath is ADD PARTITION. An external table without LOCATION gets the folder.
func (a *alteration) addPath(t *catalog.Table, act *ast.AlterAction) error {
	for i, spec := range act.Specs {
		tuple, err := a.x.specTuple(t, spec)
		if err != nil {
			return err
		}
		p := catalog.Partition{Name: pathName(t, tuple), Bounds: boundsOfTuple(tuple), Buckets: t.Distribution.Buckets}
		if a.has(t, p.Name) {
			if act.IfExists {
				continue
			}
			return catalog.PartitionExists(p.Name)
		}
		location := ""
		if i < len(act.Locations) {
			location = act.Locations[i]
		}
		if t.Kind == catalog.Internal {
			if location != "" {
				return sqlerr.Unsupported("LOCATION of a partition of a table that is not EXTERNAL")
			}
			_, err = a.tx.AddPartitions(t.Database, t.ID, p)
		} else {
			err = a.addRecord(t, p, location)
		}
		if err != nil {
			return err
		}
		if t, err = a.x.alterable(a.tx, a.name); err != nil {
			return err
		}
	}
	return nil
}

// addRecord notes a partition of an external table, in the place of what was noted of it.
func (a *alteration) addRecord(t *catalog.Table, p catalog.Partition, location string) error {
	folder := filepath.Join(t.Location, filepath.FromSlash(p.Name))
	if location != "" {
		abs, err := filepath.Abs(strings.TrimPrefix(location, "file://"))
		if err != nil {
			return storage.FileError(err, location, "resolve")
		}
		if abs != folder {
			p.Location, folder = abs, abs
		}
	}
	if err := a.x.s.db.fs.MkdirAll(folder); err != nil {
		return err
	}
	return changeRecords(a.tx, t, map[string]bool{p.Name: true}, []catalog.Partition{p})
}

// matching are the names of the partitions that a spec of DROP takes.
func (a *alteration) matching(t *catalog.Table, spec []ast.PartitionSpec) ([]pathPartition, error) {
	match, err := a.x.specMatch(t, spec)
	if err != nil {
		return nil, err
	}
	var out []pathPartition
	seen := map[string]bool{}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if seen[p.Name] = true; !p.Dropped && match(p.Bounds.Values[0]) {
			out = append(out, pathPartition{name: p.Name, tuple: p.Bounds.Values[0], folder: p.Location})
		}
	}
	if t.Kind == catalog.External {
		for _, p := range a.visible {
			if !seen[p.name] && match(p.tuple) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// dropPath is DROP PARTITION. Those of external tables keep their files, unless external.table.purge is set; ours go to the
// recycle bin, or with PURGE for good.
func (a *alteration) dropPath(t *catalog.Table, act *ast.AlterAction) error {
	force := act.Force || strings.EqualFold(t.Properties["auto.purge"], "true") || a.x.s.db.trashSeconds() == 0
	for _, spec := range act.Specs {
		list, err := a.matching(t, spec)
		if err != nil {
			return err
		}
		if len(list) == 0 && !act.IfExists && !a.x.s.settings.bool("hive.exec.drop.ignorenonexistent") {
			return sqlerr.New(sqlerr.UnknownPartition, "No partition of table '%s' is (%s)", t.Name, specText(spec))
		}
		for i := range list {
			if t.Kind == catalog.Internal {
				gone, err := a.tx.DropPartition(t.Database, t.ID, list[i].name, false, force)
				if err != nil {
					return err
				}
				a.gone = append(a.gone, a.x.s.db.filePaths(t, gone)...)
				continue
			}
			if err := a.dropRecord(t, &list[i]); err != nil {
				return err
			}
			if t, err = a.x.alterable(a.tx, a.name); err != nil {
				return err
			}
		}
		if t, err = a.x.alterable(a.tx, a.name); err != nil {
			return err
		}
	}
	return nil
}

// dropRecord forgets a partition of an external table. Where folders are discovered a mark stays.
func (a *alteration) dropRecord(t *catalog.Table, p *pathPartition) error {
	var mark []catalog.Partition
	if discovers(t) {
		mark = append(mark, catalog.Partition{Name: p.name, Bounds: boundsOfTuple(p.tuple), Dropped: true})
	}
	if err := changeRecords(a.tx, t, map[string]bool{p.name: true}, mark); err != nil {
		return err
	}
	if purges(t) {
		folder := p.folder
		if folder == "" {
			folder = filepath.Join(t.Location, filepath.FromSlash(p.name))
		}
		a.gone = append(a.gone, folder)
	}
	return nil
}

// purges reports whether what is dropped of an external table loses its files.
func purges(t *catalog.Table) bool {
	return strings.EqualFold(t.Properties["external.table.purge"], "true")
}

func specText(spec []ast.PartitionSpec) string {
	parts := make([]string, len(spec))
	for i := range spec {
		parts[i] = fmt.Sprintf("%s %s %s", spec[i].Column, spec[i].Op, ast.Format(spec[i].Value))
	}
	return strings.Join(parts, ", ")
}

// renamePath is PARTITION (…) RENAME TO PARTITION (…) of a table of ours: the files were copied to the new folder.
func (a *alteration) renamePath(t *catalog.Table, act *ast.AlterAction) error {
	from, to, err := a.x.renameEnds(t, act)
	if err != nil {
		return err
	}
	if !a.has(t, from.name) {
		return catalog.NoPartition(from.name, t.Name)
	}
	if a.has(t, to.name) {
		return catalog.PartitionExists(to.name)
	}
	if err := a.moveCopies(t, from.name); err != nil {
		return err
	}
	_, err = a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		p := t.PartitionNamed(from.name, false)
		p.Name, p.Bounds = to.name, boundsOfTuple(to.tuple)
		return nil
	})
	return err
}

// renameExternal renames the folder of a partition of an external table. One that has a LOCATION of its own stays there.
func (x *execution) renameExternal(st *ast.AlterTable, t *catalog.Table) (*Rows, error) {
	act := &st.Actions[0]
	fail := func(err error) (*Rows, error) { return nil, sqlerr.From(err).At(act.Position()) }
	from, to, err := x.renameEnds(t, act)
	if err != nil {
		return fail(err)
	}
	db := x.s.db
	unlock, err := db.lockFolder(t)
	if err != nil {
		return fail(err)
	}
	defer unlock()
	list, err := db.pathPartitions(t)
	if err != nil {
		return fail(err)
	}
	var old []pathPartition
	for _, p := range list {
		switch pathName(t, p.tuple) {
		case from.name:
			old = append(old, p)
		case to.name:
			return fail(catalog.PartitionExists(to.name))
		}
	}
	switch len(old) {
	case 0:
		return fail(catalog.NoPartition(from.name, t.Name))
	case 1:
	default:
		return fail(sqlerr.Unsupported("RENAME of a partition that lies in several folders"))
	}
	record := catalog.Partition{Name: to.name, Bounds: boundsOfTuple(to.tuple)}
	rec := t.PartitionNamed(from.name, false)
	undo := func() {}
	if rec != nil && rec.Location != "" {
		record.Location = rec.Location
	} else if undo, err = db.renameFolder(old[0], filepath.Join(t.Location, filepath.FromSlash(to.name))); err != nil {
		return fail(err)
	}
	rows, err := x.change(st.Name, func(a *alteration) error {
		now, err := x.alterable(a.tx, a.name)
		if err != nil {
			return err
		}
		var added []catalog.Partition
		if record.Location != "" || !discovers(now) {
			added = append(added, record)
		}
		return changeRecords(a.tx, now, map[string]bool{from.name: true, to.name: true}, added)
	})
	if err != nil {
		undo()
	}
	return rows, err
}

// renameFolder moves the folder of a partition, durably; running statements find its files still. undo moves it back.
func (db *DB) renameFolder(p pathPartition, to string) (undo func(), err error) {
	if _, err := db.fs.Stat(to); err == nil {
		return nil, sqlerr.New(sqlerr.PartitionExists, "The folder %s exists", to)
	}
	if err := db.fs.MkdirAll(filepath.Dir(to)); err != nil {
		return nil, err
	}
	if err := db.fs.Rename(p.folder, to); err != nil {
		return nil, err
	}
	undo = func() {
		if err := db.fs.Rename(to, p.folder); err != nil {
			db.log.Warn("cannot rename a folder back", "from", to, "to", p.folder, "error", err)
		}
	}
	var moves []storage.FileMove
	for _, f := range p.files {
		moves = append(moves, storage.FileMove{From: filepath.Join(p.folder, f.Name), To: filepath.Join(to, f.Name)})
	}
	db.moved.Note(moves)
	db.discardMoves(moves)
	for _, dir := range []string{filepath.Dir(to), filepath.Dir(filepath.Dir(to)), filepath.Dir(p.folder)} {
		if err := db.fs.SyncDir(dir); err != nil {
			undo()
			return nil, err
		}
	}
	return undo, nil
}

// renameEnds are the partitions of RENAME.
func (x *execution) renameEnds(t *catalog.Table, act *ast.AlterAction) (from, to pathPartition, err error) {
	if from.tuple, err = x.specTuple(t, act.Specs[0]); err != nil {
		return from, to, err
	}
	if to.tuple, err = x.specTuple(t, act.Specs[1]); err != nil {
		return from, to, err
	}
	from.name, to.name = pathName(t, from.tuple), pathName(t, to.tuple)
	return from, to, nil
}

// copiedFile is a data file of one of our partitions that is renamed: another program takes a row's partition from the
// folder, and a running statement reads the file where it was.
type copiedFile struct {
	partition string
	file      catalog.DataFile
	to        string
}

// copyRenamed copies the files of partitions that actions rename.
func (x *execution) copyRenamed(t *catalog.Table, actions []ast.AlterAction) (out []copiedFile, err error) {
	db := x.s.db
	defer func() {
		if err != nil {
			for _, c := range out {
				db.discard(filepath.Join(db.location(t), c.to))
			}
			out = nil
		}
	}()
	for i := range actions {
		if actions[i].Kind != "RENAME PARTITION" {
			continue
		}
		from, to, err := x.renameEnds(t, &actions[i])
		if err != nil {
			return out, err
		}
		p := t.PartitionNamed(from.name, false)
		if p == nil || t.PartitionNamed(to.name, false) != nil {
			continue // the transaction tells it
		}
		dir := filepath.Join(db.location(t), filepath.FromSlash(to.name))
		if err := db.fs.MkdirAll(dir); err != nil {
			return out, err
		}
		txn := db.newTxn()
		for k := range t.Files {
			f := &t.Files[k]
			if f.Partition != p.ID {
				continue
			}
			c := copiedFile{from.name, *f, filepath.Join(filepath.FromSlash(to.name), fmt.Sprintf("%06d_%d_%d%s", f.Bucket, len(out), txn, endingOf(f.Path)))}
			out = append(out, c)
			if err := copyFile(db.fs, filepath.Join(db.location(t), f.Path), filepath.Join(db.location(t), c.to)); err != nil {
				return out, err
			}
		}
		for d := filepath.FromSlash(to.name); ; d = filepath.Dir(d) {
			if err := db.fs.SyncDir(filepath.Join(db.location(t), d)); err != nil {
				return out, err
			}
			if d == "." {
				break
			}
		}
	}
	return out, nil
}

// endingOf is a data file's name from the first point on.
func endingOf(path string) string {
	if _, ending, ok := strings.Cut(filepath.Base(path), "."); ok {
		return "." + ending
	}
	return ""
}

// copyFile copies a file, durably.
func copyFile(fs storage.FS, from, to string) error {
	in, err := fs.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := fs.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(in, 0, st.Size))
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return storage.FileError(err, to, "copy to")
}

// moveCopies puts the copies of a partition's files in their place.
func (a *alteration) moveCopies(t *catalog.Table, partition string) error {
	p := t.PartitionNamed(partition, false)
	removed := map[string]bool{}
	for i := range t.Files {
		if t.Files[i].Partition == p.ID {
			removed[t.Files[i].Path] = true
		}
	}
	var added []catalog.DataFile
	same := true
	for _, c := range a.copies {
		if c.partition == partition {
			same = same && removed[c.file.Path]
			f := c.file
			f.Path = c.to
			added = append(added, f)
		}
	}
	if !same || len(added) != len(removed) {
		return sqlerr.Detail("Partition %s of table %s was written to meanwhile", partition, t.Name).WithHint("Try again")
	}
	for path := range removed {
		a.gone = append(a.gone, a.x.s.db.filePaths(t, []catalog.DataFile{{Path: path}})...)
	}
	return a.tx.SetFiles(t.Database, t.ID, removed, added)
}

// relocatePath is PARTITION (…) SET LOCATION of an external table.
func (a *alteration) relocatePath(t *catalog.Table, act *ast.AlterAction) error {
	if t.Kind == catalog.Internal {
		return sqlerr.Unsupported("SET LOCATION of a table that is not EXTERNAL")
	}
	tuple, err := a.x.specTuple(t, act.Specs[0])
	if err != nil {
		return err
	}
	name := pathName(t, tuple)
	if !a.has(t, name) {
		return catalog.NoPartition(name, t.Name)
	}
	return a.addRecord(t, catalog.Partition{Name: name, Bounds: boundsOfTuple(tuple)}, act.NewName)
}
