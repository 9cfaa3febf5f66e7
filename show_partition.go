package basalt

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// shownTable finds the internal table that a SHOW is about.
func (x *execution) shownTable(st *ast.Show) (*catalog.Table, error) {
	n := st.Name
	if st.From != "" {
		n.Database = st.From
	}
	db, name, err := x.resolveName(n)
	if err != nil {
		return nil, err
	}
	t := x.snapshot.Table(db, name)
	if t == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(n.Position())
	}
	if t.Kind != catalog.Internal {
		return nil, sqlerr.Unsupported("SHOW " + st.What + " of a table that is not internal").At(n.Position())
	}
	return t, nil
}

// partitionsInOrder are t's partitions by range order, lists as defined. The one of an
// unpartitioned table comes with the table's name and id.
func partitionsInOrder(t *catalog.Table, temporary bool) []catalog.Partition {
	if t.Partitioning == nil {
		if temporary {
			return nil
		}
		return []catalog.Partition{{ID: t.ID, Name: t.Name, Buckets: t.Distribution.Buckets, FirstTablet: t.FirstTablet, Version: t.Version, Created: t.Created, Modified: t.Modified}}
	}
	out := slices.DeleteFunc(slices.Clone(t.Partitions), func(p catalog.Partition) bool { return p.Temporary != temporary })
	if t.Partitioning.Kind == storage.RangePartitions {
		slices.SortStableFunc(out, func(a, b catalog.Partition) int { return partition.CompareBound(a.Bounds.Lower, b.Bounds.Lower) })
	}
	return out
}

// partitionTotals are the files, rows and bytes of a partition, or of one bucket of it.
type partitionTotals struct{ files, rows, bytes int64 }

// tablet is one bucket of one partition; bucket -1 stands for all.
type tablet struct {
	partition int64
	bucket    int32
}

// totalsOf adds up t's files by partition and by bucket.
func totalsOf(t *catalog.Table) map[tablet]partitionTotals {
	out := map[tablet]partitionTotals{}
	for i := range t.Files {
		f := &t.Files[i]
		id := f.Partition
		if t.Partitioning == nil {
			id = t.ID
		}
		for _, key := range []tablet{{id, -1}, {id, f.Bucket}} {
			s := out[key]
			s.files++
			s.rows += f.Live()
			s.bytes += f.Bytes
			out[key] = s
		}
	}
	return out
}

// dataSize is bytes as Doris shows them: 0.000, 12.000 B, 3.450 MB.
func dataSize(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB", "PB"}
	f, u := float64(n), 0
	for f >= 1024 && u < len(units)-1 {
		f /= 1024
		u++
	}
	if n == 0 {
		return "0.000 "
	}
	return fmt.Sprintf("%.3f %s", f, units[u])
}

// replicationNum is what properties say of copies, for columns that clients expect; 1 otherwise.
func replicationNum(props ...map[string]string) string {
	for _, p := range props {
		if n := p["replication_num"]; n != "" {
			return n
		}
		if a := p["replication_allocation"]; a != "" {
			sum := 0
			for _, part := range strings.Split(a, ",") {
				if _, n, ok := strings.Cut(part, ":"); ok {
					v, _ := strconv.Atoi(strings.TrimSpace(n))
					sum += v
				}
			}
			return strconv.Itoa(sum)
		}
	}
	return "1"
}

func firstProperty(def, key string, props ...map[string]string) string {
	for _, p := range props {
		if v := p[key]; v != "" {
			return v
		}
	}
	return def
}

func distributionKey(t *catalog.Table) string {
	if t.Distribution.Kind == catalog.RandomDistributed {
		return "RANDOM"
	}
	return strings.Join(columnNames(t, t.Distribution.Columns), ", ")
}

func partitionKey(t *catalog.Table) string {
	if t.Partitioning == nil {
		return ""
	}
	return strings.Join(columnNames(t, t.Partitioning.Columns), ", ")
}

