package basalt

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
)

// describedTable finds the table of a SHOW or DESCRIBE in Hive's form; nil for views.
func (x *execution) describedTable(n ast.Name) (*catalog.Table, error) {
	if _, err := x.columnsOfName(n); err != nil {
		return nil, err
	}
	if n.Database == "" {
		n.Database = x.s.Database()
	}
	return x.snapshot.Table(n.Database, n.Name), nil
}

// showPaths is SHOW PARTITIONS of a table of Hive: one text a partition. WHERE and ORDER BY see the partition
// columns too.
func (x *execution) showPaths(t *catalog.Table, st *ast.Show) (*Rows, error) {
	list, err := x.visiblePartitions(t)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	match := func([]vector.Value) bool { return true }
	if len(st.Partition) > 0 {
		if match, err = x.specMatch(t, st.Partition); err != nil {
			return nil, err
		}
	}
	cols := textCols("partition")
	for _, id := range t.Partitioning.Columns {
		c := t.ColumnByID(id)
		cols = append(cols, Column{Name: c.Name, Type: c.Type, Nullable: true})
	}
	all := newResult(cols)
	for i := range list {
		if match(list[i].tuple) {
			all.Add(append([]vector.Value{str(list[i].name)}, list[i].tuple...)...)
		}
	}
	rows, err := x.filteredShow(all, st)
	if err != nil {
		return nil, err
	}
	r := newResult(cols[:1])
	for _, row := range rows {
		r.Add(row[0])
	}
	return r.rows(x.s), nil
}

// describeHive is DESCRIBE EXTENDED and FORMATTED t [PARTITION (…)] [column].
func (x *execution) describeHive(st *ast.Describe) (*Rows, error) {
	t, err := x.describedTable(st.Name)
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("col_name", "data_type", "comment"))
	add := func(a, b, c string) { r.Add(str(a), str(b), str(c)) }
	cols, err := x.columnsOfName(st.Name)
	if err != nil {
		return nil, err
	}
	if st.Column != "" {
		at := slices.IndexFunc(cols, func(c catalog.Column) bool { return strings.EqualFold(c.Name, st.Column) })
		if at < 0 {
			return nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", st.Column, st.Name.Name).At(st.Position())
		}
		add(cols[at].Name, cols[at].Type.String(), cols[at].Comment)
		return r.rows(x.s), nil
	}
	var partition *pathPartition
	if len(st.Partition) > 0 {
		if partition, err = x.describedPartition(t, st); err != nil {
			return nil, err
		}
	}
	path := 0
	if t != nil && t.InPath() {
		path = len(t.Partitioning.Columns)
	}
	formatted := st.Mode == "FORMATTED"
	if formatted {
		add("# col_name", "data_type", "comment")
	}
	for i := range cols {
		if formatted && i == len(cols)-path {
			break
		}
		add(cols[i].Name, cols[i].Type.String(), cols[i].Comment)
	}
	if path > 0 {
		add("", "", "")
		add("# Partition Information", "", "")
		add("# col_name", "data_type", "comment")
		for _, c := range cols[len(cols)-path:] {
			add(c.Name, c.Type.String(), c.Comment)
		}
	}
	if t != nil {
		x.describeDetails(t, partition, formatted, add)
	}
	return r.rows(x.s), nil
}

// describedPartition finds the partition of DESCRIBE … PARTITION.
func (x *execution) describedPartition(t *catalog.Table, st *ast.Describe) (*pathPartition, error) {
	if t == nil {
		return nil, sqlerr.New(sqlerr.NotPartitioned, "'%s' is a view", st.Name.Name).At(st.Position())
	}
	tuple, err := x.specTuple(t, st.Partition)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	list, err := x.visiblePartitions(t)
	if err != nil {
		return nil, err
	}
	name := pathName(t, tuple)
	at := slices.IndexFunc(list, func(p pathPartition) bool { return p.name == name })
	if at < 0 {
		return nil, sqlerr.From(catalog.NoPartition(name, t.Name)).At(st.Position())
	}
	return &list[at], nil
}

