package basalt

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage/hive"
)

// repairPlan is what the catalog and the folders of an external table say differently.
type repairPlan struct {
	add     []catalog.Partition // folders that are no partitions
	missing []string            // partitions whose folders are gone
}

// repair is MSCK [REPAIR] TABLE: it makes the catalog agree with the folders. Folders of external tables are found
// without it, so that it is for partitions that were dropped, that lie elsewhere, and for tables with
// discover.partitions = false. The partitions of tables of ours are never in doubt.
func (x *execution) repair(st *ast.Repair) (*Rows, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	plan := &repairPlan{}
	if t.Kind == catalog.External && t.InPath() {
		if plan, err = x.planRepair(t); err != nil {
			return nil, sqlerr.From(err).At(st.Position())
		}
	}
	if !st.Repair {
		r := newResult(textCols("Result"))
		if len(plan.add) > 0 {
			var names []string
			for i := range plan.add {
				names = append(names, t.Name+":"+plan.add[i].Name)
			}
			r.Add(str("Partitions not in metastore: " + strings.Join(names, " ")))
		}
		if len(plan.missing) > 0 {
			r.Add(str("Partitions missing from filesystem: " + t.Name + ":" + strings.Join(plan.missing, " "+t.Name+":")))
		}
		return r.rows(x.s), nil
	}
	if st.Mode == "DROP" {
		plan.add = nil
	}
	if st.Mode == "" || st.Mode == "ADD" {
		plan.missing = nil
	}
	if len(plan.add)+len(plan.missing) == 0 {
		return okRows(x.s, 0, ""), nil
	}
	rows, err := x.change(st.Name, func(a *alteration) error {
		now, err := x.alterable(a.tx, a.name)
		if err != nil {
			return err
		}
		gone := map[string]bool{}
		for _, name := range plan.missing {
			gone[name] = true
		}
		for i := range plan.add {
			gone[plan.add[i].Name] = true
		}
		add := plan.add
		if discovers(now) { // a folder that nothing is noted of is a partition
			add = nil
		}
		return changeRecords(a.tx, now, gone, add)
	})
	for i := range plan.add {
		x.note("Repair: Added partition to metastore %s:%s", t.Name, plan.add[i].Name)
	}
	for _, name := range plan.missing {
		x.note("Repair: Dropped partition from metastore %s:%s", t.Name, name)
	}
	return rows, err
}

// planRepair compares the folders of an external table with what the catalog knows of it.
func (x *execution) planRepair(t *catalog.Table) (*repairPlan, error) {
	db := x.s.db
	unlock, err := db.shareFolder(t)
	if err != nil {
		return nil, err
	}
	defer unlock()
	lister := hive.NewLister(db.fs)
	lister.Begin()
	bare := *t // with no partition noted
	bare.Partitions, bare.Properties = nil, nil
	found, err := db.listPartitions(&bare, lister)
	if err != nil {
		return nil, err
	}
	records := map[string]*catalog.Partition{}
	elsewhere := map[string]bool{}
	for i := range t.Partitions {
		records[t.Partitions[i].Name] = &t.Partitions[i]
		elsewhere[t.Partitions[i].Location] = true
	}
	plan := &repairPlan{}
	seen := map[string]bool{}
	for _, p := range found {
		name := pathName(t, p.tuple)
		rec := records[name]
		if !elsewhere[p.folder] && !seen[name] && (rec != nil && rec.Dropped || rec == nil && !discovers(t)) {
			plan.add = append(plan.add, recordOf(t, p))
		}
		seen[name] = true
	}
	for i := range t.Partitions {
		rec := &t.Partitions[i]
		folder := rec.Location
		if folder == "" {
			folder = filepath.Join(t.Location, filepath.FromSlash(rec.Name))
		}
		if _, err := db.fs.Stat(folder); !rec.Dropped && !(rec.Location == "" && seen[rec.Name]) && sqlerr.Is(err, sqlerr.FileNotFound) {
			plan.missing = append(plan.missing, rec.Name)
		}
	}
	slices.Sort(plan.missing)
	return plan, nil
}

// recordOf is what the catalog keeps of a partition that was found.
func recordOf(t *catalog.Table, p pathPartition) catalog.Partition {
	return catalog.Partition{Name: pathName(t, p.tuple), Bounds: boundsOfTuple(p.tuple), Buckets: t.Distribution.Buckets}
}