// showPartitions is SHOW [TEMPORARY] PARTITIONS FROM t.
func (x *execution) showPartitions(st *ast.Show) (*result, error) {
	t, err := x.shownTable(st)
	if err != nil {
		return nil, err
	}
	cols := append([]Column{longCol("PartitionId"), textCol("PartitionName"), longCol("VisibleVersion")}, textCols("VisibleVersionTime", "State", "PartitionKey", "Range", "DistributionKey")...)
	cols = append(cols, longCol("Buckets"))
	cols = append(cols, textCols("ReplicationNum", "StorageMedium", "CooldownTime", "RemoteStoragePolicy", "LastConsistencyCheckTime", "DataSize", "IsInMemory",
		"ReplicaAllocation", "IsMutable", "SyncWithBaseTables", "UnsyncTables")...)
	r := newResult(cols)
	types, totals := partitionTypes(t), totalsOf(t)
	for _, p := range partitionsInOrder(t, st.What == "TEMPORARY PARTITIONS") {
		rng := ""
		if t.Partitioning != nil {
			rng = partition.FormatRange(types, &p.Bounds)
		}
		copies := replicationNum(p.Properties, t.Properties)
		r.Add(long(p.ID), str(p.Name), long(p.Version), str(x.showTime(p.Modified)), str("NORMAL"), str(partitionKey(t)), str(rng), str(distributionKey(t)),
			long(int64(max(p.Buckets, 1))), str(copies), str(firstProperty("HDD", "storage_medium", p.Properties, t.Properties)),
			str(firstProperty("9999-12-31 23:59:59", "storage_cooldown_time", p.Properties, t.Properties)), str(firstProperty("", "storage_policy", p.Properties, t.Properties)),
			nullText(), str(dataSize(totals[tablet{p.ID, -1}].bytes)), str(firstProperty("false", "in_memory", p.Properties, t.Properties)),
			str(firstProperty("tag.location.default: "+copies, "replication_allocation", p.Properties, t.Properties)), str(firstProperty("true", "mutable", p.Properties)),
			str("true"), nullText())
	}
	return r, nil
}

// showTime is a recorded moment in the session's zone.
func (x *execution) showTime(t time.Time) string {
	return t.In(x.s.location()).Format(time.DateTime)
}

// namedInArgs are the names of PARTITION (p1, p2) among a SHOW's words; nil: not written.
func namedInArgs(args []string) []string {
	i := slices.IndexFunc(args, func(a string) bool { return strings.EqualFold(a, "PARTITION") || strings.EqualFold(a, "PARTITIONS") })
	if i < 0 {
		return nil
	}
	out := []string{}
	for _, a := range args[i+1:] {
		if a != "(" && a != ")" && a != "," {
			out = append(out, strings.Trim(a, "`"))
		}
	}
	return out
}

// showTablets is SHOW TABLETS FROM t [PARTITION (…)].
func (x *execution) showTablets(st *ast.Show) (*result, error) {
	t, err := x.shownTable(st)
	if err != nil {
		return nil, err
	}
	r := newResult([]Column{longCol("TabletId"), longCol("ReplicaId"), longCol("BackendId"), longCol("SchemaHash"), longCol("Version"), longCol("LstSuccessVersion"),
		longCol("LstFailedVersion"), textCol("LstFailedTime"), longCol("LocalDataSize"), longCol("RemoteDataSize"), longCol("RowCount"), textCol("State"),
		textCol("LstConsistencyCheckTime"), longCol("CheckVersion"), longCol("VersionCount"), longCol("QueryHits"), longCol("PathHash"), textCol("Path"),
		textCol("MetaUrl"), textCol("CompactionStatus")})
	only := namedInArgs(st.Args)
	for _, name := range only {
		if t.PartitionNamed(name, false) == nil && !(t.Partitioning == nil && strings.EqualFold(name, t.Name)) {
			return nil, sqlerr.From(catalog.NoPartition(name, t.Name)).At(st.Position())
		}
	}
	totals := totalsOf(t)
	for _, p := range partitionsInOrder(t, false) {
		if only != nil && !slices.ContainsFunc(only, func(n string) bool { return strings.EqualFold(n, p.Name) }) {
			continue
		}
		for b := range max(p.Buckets, 1) {
			s := totals[tablet{p.ID, int32(b)}]
			id := p.FirstTablet + int64(b)
			r.Add(long(id), long(id), long(backendID), long(0), long(p.Version), long(p.Version), long(-1), nullText(), long(s.bytes), long(0), long(s.rows), str("NORMAL"),
				nullText(), long(-1), long(s.files), long(0), long(0), str(x.partitionPath(t, &p)), nullText(), nullText())
		}
	}
	return r, nil
}

// partitionPath is the folder of a partition's new files.
func (x *execution) partitionPath(t *catalog.Table, p *catalog.Partition) string {
	if t.Partitioning == nil {
		return x.s.db.location(t)
	}
	return filepath.Join(x.s.db.location(t), partitionFolder(&storage.PartitionInfo{ID: p.ID, Name: p.Name}))
}

// backendID is the only backend there is; SHOW BACKENDS has it too.
const backendID = 10001