// describeDetails are the sections of DESCRIBE FORMATTED after the columns; EXTENDED puts them into one line.
func (x *execution) describeDetails(t *catalog.Table, p *pathPartition, formatted bool, add func(a, b, c string)) {
	input, output, serde := hiveClasses(t)
	location := t.Location
	if t.Kind == catalog.Internal {
		location = x.s.db.location(t)
	}
	kind := "MANAGED_TABLE"
	if t.Kind == catalog.External {
		kind = "EXTERNAL_TABLE"
	}
	title := "Detailed Table Information"
	lines := [][2]string{{"Database:", t.Database}}
	if p != nil {
		title, location = "Detailed Partition Information", p.folder
		lines = append(lines, [2]string{"Table:", t.Name}, [2]string{"Partition Value:", "[" + tupleTexts(p.tuple) + "]"})
	} else {
		lines = append(lines, [2]string{"Table:", t.Name})
	}
	lines = append(lines, [2]string{"Owner:", "root"}, [2]string{"CreateTime:", t.Created.In(x.s.location()).Format(time.DateTime)}, [2]string{"Location:", location})
	if p == nil {
		lines = append(lines, [2]string{"Table Type:", kind})
	}
	d := &t.Distribution
	buckets, bucketColumns := -1, ""
	if d.Kind == catalog.HashDistributed {
		buckets, bucketColumns = d.Buckets, strings.Join(columnNames(t, d.Columns), ", ")
	}
	store := [][2]string{{"SerDe Library:", serde}, {"InputFormat:", input}, {"OutputFormat:", output}, {"Compressed:", "No"},
		{"Num Buckets:", fmt.Sprint(buckets)}, {"Bucket Columns:", "[" + bucketColumns + "]"},
		{"Sort Columns:", "[" + strings.Join(hiveSort(t, func(s string) string { return s }), ", ") + "]"}}
	parameters := tableParameters(t, p)
	if !formatted {
		var all []string
		for _, l := range append(lines, store...) {
			all = append(all, strings.TrimSuffix(l[0], ":")+"="+l[1])
		}
		for _, k := range slices.Sorted(maps.Keys(parameters)) {
			all = append(all, k+"="+parameters[k])
		}
		add("", "", "")
		add(title, strings.Join(all, ", "), "")
		return
	}
	add("", "", "")
	add("# "+title, "", "")
	for _, l := range lines {
		add(l[0], l[1], "")
	}
	add("Table Parameters:", "", "")
	if t.Comment != "" {
		add("", "comment", t.Comment)
	}
	for _, k := range slices.Sorted(maps.Keys(parameters)) {
		add("", k, parameters[k])
	}
	add("", "", "")
	add("# Storage Information", "", "")
	for _, l := range store {
		add(l[0], l[1], "")
	}
}

// tableParameters are the properties of a table and, of one of ours as a whole, what its files take.
func tableParameters(t *catalog.Table, p *pathPartition) map[string]string {
	if t.Kind != catalog.Internal || p != nil {
		return t.Properties
	}
	var files, rows, bytes int64
	for i := range t.Files {
		if f := &t.Files[i]; f.Index == 0 {
			files, rows, bytes = files+1, rows+f.Live(), bytes+f.Bytes
		}
	}
	out := map[string]string{"numFiles": fmt.Sprint(files), "numRows": fmt.Sprint(rows), "totalSize": fmt.Sprint(bytes)}
	maps.Copy(out, t.Properties)
	return out
}

func tupleTexts(tuple []vector.Value) string {
	parts := make([]string, len(tuple))
	for i, v := range tuple {
		if parts[i] = pathText(v); v.Null {
			parts[i] = "__HIVE_DEFAULT_PARTITION__"
		}
	}
	return strings.Join(parts, ", ")
}

// hiveClasses are the classes that read and write the files of a table in Hive.
func hiveClasses(t *catalog.Table) (input, output, serde string) {
	const ql = "org.apache.hadoop.hive.ql.io."
	switch t.Format {
	case formatORC:
		return ql + "orc.OrcInputFormat", ql + "orc.OrcOutputFormat", ql + "orc.OrcSerde"
	case formatText, formatJSON:
		serde = t.Properties["serialization.lib"]
		if serde == "" {
			serde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
			if t.Format == formatJSON {
				serde = "org.apache.hadoop.hive.serde2.JsonSerDe"
			}
		}
		return "org.apache.hadoop.mapred.TextInputFormat", ql + "HiveIgnoreKeyTextOutputFormat", serde
	}
	return ql + "parquet.MapredParquetInputFormat", ql + "parquet.MapredParquetOutputFormat", ql + "parquet.serde.ParquetHiveSerDe"
}

