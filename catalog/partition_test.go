package catalog

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// partitioned is a table with a partition below 10 and one below 20, in buckets.
func partitioned(name string, buckets int) *Table {
	t := table(DefaultDatabase, name)
	at := func(n int64) []storage.Endpoint {
		return []storage.Endpoint{{Value: vector.IntValue(sqltype.T(sqltype.Int), n)}}
	}
	t.Columns[0].ID = 1
	t.Partitioning = &Partitioning{Kind: storage.RangePartitions, Columns: []int32{1}}
	t.Distribution = Distribution{Kind: HashDistributed, Columns: []int32{1}, Buckets: buckets}
	t.Partitions = []Partition{
		{Name: "p1", Bounds: storage.PartitionBounds{Lower: []storage.Endpoint{{Min: true}}, Upper: at(10)}, Buckets: buckets},
		{Name: "p2", Bounds: storage.PartitionBounds{Lower: at(10), Upper: at(20)}, Buckets: buckets},
	}
	return t
}

func create(t *testing.T, c *Catalog, tab *Table) *Table {
	t.Helper()
	update(t, c, func(tx *Tx) error { return tx.CreateTable(tab) })
	return c.Snapshot().Table(tab.Database, tab.Name)
}

func paths(files []DataFile) (out []string) {
	for _, f := range files {
		out = append(out, f.Path)
	}
	slices.Sort(out)
	return out
}

func TestVersionsCountLoads(t *testing.T) {
	c := open(t, "")
	tab := create(t, c, partitioned("t", 3))
	p1, p2 := tab.Partitions[0].ID, tab.Partitions[1].ID
	load := func(removed map[string]bool, files ...DataFile) {
		t.Helper()
		update(t, c, func(tx *Tx) error { return tx.SetFiles(tab.Database, tab.ID, removed, files) })
	}
	check := func(table, first, second int64) {
		t.Helper()
		now := c.Snapshot().Table(tab.Database, "t")
		if now.Version != table || now.Partitions[0].Version != first || now.Partitions[1].Version != second {
			t.Errorf("versions %d %d %d, want %d %d %d", now.Version, now.Partitions[0].Version, now.Partitions[1].Version, table, first, second)
		}
	}
	check(1, 1, 1)
	load(nil, DataFile{Path: "a", Partition: p1}, DataFile{Path: "b", Partition: p1})
	check(2, 2, 1)
	load(nil, DataFile{Path: "c", Partition: p2})
	check(3, 2, 2)
	load(map[string]bool{"a": true}, DataFile{Path: "d", Partition: p2})
	check(4, 3, 3)
	for _, f := range c.Snapshot().Table(tab.Database, "t").Files {
		if want := map[string]int64{"b": 2, "c": 2, "d": 3}[f.Path]; f.Version != want {
			t.Errorf("file %s has version %d, want %d", f.Path, f.Version, want)
		}
	}
	for _, bad := range []int64{0, 999} {
		err := c.Update(func(tx *Tx) error {
			return tx.SetFiles(tab.Database, tab.ID, nil, []DataFile{{Path: "x", Partition: bad}})
		})
		if !sqlerr.Is(err, sqlerr.UnknownPartition) {
			t.Errorf("a file of partition %d: %v", bad, err)
		}
	}
	check(4, 3, 3)
}

// TestRecycleBinSurvives drops a partition, a table and a database, reopens, and brings them
// back with their files.
func TestRecycleBinSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.bolt")
	c := open(t, path)
	tab := create(t, c, partitioned("t", 2))
	p1 := tab.Partitions[0].ID
	update(t, c, func(tx *Tx) error {
		return tx.SetFiles(tab.Database, tab.ID, nil, []DataFile{{Path: "a", Partition: p1, Bytes: 5}, {Path: "b", Partition: tab.Partitions[1].ID}})
	})
	update(t, c, func(tx *Tx) error {
		gone, err := tx.DropPartition(tab.Database, tab.ID, "P1", false, false)
		if len(gone) != 0 {
			t.Errorf("files %v are to go", gone)
		}
		return err
	})
	update(t, c, func(tx *Tx) error { return tx.CreateDatabase("d", "") })
	inner := table("d", "x")
	inner.Files = []DataFile{{Path: "f", Bytes: 7}}
	create(t, c, inner)
	update(t, c, func(tx *Tx) error { return tx.CreateView(&View{Database: "d", Name: "v", Text: "SELECT 1"}, false) })
	update(t, c, func(tx *Tx) error { return tx.RecycleDatabase("d") })
	update(t, c, func(tx *Tx) error { return tx.RecycleTable(DefaultDatabase, "t") })
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	c = open(t, path)
	defer c.Close()
	var kinds []RecycledKind
	var bytes int64
	for _, r := range c.Recycled() {
		kinds = append(kinds, r.Kind)
		bytes += r.Bytes()
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, []RecycledKind{RecycledPartition, RecycledTable, RecycledTable, RecycledDatabase}) || bytes != 12 {
		t.Fatalf("in the bin: %v, %d bytes", kinds, bytes)
	}
	update(t, c, func(tx *Tx) error { _, err := tx.RecoverTable(DefaultDatabase, "t", 0, "t2"); return err })
	update(t, c, func(tx *Tx) error { return tx.RecoverDatabase("d", 0, "e") })
	update(t, c, func(tx *Tx) error {
		return tx.RecoverPartition(DefaultDatabase, tab.ID, "p1", 0, "", func(*Table, *Partition) error { return nil })
	})
	snap := c.Snapshot()
	got := snap.Table(DefaultDatabase, "t2")
	if got == nil || got.ID != tab.ID || len(got.Partitions) != 2 || !slices.Equal(paths(got.Files), []string{"a", "b"}) || got.PartitionByID(p1) == nil {
		t.Fatalf("%+v", got)
	}
	x := snap.Table("e", "x")
	if x == nil || x.Database != "e" || !slices.Equal(paths(x.Files), []string{"f"}) || snap.View("e", "v") == nil {
		t.Errorf("%+v", x)
	}
	if left := c.Recycled(); len(left) != 0 {
		t.Errorf("%d entries are left", len(left))
	}
}