// showTablet is SHOW TABLET id: what the tablet belongs to.
func (x *execution) showTablet(st *ast.Show) (*result, error) {
	text := st.Name.Name
	if len(st.Args) > 0 {
		text = st.Args[0]
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, sqlerr.New(sqlerr.Syntax, "SHOW TABLET needs a tablet's id").At(st.Position())
	}
	r := newResult(textCols("DbName", "TableName", "PartitionName", "IndexName", "DbId", "TableId", "PartitionId", "IndexId", "IsSync", "Order", "QueryHits", "DetailCmd"))
	x.eachPartition(func(t *catalog.Table, p *catalog.Partition) {
		if b := id - p.FirstTablet; b >= 0 && b < int64(max(p.Buckets, 1)) {
			r.Add(str(t.Database), str(t.Name), str(p.Name), str(t.Name), str(fmt.Sprint(x.s.db.cat.DatabaseID(t.Database))), str(fmt.Sprint(t.ID)), str(fmt.Sprint(p.ID)),
				str(fmt.Sprint(t.ID)), str("true"), str(fmt.Sprint(b)), str("0"), str(fmt.Sprintf("SHOW TABLETS FROM %s.%s PARTITION(%s)", quoteName(t.Database), quoteName(t.Name), quoteName(p.Name))))
		}
	})
	return r, nil
}

// showPartition is SHOW PARTITION id: what the partition belongs to.
func (x *execution) showPartition(st *ast.Show) (*result, error) {
	id, err := int64(0), error(nil)
	if len(st.Args) > 0 {
		id, err = strconv.ParseInt(st.Args[0], 10, 64)
	}
	if err != nil || len(st.Args) == 0 {
		return nil, sqlerr.New(sqlerr.Syntax, "SHOW PARTITION needs a partition's id").At(st.Position())
	}
	r := newResult(textCols("DbName", "TableName", "PartitionName", "DbId", "TableId"))
	x.eachPartition(func(t *catalog.Table, p *catalog.Partition) {
		if p.ID == id {
			r.Add(str(t.Database), str(t.Name), str(p.Name), str(fmt.Sprint(x.s.db.cat.DatabaseID(t.Database))), str(fmt.Sprint(t.ID)))
		}
	})
	return r, nil
}

// eachPartition visits the partitions of all internal tables.
func (x *execution) eachPartition(f func(t *catalog.Table, p *catalog.Partition)) {
	for _, db := range x.snapshot.Databases() {
		for _, t := range x.snapshot.Tables(db) {
			if t.Kind != catalog.Internal {
				continue
			}
			for _, temporary := range []bool{false, true} {
				for _, p := range partitionsInOrder(t, temporary) {
					f(t, &p)
				}
			}
		}
	}
}

// showDynamic is SHOW DYNAMIC PARTITION TABLES [FROM db].
func (x *execution) showDynamic(st *ast.Show) (*result, error) {
	db, err := x.showDatabase(st.From, st.Position())
	if err != nil {
		return nil, err
	}
	r := newResult(textCols("TableName", "Enable", "TimeUnit", "Start", "End", "Prefix", "Buckets", "StartOf", "LastUpdateTime", "LastSchedulerTime", "State",
		"LastCreatePartitionMsg", "LastDropPartitionMsg", "ReservedHistoryPeriods"))
	at := func(t time.Time) vector.Value {
		if t.IsZero() {
			return str("N/A")
		}
		return str(x.showTime(t))
	}
	message := func(text string) vector.Value {
		if text == "" {
			return str("N/A")
		}
		return str(text)
	}
	for _, t := range x.snapshot.Tables(db) {
		d, err := dynamicProperties(t)
		if d == nil || err != nil {
			continue
		}
		x.s.db.mu.Lock()
		s := x.s.db.dynamics[t.ID]
		x.s.db.mu.Unlock()
		state, startOf, buckets, reserved := "NORMAL", "N/A", d.buckets, "NULL"
		if s.createMsg != "" || s.dropMsg != "" {
			state = "ERROR"
		}
		switch d.roll.Unit {
		case "WEEK":
			startOf = strings.ToUpper(time.Weekday(d.roll.WeekDay % 7).String())
		case "MONTH":
			startOf = fmt.Sprintf("%d%s", d.roll.MonthDay, ordinalEnding(d.roll.MonthDay))
		}
		if buckets == 0 {
			buckets = t.Distribution.Buckets
		}
		if d.reserved != "" {
			reserved = d.reserved
		}
		r.Add(str(t.Name), str(strconv.FormatBool(d.enable)), str(d.roll.Unit), str(strconv.Itoa(d.roll.Start)), str(strconv.Itoa(d.roll.End)), str(d.prefix),
			str(strconv.Itoa(buckets)), str(startOf), at(s.updated), at(s.scheduled), str(state), message(s.createMsg), message(s.dropMsg), str(reserved))
	}
	return r, nil
}