// showTableExtended is SHOW TABLE EXTENDED [IN db] LIKE 'pattern' [PARTITION (…)].
func (x *execution) showTableExtended(st *ast.Show) (*Rows, error) {
	db, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	if st.Like == nil {
		return nil, sqlerr.New(sqlerr.Syntax, "SHOW TABLE EXTENDED needs LIKE 'pattern'").At(st.Position())
	}
	pattern := strings.ReplaceAll(*st.Like, "*", "%")
	match, err := x.showMatch(&pattern)
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("tab_name"))
	for _, t := range x.snapshot.Tables(db) {
		if !match(t.Name) || t.Kind == catalog.System {
			continue
		}
		var p *pathPartition
		if len(st.Partition) > 0 {
			if p, err = x.describedPartition(t, &ast.Describe{Pos: st.Pos, Name: ast.Name{Name: t.Name}, Partition: st.Partition}); err != nil {
				return nil, err
			}
		}
		lines, err := x.extendedLines(t, p)
		if err != nil {
			return nil, err
		}
		for _, line := range append(lines, "") {
			r.Add(str(line))
		}
	}
	return r.rows(x.s), nil
}

// extendedLines describe a table or one of its partitions.
func (x *execution) extendedLines(t *catalog.Table, p *pathPartition) ([]string, error) {
	input, output, _ := hiveClasses(t)
	location := t.Location
	if t.Kind == catalog.Internal {
		location = x.s.db.location(t)
	}
	if p != nil {
		location = p.folder
	}
	described := func(path bool, name string) string {
		var cols []string
		for i, c := range t.Columns {
			if isPathColumn(t, i) == path {
				cols = append(cols, c.Type.String()+" "+c.Name)
			}
		}
		return "struct " + name + " { " + strings.Join(cols, ", ") + "}"
	}
	out := []string{"tableName:" + t.Name, "owner:root", "location:" + location, "inputformat:" + input, "outputformat:" + output,
		"columns:" + described(false, "columns"), fmt.Sprintf("partitioned:%v", t.InPath()), "partitionColumns:"}
	if t.InPath() {
		out[len(out)-1] += described(true, "partition_columns")
	}
	sizes, updated, err := x.fileSizes(t, p)
	if err != nil {
		return nil, err
	}
	var total, least, most int64
	for i, n := range sizes {
		total += n
		if most = max(most, n); i == 0 || n < least {
			least = n
		}
	}
	return append(out, fmt.Sprintf("totalNumberFiles:%d", len(sizes)), fmt.Sprintf("totalFileSize:%d", total), fmt.Sprintf("maxFileSize:%d", most),
		fmt.Sprintf("minFileSize:%d", least), fmt.Sprintf("lastUpdateTime:%d", updated.UnixMilli())), nil
}

// fileSizes are the sizes of the files of a table, or of one partition, and when they last changed.
func (x *execution) fileSizes(t *catalog.Table, p *pathPartition) (sizes []int64, updated time.Time, err error) {
	if t.Kind == catalog.Internal {
		for i := range t.Files {
			f := &t.Files[i]
			if part := t.PartitionByID(f.Partition); p == nil || part != nil && part.Name == p.name {
				sizes = append(sizes, f.Bytes)
			}
		}
		return sizes, t.Modified, nil
	}
	var files []storage.FileInfo
	switch {
	case p != nil:
		files = p.files
	case t.InPath():
		list, err := x.visiblePartitions(t)
		if err != nil {
			return nil, updated, err
		}
		for i := range list {
			files = append(files, list[i].files...)
		}
	default:
		paths, err := x.s.db.listFiles(t.Location)
		if err != nil && !sqlerr.Is(err, sqlerr.FileNotFound) {
			return nil, updated, err
		}
		for _, path := range paths {
			if st, err := x.s.db.fs.Stat(filepath.Clean(path)); err == nil {
				files = append(files, st)
			}
		}
	}
	for i := range files {
		sizes = append(sizes, files[i].Size)
		if files[i].ModTime.After(updated) {
			updated = files[i].ModTime
		}
	}
	return sizes, updated, nil
}

// showTableProperties is SHOW TBLPROPERTIES t [('key')].
func (x *execution) showTableProperties(st *ast.Show) (*result, error) {
	t, err := x.describedTable(st.Name)
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("prpt_name", "prpt_value"))
	if t == nil {
		return r, nil
	}
	props := t.Properties
	only := namedInBrackets(st.Args)
	if only != "" && props[only] == "" {
		r.Add(str(only), str(fmt.Sprintf("Table %s.%s does not have property: %s", t.Database, t.Name, only)))
		return r, nil
	}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		if only == "" || k == only {
			r.Add(str(k), str(props[k]))
		}
	}
	return r, nil
}

// namedInBrackets is the key of ('key') among a SHOW's words.
func namedInBrackets(args []string) string {
	if len(args) == 3 && args[0] == "(" && args[2] == ")" {
		return args[1]
	}
	return ""
}
