package basalt

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/hive"
	"github.com/basaltdb/basalt/storage/table"
)

// pathWrite is one write to a table of Hive: what its PARTITION clause says and which partitions its rows
// meet. Partitions have numbers of their own, from 1, until the write is published.
type pathWrite struct {
	x         *execution
	t         *catalog.Table
	overwrite bool
	fixed     map[int32]vector.Value // static partition columns, by id
	dynamic   []string               // dynamic partition columns in the order of the query's last columns
	columns   []string               // what the query gives; nil: columns of the table, then dynamic

	parts  []storage.PartitionInfo // Name is the folder, Bounds the one tuple
	byName map[string]int

	// Of external tables: what is written down of the write until it counts, and the folders of the partitions there
	// are, by the names that they would have here.
	change  *catalog.Change
	folders map[string][]string
	loaded  bool // the files are somebody's and keep their names
}

// newPathWrite checks the PARTITION clause of st against t.
func (x *execution) newPathWrite(t *catalog.Table, st *ast.Insert) (*pathWrite, error) {
	w := &pathWrite{x: x, t: t, overwrite: st.Overwrite, fixed: map[int32]vector.Value{}, byName: map[string]int{}}
	if st.AutoDetect || st.Temporary {
		return nil, sqlerr.Unsupported("PARTITION (*) and TEMPORARY PARTITION of a table of Hive").At(st.Position())
	}
	spec := st.Partition
	for _, name := range st.Partitions {
		spec = append(spec, ast.PartitionSpec{Pos: st.Pos, Column: name})
	}
	if !t.InPath() {
		if len(spec) > 0 {
			return nil, sqlerr.New(sqlerr.NotPartitioned, "Table '%s' is not partitioned, but a partition spec was given", t.Name).At(spec[0].Position())
		}
		w.columns = st.Columns
		return w, nil
	}
	if err := w.readSpec(st, spec); err != nil {
		return nil, err
	}
	if err := w.checkDynamic(st); err != nil {
		return nil, err
	}
	w.columns = w.queryColumns(st.Columns)
	if len(w.dynamic) == 0 {
		tuple := make([]vector.Value, len(t.Partitioning.Columns))
		for i, id := range t.Partitioning.Columns {
			tuple[i] = w.fixed[id]
		}
		w.meet(tuple)
	}
	return w, nil
}

// readSpec takes the static values and the dynamic columns from a PARTITION clause; without one all are dynamic.
func (w *pathWrite) readSpec(st *ast.Insert, spec []ast.PartitionSpec) error {
	t := w.t
	if len(spec) == 0 {
		w.dynamic = columnNames(t, t.Partitioning.Columns)
		return nil
	}
	seen := map[int32]bool{}
	for i := range spec {
		s := &spec[i]
		c, err := pathColumn(t, s)
		if err != nil {
			return err
		}
		switch {
		case seen[c.ID]:
			return sqlerr.New(sqlerr.DuplicateColumn, "Partition column '%s' is given twice", c.Name).At(s.Position())
		case s.Value == nil:
			w.dynamic = append(w.dynamic, c.Name)
		case s.Op != "=":
			return sqlerr.New(sqlerr.Syntax, "PARTITION of INSERT takes column = value").At(s.Position())
		case len(w.dynamic) > 0:
			return sqlerr.New(sqlerr.WrongUsage, "Dynamic partition cannot be the parent of a static partition: '%s'", c.Name).At(s.Position())
		default:
			if w.fixed[c.ID], err = w.x.pathLiteral(s.Value, c); err != nil {
				return err
			}
		}
		seen[c.ID] = true
	}
	for i, id := range t.Partitioning.Columns {
		_, static := w.fixed[id]
		if !seen[id] {
			return sqlerr.New(sqlerr.WrongUsage, "The partition spec has no column '%s': all of (%s) are needed", t.ColumnByID(id).Name,
				strings.Join(columnNames(t, t.Partitioning.Columns), ", ")).At(st.Position())
		}
		if static && i >= len(w.fixed) {
			return sqlerr.New(sqlerr.WrongUsage, "Dynamic partition cannot be the parent of a static partition: '%s'", t.ColumnByID(id).Name).At(st.Position())
		}
	}
	return nil
}