func ordinalEnding(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return "st"
	case n%10 == 2:
		return "nd"
	case n%10 == 3:
		return "rd"
	}
	return "th"
}

// showRecycleBin is SHOW CATALOG RECYCLE BIN.
func (x *execution) showRecycleBin() *result {
	r := newResult(textCols("Type", "Name", "DbId", "TableId", "PartitionId", "DropTime", "DataSize", "RemoteDataSize"))
	id := func(n int64) vector.Value {
		if n == 0 {
			return str("")
		}
		return str(strconv.FormatInt(n, 10))
	}
	for _, e := range x.s.db.cat.Recycled() {
		kind, table, part := "Database", int64(0), int64(0)
		switch e.Kind {
		case catalog.RecycledTable:
			kind, table = "Table", e.ID
		case catalog.RecycledPartition:
			kind, table, part = "Partition", e.TableID, e.ID
		}
		r.Add(str(kind), str(e.Name), id(e.DatabaseID), id(table), id(part), str(x.showTime(e.Dropped)), str(dataSize(e.Bytes())), str("0.000 "))
	}
	return r
}

// showProc is SHOW PROC 'path'; the tree has what colocation needs.
func (x *execution) showProc(st *ast.Show) (*result, error) {
	path := ""
	if len(st.Args) > 0 {
		path = strings.TrimRight(st.Args[0], "/")
	}
	rest, ok := strings.CutPrefix(path, "/colocation_group")
	switch {
	case path == "":
		r := newResult(textCols("name"))
		r.Add(str("colocation_group"))
		return r, nil
	case !ok || rest != "" && !strings.HasPrefix(rest, "/"):
		return nil, sqlerr.Unsupported("SHOW PROC '" + path + "'").At(st.Position())
	case rest == "":
		return x.showGroups(), nil
	}
	for _, g := range x.s.db.cat.Groups() {
		if groupID(g) != rest[1:] {
			continue
		}
		r := newResult([]Column{longCol("BucketIndex"), textCol("BackendIds")})
		for b := range g.Buckets {
			r.Add(long(int64(b)), str(strconv.Itoa(backendID)))
		}
		return r, nil
	}
	return nil, sqlerr.Detail("Unknown colocate group: %s", rest[1:]).At(st.Position())
}

// groupID is databaseID.groupID, as the path of the group's detail.
func groupID(g *catalog.ColocateGroup) string { return fmt.Sprintf("%d.%d", g.DatabaseID, g.ID) }

func (x *execution) showGroups() *result {
	r := newResult(textCols("GroupId", "GroupName", "TableIds", "BucketsNum", "ReplicationNum", "DistCols", "IsStable"))
	dropped := map[int64]bool{}
	for _, e := range x.s.db.cat.Recycled() {
		if e.Kind == catalog.RecycledTable {
			dropped[e.ID] = true
		}
	}
	for _, g := range x.s.db.cat.Groups() {
		var ids, types []string
		for _, id := range g.Tables {
			text := strconv.FormatInt(id, 10)
			if dropped[id] {
				text += "*" // in the recycle bin
			}
			ids = append(ids, text)
		}
		for _, t := range g.Types {
			types = append(types, groupTypeName(t))
		}
		copies := "1"
		if g.Replication != "" {
			key := "replication_num"
			if strings.Contains(g.Replication, ":") {
				key = "replication_allocation"
			}
			copies = replicationNum(map[string]string{key: g.Replication})
		}
		r.Add(str(groupID(g)), str(g.Name), str(strings.Join(ids, ", ")), str(strconv.Itoa(g.Buckets)), str(copies), str(strings.Join(types, ", ")),
			str(strconv.FormatBool(!g.Unstable)))
	}
	return r
}

// groupTypeName is a bucket column's type as Doris prints it for groups: int(11).
func groupTypeName(t sqltype.Type) string {
	if width := map[sqltype.Kind]int{sqltype.TinyInt: 4, sqltype.SmallInt: 6, sqltype.Int: 11, sqltype.BigInt: 20, sqltype.LargeInt: 40}[t.Kind]; width > 0 {
		return fmt.Sprintf("%s(%d)", t, width)
	}
	return t.String()
}