func TestPurge(t *testing.T) {
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	c := open(t, "")
	c.Clock = func() time.Time { return now }
	for _, name := range []string{"a", "b"} {
		create(t, c, table(DefaultDatabase, name))
		update(t, c, func(tx *Tx) error { return tx.RecycleTable(DefaultDatabase, name) })
		now = now.Add(time.Hour)
	}
	purge := func(before time.Time, want int) {
		t.Helper()
		update(t, c, func(tx *Tx) error {
			if got := tx.Purge(before, nil); len(got) != want {
				t.Errorf("%d purged, want %d", len(got), want)
			}
			return nil
		})
	}
	purge(now.Add(-3*time.Hour), 0)
	purge(now.Add(-2*time.Hour), 1)
	if left := c.Recycled(); len(left) != 1 || left[0].Name != "b" {
		t.Errorf("%v", left)
	}
	purge(now, 1)
}

// TestTruncateAndReplace looks at the places and ids of partitions.
func TestTruncateAndReplace(t *testing.T) {
	c := open(t, "")
	tab := create(t, c, partitioned("t", 2))
	update(t, c, func(tx *Tx) error {
		return tx.SetFiles(tab.Database, tab.ID, nil, []DataFile{{Path: "a", Partition: tab.Partitions[0].ID}, {Path: "b", Partition: tab.Partitions[1].ID}})
	})
	update(t, c, func(tx *Tx) error {
		gone, err := tx.TruncatePartition(tab.Database, tab.ID, "p1", true)
		if !slices.Equal(paths(gone), []string{"a"}) {
			t.Errorf("%v", gone)
		}
		return err
	})
	now := c.Snapshot().Table(DefaultDatabase, "t")
	if now.Partitions[0].Name != "p1" || now.Partitions[0].ID == tab.Partitions[0].ID || now.Partitions[0].Version != 1 || !slices.Equal(paths(now.Files), []string{"b"}) {
		t.Errorf("%+v", now)
	}
	var temporary *Partition
	update(t, c, func(tx *Tx) error {
		p := now.Partitions[1]
		p.Name, p.Temporary = "tp", true
		made, err := tx.AddPartitions(DefaultDatabase, tab.ID, p)
		temporary = &made[0]
		return err
	})
	next := *temporary
	next.Name, next.Temporary = "p2", false
	update(t, c, func(tx *Tx) error {
		gone, err := tx.ReplacePartitions(DefaultDatabase, tab.ID, now.Partitions[1:2], []Partition{next})
		if !slices.Equal(paths(gone), []string{"b"}) {
			t.Errorf("%v", gone)
		}
		return err
	})
	now = c.Snapshot().Table(DefaultDatabase, "t")
	if len(now.Partitions) != 2 || now.Partitions[1].ID != temporary.ID || now.Partitions[1].Temporary || len(now.Files) != 0 {
		t.Errorf("%+v", now.Partitions)
	}
}

func TestGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.bolt")
	c := open(t, path)
	a, b := create(t, c, partitioned("a", 4)), create(t, c, partitioned("b", 4))
	other := create(t, c, partitioned("c", 5))
	join := func(tab *Table, group string) error {
		return c.Update(func(tx *Tx) error {
			if group != "" {
				group = GroupName(tx.DatabaseID(DefaultDatabase), group)
			}
			return tx.JoinGroup(DefaultDatabase, tab.ID, group, "")
		})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(join(a, "g"))
	must(join(b, "g"))
	before := c.Groups()[0]
	must(join(b, "g"))
	if c.Groups()[0] != before {
		t.Error("joining the same group again changed it")
	}
	if err := join(other, "g"); !sqlerr.Is(err, sqlerr.ColocateSchema) {
		t.Errorf("other buckets: %v", err)
	}
	must(c.Update(func(tx *Tx) error { return tx.SetGroupStable(before.Name, false) }))
	must(c.Close())

	c = open(t, path)
	defer c.Close()
	groups := c.Groups()
	if len(groups) != 1 || groups[0].ID != before.ID || !slices.Equal(groups[0].Tables, []int64{a.ID, b.ID}) || groups[0].Types[0] != sqltype.T(sqltype.Int) || !groups[0].Unstable {
		t.Fatalf("%+v", groups)
	}
	if now := c.Snapshot().Table(DefaultDatabase, "a"); now.Group != before.Name || !now.GroupUnstable {
		t.Errorf("%+v", now)
	}
	must(join(a, ""))
	if now := c.Snapshot().Table(DefaultDatabase, "a"); now.Group != "" || now.GroupUnstable {
		t.Errorf("%+v", now)
	}
	// In the bin b is still a member; purged, it takes the group with it.
	update(t, c, func(tx *Tx) error { return tx.RecycleTable(DefaultDatabase, "b") })
	if len(c.Groups()) != 1 {
		t.Error("the group ended while its table can come back")
	}
	update(t, c, func(tx *Tx) error { tx.Purge(time.Now().Add(time.Hour), nil); return nil })
	if len(c.Groups()) != 0 {
		t.Errorf("%+v", c.Groups())
	}
	if err := c.Update(func(tx *Tx) error { return tx.SetGroupStable(before.Name, true) }); !sqlerr.Is(err, sqlerr.ColocateNotInUse) {
		t.Errorf("%v", err)
	}
}

// TestEarlierCatalog opens a store without what came later: ids of databases, groups, the bin.
func TestEarlierCatalog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.bolt")
	c := open(t, path)
	update(t, c, func(tx *Tx) error { return tx.CreateDatabase("d", "") })
	create(t, c, table("d", "x"))
	create(t, c, table(DefaultDatabase, "y"))
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, b := range [][]byte{bucketGroups, bucketRecycled} {
			if err := tx.DeleteBucket(b); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketDatabases).Delete([]byte(DefaultDatabase)); err != nil {
			return err
		}
		return tx.Bucket(bucketDatabases).Put([]byte("d"), []byte(`{"Location":""}`))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c = open(t, path)
	ids := []int64{c.DatabaseID(DefaultDatabase), c.DatabaseID("d")}
	if ids[0] == 0 || ids[1] == 0 || ids[0] == ids[1] || c.Snapshot().Table(DefaultDatabase, "y") == nil || c.Snapshot().Table("d", "x") == nil {
		t.Errorf("%v", ids)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = open(t, path)
	defer c.Close()
	if c.DatabaseID(DefaultDatabase) != ids[0] || c.DatabaseID("d") != ids[1] {
		t.Error("ids changed at the next start")
	}
}

// TestListValuesOfAnyBytes reopens a table whose list values are no UTF-8.
func TestListValuesOfAnyBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.bolt")
	c := open(t, path)
	texts := []string{"plain", "\xff\xfe", rawText, rawText + "AAAA", "", "\x00"}
	tab := table(DefaultDatabase, "t")
	tab.Partitioning = &Partitioning{Kind: storage.ListPartitions, Columns: []int32{1}}
	typ := sqltype.VarcharOf(20)
	for i, s := range texts {
		tab.Partitions = append(tab.Partitions, Partition{Name: string(rune('a' + i)), Bounds: storage.PartitionBounds{Values: [][]vector.Value{{vector.NullOf(typ)}, {vector.StringValue(typ, s)}}}})
	}
	create(t, c, tab)
	update(t, c, func(tx *Tx) error { _, err := tx.DropPartition(DefaultDatabase, tab.ID, "b", false, false); return err })
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c = open(t, path)
	defer c.Close()
	update(t, c, func(tx *Tx) error {
		return tx.RecoverPartition(DefaultDatabase, tab.ID, "b", 0, "", func(*Table, *Partition) error { return nil })
	})
	now := c.Snapshot().Table(DefaultDatabase, "t")
	for i, s := range texts {
		p := now.PartitionNamed(string(rune('a'+i)), false)
		if p == nil || p.Bounds.Values[1][0].S != s || !p.Bounds.Values[0][0].Null {
			t.Errorf("%q came back as %+v", s, p)
		}
	}
}