// pathColumn is the partition column that a spec names.
func pathColumn(t *catalog.Table, s *ast.PartitionSpec) (*catalog.Column, error) {
	c := t.ColumnNamed(s.Column)
	if c == nil || !slices.Contains(t.Partitioning.Columns, c.ID) {
		return nil, sqlerr.New(sqlerr.UnknownPartition, "'%s' is no partition column of table '%s'", s.Column, t.Name).At(s.Position())
	}
	return c, nil
}

// pathLiteral is a constant of a partition spec as a value of its column. The empty text and the name of the
// default partition are NULL.
func (x *execution) pathLiteral(e ast.Expr, c *catalog.Column) (vector.Value, error) {
	v, err := bind.Scalar(e, x.env())
	if err != nil {
		return v, err
	}
	if !v.Null && v.Type.IsString() && (v.S == hive.DefaultPartition || v.S == "" && c.Type.IsString()) {
		return vector.NullOf(c.Type), nil
	}
	return x.storeValue(v, c, e.Position())
}

// checkDynamic is hive.exec.dynamic.partition and its mode, and IF NOT EXISTS.
func (w *pathWrite) checkDynamic(st *ast.Insert) error {
	if len(w.dynamic) == 0 {
		return nil
	}
	set := w.x.s.settings
	switch {
	case st.IfNotExists:
		return sqlerr.New(sqlerr.WrongUsage, "IF NOT EXISTS needs a value for every partition column").At(st.Position())
	case !set.bool("hive.exec.dynamic.partition"):
		return sqlerr.New(sqlerr.WrongUsage, "Dynamic partition is disabled: SET hive.exec.dynamic.partition = true, or give the values of the partition columns").At(st.Position())
	case len(w.fixed) == 0 && set.values["hive.exec.dynamic.partition.mode"] == "strict":
		return sqlerr.New(sqlerr.WrongUsage, "Dynamic partition strict mode requires at least one static partition column. To turn this off set hive.exec.dynamic.partition.mode=nonstrict").
			At(st.Position())
	}
	return nil
}

// queryColumns are the columns that the query gives: those listed, or the table's own, and then the dynamic
// partition columns that are not listed, by position.
func (w *pathWrite) queryColumns(listed []string) []string {
	out := slices.Clone(listed)
	if len(listed) == 0 {
		for i := range w.t.Columns {
			if !isPathColumn(w.t, i) {
				out = append(out, w.t.Columns[i].Name)
			}
		}
	}
	for _, name := range w.dynamic {
		if !slices.ContainsFunc(listed, func(l string) bool { return strings.EqualFold(l, name) }) {
			out = append(out, name)
		}
	}
	return out
}

// meet is the number of the partition of a tuple, which is noted.
func (w *pathWrite) meet(tuple []vector.Value) int {
	name := pathName(w.t, tuple)
	if i, ok := w.byName[name]; ok {
		return i
	}
	i := len(w.parts)
	w.byName[name] = i
	w.parts = append(w.parts, storage.PartitionInfo{ID: int64(i + 1), Name: name, Bounds: boundsOfTuple(tuple),
		Buckets: max(w.t.Distribution.Buckets, 1)})
	return i
}

// pathName is the folder of a partition of t.
func pathName(t *catalog.Table, tuple []vector.Value) string {
	keys := make([]hive.Key, len(tuple))
	for i, id := range t.Partitioning.Columns {
		keys[i] = hive.Key{Name: strings.ToLower(t.ColumnByID(id).Name), Value: pathText(tuple[i]), Null: tuple[i].Null}
	}
	return hive.Path(keys)
}

// pathText is a value as folder names have it.
func pathText(v vector.Value) string {
	switch {
	case v.Null:
		return ""
	case v.Type.Kind == sqltype.Boolean:
		return fmt.Sprint(v.IsTrue())
	case v.Type.Kind == sqltype.DateTime || v.Type.Kind == sqltype.Timestamp:
		text := v.Text()
		if strings.Contains(text, ".") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		return text
	}
	return v.Text()
}

// boundsOfTuple are the bounds of a partition of one tuple.
func boundsOfTuple(tuple []vector.Value) storage.PartitionBounds {
	return storage.PartitionBounds{Values: [][]vector.Value{tuple}}
}

// layout is the partitions met so far.
func (w *pathWrite) layout() *storage.Layout {
	l := layoutOf(w.t, func(*catalog.Partition) bool { return false })
	l.Partitions = slices.Clone(w.parts)
	return l
}