// truncateHive is TRUNCATE TABLE [PARTITION (…)] of a table of Hive.
func (x *execution) truncateHive(ctx context.Context, t *catalog.Table, st *ast.Truncate) (*Rows, error) {
	match, err := x.truncated(t, st)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	if t.Kind == catalog.External {
		if !purges(t) {
			return nil, sqlerr.New(sqlerr.WrongUsage, "Cannot truncate non-managed table %s", t.Name).
				WithHint("Its files are not ours: INSERT OVERWRITE replaces them, TBLPROPERTIES ('external.table.purge' = 'true') allows TRUNCATE").At(st.Position())
		}
		return x.truncateExternal(ctx, t, match)
	}
	return x.change(st.Name, func(a *alteration) error {
		now, err := x.alterable(a.tx, st.Name)
		if err != nil {
			return err
		}
		gone := map[int64]bool{0: match == nil}
		for i := range now.Partitions {
			p := &now.Partitions[i]
			gone[p.ID] = match == nil || match(p)
		}
		removed := map[string]bool{}
		var files []catalog.DataFile
		for i := range now.Files {
			if f := &now.Files[i]; gone[f.Partition] {
				removed[f.Path] = true
				files = append(files, *f)
			}
		}
		a.gone = append(a.gone, x.s.db.filePaths(now, files)...)
		return a.tx.SetFiles(now.Database, now.ID, removed, nil)
	})
}

// truncated tells which partitions TRUNCATE is about; nil: the whole table.
func (x *execution) truncated(t *catalog.Table, st *ast.Truncate) (func(p *catalog.Partition) bool, error) {
	if len(st.Partitions) > 0 {
		return nil, sqlerr.New(sqlerr.WrongUsage, "Partitions of table '%s' are named by PARTITION (column = value)", t.Name)
	}
	if len(st.Specs) == 0 {
		return nil, nil
	}
	match, err := x.specMatch(t, st.Specs)
	if err != nil {
		return nil, err
	}
	visible, err := x.visiblePartitions(t)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(visible, func(p pathPartition) bool { return match(p.tuple) }) {
		return nil, sqlerr.New(sqlerr.UnknownPartition, "No partition of table '%s' is (%s)", t.Name, specText(st.Specs))
	}
	return func(p *catalog.Partition) bool { return match(p.Bounds.Values[0]) }, nil
}

// truncateExternal replaces the partitions by nothing, as an INSERT OVERWRITE without rows does.
func (x *execution) truncateExternal(_ context.Context, t *catalog.Table, match func(p *catalog.Partition) bool) (*Rows, error) {
	w := &pathWrite{x: x, t: t, overwrite: true, byName: map[string]int{}}
	if t.InPath() {
		visible, err := x.visiblePartitions(t)
		if err != nil {
			return nil, err
		}
		for _, p := range visible {
			if match == nil || match(&catalog.Partition{Bounds: boundsOfTuple(p.tuple)}) {
				w.meet(p.tuple)
			}
		}
	}
	if _, err := w.externalSink(); err != nil {
		return nil, err
	}
	err := w.commitExternal(nil, func(*catalog.Tx) error { return nil })
	x.endWrite(w)
	return okRows(x.s, 0, ""), err
}

// endWrite forgets a write to an external table that ended before a file was renamed.
func (x *execution) endWrite(w *pathWrite) {
	if w.change == nil || w.change.ID == 0 {
		return
	}
	if err := x.s.db.takeBack(w.change); err != nil {
		x.s.db.log.Warn("cannot remove the staging folder of a failed write yet", "staging", w.change.Staging, "error", err)
	}
}

// setHive is ALTER TABLE SET TBLPROPERTIES, SERDEPROPERTIES, LOCATION and FILEFORMAT of a table of Hive.
func (a *alteration) setHive(t *catalog.Table, act *ast.AlterAction) error {
	if !t.Hive {
		return sqlerr.Unsupported("ALTER TABLE " + act.Kind + " of a table without Hive's clauses")
	}
	_, err := a.tx.ChangeTable(t.Database, t.ID, func(t *catalog.Table) error {
		switch act.Kind {
		case "SET LOCATION":
			if t.Kind != catalog.External {
				return sqlerr.Unsupported("SET LOCATION of a table that is not EXTERNAL")
			}
			if err := setLocation(t, act.NewName); err != nil {
				return err
			}
		case "SET FILEFORMAT":
			if t.Kind != catalog.External {
				return sqlerr.Unsupported("SET FILEFORMAT of a table that is not EXTERNAL")
			}
			if _, err := formatFor(act.NewName); err != nil || act.NewName == "" {
				return sqlerr.Unsupported("SET FILEFORMAT " + act.NewName)
			}
			t.Format = strings.ToLower(act.NewName)
		default:
			return setHiveProperties(t, act)
		}
		_, err := openerOf(t)
		return err
	})
	return err
}

// fixedProperties decide what files hold or where they are.
var fixedProperties = []string{"bucket_hash", "bucketing_version", "format", "write.format", "external", "transactional"}

func setHiveProperties(t *catalog.Table, act *ast.AlterAction) error {
	for _, kv := range act.Properties {
		if slices.ContainsFunc(fixedProperties, func(k string) bool { return strings.EqualFold(k, kv.Key) }) && t.Properties[kv.Key] != kv.Value {
			return sqlerr.New(sqlerr.WrongUsage, "Property %s cannot be changed", kv.Key).At(kv.Position())
		}
		t.Properties[kv.Key] = kv.Value
	}
	if t.Kind == catalog.Internal {
		f, err := formatFor(t.Format)
		if err == nil {
			_, err = f.writer(t)
		}
		return err
	}
	_, err := openerOf(t)
	return err
}