// create makes partitions for tuples that have none, within Hive's limits. One driver at a time calls it.
func (w *pathWrite) create(_ context.Context, tuples [][]vector.Value) (*storage.Layout, error) {
	for _, tuple := range tuples {
		w.meet(tuple)
	}
	for _, name := range []string{"hive.exec.max.dynamic.partitions", "hive.exec.max.dynamic.partitions.pernode"} {
		if limit := w.x.s.settings.int(name); int64(len(w.parts)) > limit {
			return nil, sqlerr.New(sqlerr.TooManyPartitions, "The write to table '%s' makes more than %d dynamic partitions", w.t.Name, limit).
				WithHint("SET %s = …", name)
		}
	}
	return w.layout(), nil
}

// sink writes the rows; publish gets the files with the numbers of w.parts.
func (w *pathWrite) sink(dir string, publish func(ctx context.Context, files []catalog.DataFile) error) *table.Sink {
	o := w.options(dir)
	o.Publish = func(ctx context.Context, files []table.File) error {
		if err := w.checkFiles(len(files)); err != nil {
			return err
		}
		return publish(ctx, dataFiles(w.t, files))
	}
	return table.NewSink(o)
}

// checkFiles is hive.exec.max.created.files.
func (w *pathWrite) checkFiles(n int) error {
	if limit := w.x.s.settings.int("hive.exec.max.created.files"); int64(n) > limit {
		return sqlerr.New(sqlerr.TooManyPartitions, "The write to table '%s' makes %d files, more than %d", w.t.Name, n, limit).
			WithHint("SET hive.exec.max.created.files = …")
	}
	return nil
}

// options of a sink that writes below dir.
func (w *pathWrite) options(dir string) table.Options {
	x, t := w.x, w.t
	o := x.sinkOptions(t, dir)
	o.FileBytes = x.s.settings.int("hive.merge.size.per.task")
	switch {
	case t.InPath():
		o.Routing = routingOf(t, w.layout())
		if len(w.dynamic) > 0 {
			o.Routing.Create = w.create
		}
	case t.Distribution.Kind != catalog.NotDistributed:
		o.Routing = &table.Routing{Layout: layoutOf(t, nil)}
	}
	return o
}

// newHiveInsertion is INSERT into a table of Hive.
func (x *execution) newHiveInsertion(t *catalog.Table, st *ast.Insert) (*insertion, error) {
	w, err := x.newPathWrite(t, st)
	if err != nil {
		return nil, err
	}
	out := &insertion{to: bind.Target{Table: t, Columns: w.columns, Fixed: w.fixed}, overwrite: st.Overwrite, path: w}
	if st.IfNotExists && t.InPath() {
		if out.skip, err = w.exists(); err != nil || out.skip {
			return out, err
		}
	}
	if t.Kind == catalog.External {
		out.sink, err = w.externalSink()
		return out, err
	}
	out.sink = w.sink(x.s.db.location(t), func(ctx context.Context, files []catalog.DataFile) error {
		return x.publish(ctx, x.s.db.replacingPaths(w, files).measured(files))
	})
	return out, nil
}

// exists reports whether the static partition is there.
func (w *pathWrite) exists() (bool, error) {
	if w.t.Kind == catalog.External {
		unlock, err := w.x.s.db.shareFolder(w.t)
		if err != nil {
			return false, err
		}
		defer unlock()
		folders, err := w.foldersOf(0)
		if err != nil {
			return false, err
		}
		_, err = w.x.s.db.fs.Stat(folders[0])
		if sqlerr.Is(err, sqlerr.FileNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return w.t.PartitionNamed(w.parts[0].Name, false) != nil, nil
}

// replacingPaths lists the files of a write in the catalog, with the partitions that they need, and drops those
// that an overwrite replaces, all at once. A dynamic overwrite replaces partitions that got rows, others
// whatever they got.
func (db *DB) replacingPaths(w *pathWrite, files []catalog.DataFile) published {
	t := w.t
	if len(files) == 0 && (len(w.dynamic) > 0 || !t.InPath() && !w.overwrite) {
		return published{}
	}
	var gone []string
	added := slices.Clone(files)
	apply := func(tx *catalog.Tx) error {
		gone = nil
		now := tx.TableByID(t.Database, t.ID)
		if now == nil {
			return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' was dropped meanwhile", t.Database, t.Name)
		}
		ids, err := w.addPartitions(tx, now)
		if err != nil {
			return err
		}
		touched := map[int64]bool{}
		for _, id := range ids {
			touched[id] = true
		}
		copy(added, files)
		for i := range added {
			added[i].Partition = ids[files[i].Partition]
		}
		removed := map[string]bool{}
		for i := range now.Files {
			f := &now.Files[i]
			if !touched[f.Partition] {
				continue
			}
			if !w.overwrite {
				if err := immutable(now); err != nil && len(files) > 0 {
					return err
				}
				continue
			}
			removed[f.Path] = true
		}
		for path := range removed {
			gone = append(gone, db.filePaths(now, []catalog.DataFile{{Path: path}})...)
		}
		return tx.SetFiles(t.Database, t.ID, removed, added)
	}
	return published{table: t.ID, apply: apply, after: func() {
		db.discard(gone...)
		db.compactLater(t, added)
	}}
}

// immutable fails for tables that take rows only once; data is there.
func immutable(t *catalog.Table) error {
	if strings.EqualFold(t.Properties["immutable"], "true") {
		return sqlerr.New(sqlerr.WrongUsage, "Inserting into a non-empty immutable table is not allowed: '%s'", t.Name)
	}
	return nil
}

// addPartitions makes the partitions of w that t, as of tx, does not have, and returns the ids of all that w met, by
// their numbers. An unpartitioned table has the one of id 0.
func (w *pathWrite) addPartitions(tx *catalog.Tx, t *catalog.Table) (map[int64]int64, error) {
	if !t.InPath() {
		return map[int64]int64{0: 0}, nil
	}
	have := make(map[string]int64, len(t.Partitions))
	for i := range t.Partitions {
		have[t.Partitions[i].Name] = t.Partitions[i].ID
	}
	ids := map[int64]int64{}
	var missing []catalog.Partition
	for i := range w.parts {
		if _, ok := have[w.parts[i].Name]; !ok {
			missing = append(missing, w.record(i))
		}
	}
	if len(missing) > 0 {
		made, err := tx.AddPartitions(t.Database, t.ID, missing...)
		if err != nil {
			return nil, err
		}
		for i := range made {
			have[made[i].Name] = made[i].ID
		}
	}
	for i := range w.parts {
		ids[w.parts[i].ID] = have[w.parts[i].Name]
	}
	return ids, nil
}

// record is the i-th partition as the catalog keeps it.
func (w *pathWrite) record(i int) catalog.Partition {
	return catalog.Partition{Name: w.parts[i].Name, Bounds: w.parts[i].Bounds, Buckets: w.t.Distribution.Buckets}
}

// createHiveSink is the sink of CREATE TABLE AS for a table of Hive: every partition column is dynamic, and
// the table comes with its rows and partitions.
func (x *execution) createHiveSink(t *catalog.Table) storage.Sink {
	w := &pathWrite{x: x, t: t, byName: map[string]int{}}
	if t.InPath() {
		w.dynamic = columnNames(t, t.Partitioning.Columns)
	}
	return w.sink(x.s.db.location(t), func(ctx context.Context, files []catalog.DataFile) error {
		return x.publish(ctx, published{table: t.ID, apply: func(tx *catalog.Tx) error {
			next := *t
			for i := range w.parts {
				next.Partitions = append(next.Partitions, w.record(i))
			}
			tx.AssignIDs(&next)
			next.Files = slices.Clone(files)
			for i := range next.Files {
				if n := next.Files[i].Partition; n > 0 {
					next.Files[i].Partition = next.Partitions[n-1].ID
				}
			}
			return x.addTable(tx, &next)
		}}.measured(files))
	})
}

// defineManaged fills in Hive's clauses of a table whose files are ours.
func (x *execution) defineManaged(t *catalog.Table, h *ast.HiveTable) error {
	if h.Location != "" {
		return sqlerr.Unsupported("LOCATION of a table that is not EXTERNAL").At(h.Position())
	}
	if err := x.defineHive(t, h); err != nil {
		return err
	}
	for _, id := range t.Distribution.Columns {
		if c := t.ColumnByID(id); !t.Distribution.Hash.Supports(c.Type) {
			return sqlerr.Unsupported(fmt.Sprintf("CLUSTERED BY a column of type %s with the hash %s", c.Type, t.Distribution.Hash)).At(h.Position())
		}
	}
	f, err := formatFor(t.Format)
	if err == nil {
		_, err = f.writer(t)
	}
	return err
}
