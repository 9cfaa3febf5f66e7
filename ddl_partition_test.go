package basalt

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// texts runs a query and gives its rows with tabs between columns.
func texts(t *testing.T, s *Session, sql string) []string {
	t.Helper()
	ctx := context.Background()
	rows, err := s.Query(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next(ctx) {
		var cells []string
		for c := range rows.Columns() {
			text, null := rows.AppendText(nil, c)
			if null {
				text = []byte("NULL")
			}
			cells = append(cells, string(text))
		}
		out = append(out, strings.Join(cells, "\t"))
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return out
}

// partitionNames are t's partitions by range order.
func partitionNames(s *Session, name string) string {
	var out []string
	for _, p := range partitionsInOrder(ddlTable(s, name), false) {
		out = append(out, p.Name)
	}
	return strings.Join(out, " ")
}

// testClock is a clock that tests turn.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) set(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, err := time.Parse(time.DateTime, text)
	if err != nil {
		panic(err)
	}
	c.now = now
}

func clockAt(text string) *testClock {
	c := &testClock{}
	c.set(text)
	return c
}

// TestDynamicPartitions rolls windows of every unit.
func TestDynamicPartitions(t *testing.T) {
	check := func(now, column, props, want string) {
		t.Helper()
		clock := clockAt(now)
		s := ddlSession(t, Options{Clock: clock.read})
		var list []string
		for _, kv := range strings.Fields(props) {
			k, v, _ := strings.Cut(kv, "=")
			list = append(list, fmt.Sprintf("%q=%q", "dynamic_partition."+k, v))
		}
		mustExec(t, s, fmt.Sprintf("CREATE TABLE d (ts %s NOT NULL, id BIGINT) DUPLICATE KEY(ts,id) PARTITION BY RANGE(ts)() DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES(%s)", column, strings.Join(list, ",")))
		if got := partitionNames(s, "d"); got != want {
			t.Errorf("%s at %s:\n got %s\nwant %s", props, now, got, want)
		}
	}
	// FEATURES A.1: today and two days back, three ahead.
	check("2024-06-10 12:00:00", "DATE", "enable=true time_unit=DAY start=-2 end=3 prefix=p create_history_partition=true", "p20240608 p20240609 p20240610 p20240611 p20240612 p20240613")
	check("2024-06-10 12:00:00", "DATE", "time_unit=DAY end=1 prefix=p", "p20240610 p20240611")
	check("2024-06-10 12:00:00", "DATE", "time_unit=DAY start=-2 end=1 prefix=p", "p20240610 p20240611")
	check("2024-06-10 12:00:00", "DATE", "time_unit=DAY start=-20 history_partition_num=1 create_history_partition=true end=1 prefix=p", "p20240609 p20240610 p20240611")
	check("2024-06-10 12:00:00", "DATE", "enable=false time_unit=DAY end=1 prefix=p", "")
	check("2024-06-10 23:30:00", "DATETIME", "time_unit=HOUR start=-1 end=1 prefix=h create_history_partition=true", "h2024061022 h2024061023 h2024061100")
	check("2024-12-31 12:00:00", "DATE", "time_unit=WEEK end=1 prefix=w", "w2025_01 w2025_02")
	check("2024-06-10 12:00:00", "DATE", "time_unit=MONTH start=-1 end=2 prefix=m create_history_partition=true", "m202405 m202406 m202407 m202408")
	check("2024-06-10 12:00:00", "DATE", "time_unit=MONTH end=1 prefix=m start_day_of_month=15", "m202405 m202406")
	check("2024-06-10 12:00:00", "DATE", "time_unit=YEAR end=1 prefix=y", "y2024 y2025")
	// The zone decides what today is.
	check("2024-06-10 23:30:00", "DATE", "time_unit=DAY end=1 prefix=p time_zone=Asia/Shanghai", "p20240611 p20240612")
}

func TestDynamicPartitionBounds(t *testing.T) {
	clock := clockAt("2024-06-12 12:00:00") // a Wednesday
	s := ddlSession(t, Options{Clock: clock.read})
	mustExec(t, s, `CREATE TABLE w (d DATE, v INT) PARTITION BY RANGE(d)() DISTRIBUTED BY HASH(v) BUCKETS 4 PROPERTIES("dynamic_partition.time_unit"="WEEK",
		"dynamic_partition.end"="1","dynamic_partition.prefix"="p","dynamic_partition.start_day_of_week"="7","dynamic_partition.buckets"="6")`)
	want := []string{
		"[types: [DATE]; keys: [2024-06-09]; ..types: [DATE]; keys: [2024-06-16]; )",
		"[types: [DATE]; keys: [2024-06-16]; ..types: [DATE]; keys: [2024-06-23]; )",
	}
	if got := texts(t, s, "SELECT partition_description FROM information_schema.partitions WHERE table_name = 'w' ORDER BY 1"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if p := ddlTable(s, "w").Partitions; p[0].Buckets != 6 {
		t.Errorf("%d buckets", p[0].Buckets)
	}
	shown := texts(t, s, "SHOW DYNAMIC PARTITION TABLES")
	if len(shown) != 1 || !strings.HasPrefix(shown[0], "w\ttrue\tWEEK\t-2147483648\t1\tp\t6\tSUNDAY\t") || !strings.HasSuffix(shown[0], "\tNORMAL\tN/A\tN/A\tNULL") {
		t.Errorf("%q", shown)
	}
}

// TestDynamicRoll turns the clock: partitions come, go into the recycle bin, and stay when
// reserved.
func TestDynamicRoll(t *testing.T) {
	clock := clockAt("2024-06-10 12:00:00")
	s := ddlSession(t, Options{Clock: clock.read})
	mustExec(t, s, `CREATE TABLE d (ts DATE, id INT) PARTITION BY RANGE(ts)() DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES(
		"dynamic_partition.time_unit"="DAY","dynamic_partition.start"="-1","dynamic_partition.end"="1","dynamic_partition.prefix"="p",
		"dynamic_partition.reserved_history_periods"="[2024-06-10,2024-06-10]")`)
	step := func(now, want string) {
		t.Helper()
		clock.set(now)
		s.db.runScheduled()
		if got := partitionNames(s, "d"); got != want {
			t.Errorf("at %s:\n got %s\nwant %s", now, got, want)
		}
	}
	step("2024-06-10 13:00:00", "p20240610 p20240611")
	step("2024-06-11 00:00:00", "p20240610 p20240611 p20240612")
	step("2024-06-13 09:00:00", "p20240610 p20240612 p20240613 p20240614")
	if got := texts(t, s, "SHOW CATALOG RECYCLE BIN WHERE Type = 'Partition'"); len(got) != 1 || !strings.HasPrefix(got[0], "Partition\tp20240611\t") {
		t.Errorf("%q", got)
	}
	// Manual changes are refused while the scheduler is at work.
	for _, sql := range []string{`ALTER TABLE d ADD PARTITION x VALUES LESS THAN ("2030-01-01")`, "ALTER TABLE d DROP PARTITION p20240612"} {
		if _, err := s.Exec(context.Background(), sql); err == nil || !strings.Contains(err.Error(), "Cannot add/drop partition on a Dynamic Partition Table") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	mustExec(t, s, `ALTER TABLE d SET ("dynamic_partition.enable" = "false")`)
	mustExec(t, s, `ALTER TABLE d ADD PARTITION x VALUES LESS THAN ("2024-06-17")`)
	step("2024-06-14 09:00:00", "p20240610 p20240612 p20240613 p20240614 x")
	// x has the rows of two days: they are not made again.
	mustExec(t, s, `ALTER TABLE d SET ("dynamic_partition.enable" = "true", "dynamic_partition.end" = "4")`)
	step("2024-06-14 09:00:00", "p20240610 p20240613 p20240614 x p20240617 p20240618")
	// The recycle bin is emptied after a day.
	step("2024-06-15 09:00:01", "p20240610 p20240614 x p20240617 p20240618 p20240619")
	for _, row := range texts(t, s, "SHOW CATALOG RECYCLE BIN") {
		if strings.Contains(row, "p20240611") {
			t.Errorf("still there: %s", row)
		}
	}
	mustExec(t, s, "SET GLOBAL max_dynamic_partition_num = 3")
	if err := s.db.rollTable(ddlTable(s, "d")); err == nil || !strings.Contains(err.Error(), "Too many dynamic partitions: 5. Limit: 3") {
		t.Errorf("%v", err)
	}
	if shown := texts(t, s, "SHOW DYNAMIC PARTITION TABLES"); !strings.Contains(shown[0], "\tERROR\t") {
		t.Errorf("%q", shown)
	}
}

func TestDynamicPropertyErrors(t *testing.T) {
	s := ddlSession(t, Options{})
	check := func(columns, by, props, want string) {
		t.Helper()
		_, err := s.Exec(context.Background(), fmt.Sprintf("CREATE TABLE e (%s) PARTITION BY %s DISTRIBUTED BY HASH(v) BUCKETS 2 PROPERTIES(%s)", columns, by, props))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", props, err, want)
		}
	}
	props := func(extra string) string {
		return `"dynamic_partition.time_unit"="DAY","dynamic_partition.end"="1","dynamic_partition.prefix"="p"` + extra
	}
	day, rng := "d DATE, v INT", "RANGE(d)()"
	check(day, rng, `"dynamic_partition.enable"="true"`, "Must assign dynamic_partition.time_unit properties")
	check(day, rng, `"dynamic_partition.time_unit"="DAY"`, "Must assign dynamic_partition.end properties")
	check(day, rng, `"dynamic_partition.time_unit"="DAY","dynamic_partition.end"="1"`, "Must assign dynamic_partition.prefix properties")
	check(day, rng, `"dynamic_partition.time_unit"="FORTNIGHT","dynamic_partition.end"="1","dynamic_partition.prefix"="p"`, "Unsupported time unit FORTNIGHT. Expect HOUR/DAY/WEEK/MONTH/YEAR.")
	check(day, rng, `"dynamic_partition.time_unit"="HOUR","dynamic_partition.end"="1","dynamic_partition.prefix"="p"`, "HOUR should not be used with a DATE column")
	check(day, rng, `"dynamic_partition.time_unit"="DAY","dynamic_partition.end"="0","dynamic_partition.prefix"="p"`, "end, a number above 0")
	check(day, rng, `"dynamic_partition.time_unit"="DAY","dynamic_partition.end"="1","dynamic_partition.prefix"="1"`, "Invalid dynamic partition prefix")
	check(day, rng, props(`,"dynamic_partition.start"="3"`), "start, a number below 0")
	check(day, rng, props(`,"dynamic_partition.buckets"="x"`), "Invalid dynamic partition buckets: x")
	check(day, rng, props(`,"dynamic_partition.enable"="perhaps"`), "Invalid dynamic partition enable: perhaps")
	check(day, rng, props(`,"dynamic_partition.start_day_of_week"="8"`), "start_day_of_week, 1 to 7")
	check(day, rng, props(`,"dynamic_partition.start_day_of_month"="29"`), "start_day_of_month, 1 to 28")
	check(day, rng, props(`,"dynamic_partition.time_zone"="Mars/Olympus"`), "Invalid dynamic partition time_zone")
	check(day, rng, props(`,"dynamic_partition.create_history_partition"="true"`), "Provide start or history_partition_num")
	check(day, rng, props(`,"dynamic_partition.reserved_history_periods"="2020-01-01"`), `Invalid "dynamic_partition.reserved_history_periods" property: 2020-01-01`)
	check(day, rng, props(`,"dynamic_partition.reserved_history_periods"="[2020-02-01,2020-01-01]"`), `Invalid "dynamic_partition.reserved_history_periods"`)
	check(day, rng, props(`,"dynamic_partition.nope"="1"`), "Unknown properties: {dynamic_partition.nope=1}")
	check(day, rng, props(`,"dynamic_partition.start"="-600","dynamic_partition.create_history_partition"="true"`), "Too many dynamic partitions: 602. Limit: 500")
	check("d INT, v INT", rng, props(""), "needs a partition column of type DATE or DATETIME")
	check("d DATE, e DATE, v INT", "RANGE(d, e)()", props(""), "Dynamic partition only support single-column range partition")
	check("d DATE, v INT", "LIST(d)()", props(""), "Dynamic partition only support single-column range partition")
	check(day, rng, props(`,"colocate_with"="g","dynamic_partition.buckets"="3"`), "Colocate tables must have same bucket num: 2")
}

// TestDefinitionsSurviveRestart reopens a data folder: partitions, keys, groups, the recycle
// bin and its files, and the scheduler's first round.
func TestDefinitionsSurviveRestart(t *testing.T) {
	dir := t.TempDir()
	clock := clockAt("2024-06-10 12:00:00")
	reopen := func() *Session {
		t.Helper()
		db, err := Open(dir, Options{Clock: clock.read})
		if err != nil {
			t.Fatal(err)
		}
		return db.NewSession(SessionOptions{})
	}
	s := reopen()
	mustExec(t, s, `CREATE TABLE m (dt DATE, id INT, s VARCHAR(5)) DUPLICATE KEY(dt, id) PARTITION BY RANGE(dt, id) (PARTITION p1 VALUES LESS THAN ("2020-01-01"),
		PARTITION p2 VALUES LESS THAN ("2020-01-01", "5"), PARTITION p3 VALUES LESS THAN MAXVALUE) DISTRIBUTED BY HASH(id) BUCKETS 3 PROPERTIES("colocate_with"="g")`)
	mustExec(t, s, `INSERT INTO m VALUES ("2019-01-01", 1, 'a'), ("2020-01-01", 2, 'b'), ("2020-01-01", 7, 'c'), (NULL, NULL, NULL)`)
	mustExec(t, s, `CREATE TABLE l (c VARCHAR(5), v INT) PARTITION BY LIST(c) (PARTITION a VALUES IN ("x", NULL)) DISTRIBUTED BY HASH(v) BUCKETS 3 PROPERTIES("colocate_with"="g")`)
	mustExec(t, s, `CREATE TABLE d (ts DATE, id INT) PARTITION BY RANGE(ts)() DISTRIBUTED BY HASH(id) BUCKETS 1 PROPERTIES("dynamic_partition.time_unit"="DAY","dynamic_partition.end"="1","dynamic_partition.prefix"="p")`)
	mustExec(t, s, "CREATE TABLE gone AS SELECT 42 AS n")
	mustExec(t, s, "DROP TABLE gone")
	mustExec(t, s, "ALTER TABLE m DROP PARTITION p2")
	text := texts(t, s, "SHOW CREATE TABLE m")
	groups := texts(t, s, "SHOW PROC '/colocation_group'")
	rows := texts(t, s, "SELECT * FROM m ORDER BY s")
	tablets := texts(t, s, "SHOW TABLETS FROM m")
	s.Close()
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}

	clock.set("2024-06-11 11:59:59")
	s = reopen()
	for sql, want := range map[string][]string{
		"SHOW CREATE TABLE m": text, "SHOW PROC '/colocation_group'": groups, "SELECT * FROM m ORDER BY s": rows, "SHOW TABLETS FROM m": tablets,
	} {
		if got := texts(t, s, sql); !slices.Equal(got, want) {
			t.Errorf("%s after restart:\n got %q\nwant %q", sql, got, want)
		}
	}
	if got := partitionNames(s, "d"); got != "p20240610 p20240611 p20240612" {
		t.Errorf("dynamic partitions after restart: %s", got)
	}
	if _, err := s.Exec(context.Background(), "CREATE TABLE e (id BIGINT) DISTRIBUTED BY HASH(id) BUCKETS 3 PROPERTIES('colocate_with'='g')"); !sqlerr.Is(err, sqlerr.ColocateSchema) {
		t.Errorf("the group forgot its types: %v", err)
	}
	// What was dropped within a day comes back with its rows.
	mustExec(t, s, "RECOVER PARTITION p2 FROM m")
	mustExec(t, s, "RECOVER TABLE gone")
	if got := texts(t, s, "SELECT n, (SELECT count(*) FROM m) FROM gone"); !slices.Equal(got, []string{"42\t4"}) {
		t.Errorf("recovered: %q", got)
	}
	// After a day it is gone with its files.
	mustExec(t, s, "ALTER TABLE m DROP PARTITION p2")
	mustExec(t, s, "DROP TABLE gone")
	s.Close()
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	clock.set("2024-06-13 12:00:00")
	s = reopen()
	defer func() { s.Close(); _ = s.db.Close() }()
	if got := texts(t, s, "SHOW CATALOG RECYCLE BIN"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "warehouse", "default.db", "gone_*")); len(left) != 0 {
		t.Errorf("files of the purged table: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "warehouse", "default.db", "m_*", "p2_*", "*")); len(left) != 0 {
		t.Errorf("files of the purged partition: %v", left)
	}
	if got := texts(t, s, "SELECT count(*) FROM m"); !slices.Equal(got, []string{"3"}) {
		t.Errorf("%q", got)
	}
}

// TestShowCreateRoundTrip makes tables again from what SHOW CREATE TABLE prints.
func TestShowCreateRoundTrip(t *testing.T) {
	s := ddlSession(t, Options{})
	for i, sql := range []string{
		"CREATE TABLE t (a INT, b DOUBLE)",
		"CREATE TABLE t (a INT, b DOUBLE) DUPLICATE KEY(a)",
		"CREATE TABLE t (a INT, b DOUBLE) DISTRIBUTED BY RANDOM BUCKETS AUTO PROPERTIES('estimate_partition_size'='50G')",
		"CREATE TABLE t (b DOUBLE, a INT) DISTRIBUTED BY HASH(a) PROPERTIES('enable_duplicate_without_keys_by_default'='true')",
		`CREATE TABLE t (a DATE, b INT) PARTITION BY RANGE(a, b) (PARTITION p0 VALUES LESS THAN ("0000-01-02"), PARTITION p1 VALUES LESS THAN ("2020-01-01", "5"), PARTITION p2 VALUES LESS THAN ("2021-01-01", MAXVALUE), PARTITION p3 VALUES LESS THAN MAXVALUE ("in_memory"="true")) DISTRIBUTED BY HASH(b)`,
		`CREATE TABLE t (a DATETIME(3) NOT NULL, b INT) AUTO PARTITION BY RANGE(date_trunc(a, 'DAY')) (PARTITION x VALUES [("2020-01-01 00:00:00.5"), ("2020-01-02"))) DISTRIBUTED BY HASH(b) BUCKETS 2`,
		`CREATE TABLE t (a VARCHAR(10), b LARGEINT) PARTITION BY LIST(a, b) (PARTITION x VALUES IN (("a\"b\\c", 1), (NULL, -170141183460469231731687303715884105728)), PARTITION y VALUES IN (("", NULL))) DISTRIBUTED BY HASH(b, a) BUCKETS 2`,
		`CREATE TABLE t (a BOOLEAN, b INT COMMENT 'x') COMMENT 'it''s' PARTITION BY LIST(a) (PARTITION x VALUES IN (true), PARTITION y VALUES IN (false)) DISTRIBUTED BY HASH(b) BUCKETS 2 PROPERTIES("colocate_with"="g", "replication_num"="1")`,
		`CREATE TABLE t (a TINYINT, b INT) PARTITION BY RANGE(a) (PARTITION x VALUES LESS THAN (0), PARTITION y VALUES [(5), (MAXVALUE))) DISTRIBUTED BY HASH(b)`,
	} {
		mustExec(t, s, sql)
		text := strings.Split(texts(t, s, "SHOW CREATE TABLE t")[0], "\t")[1]
		first := ddlTable(s, "t")
		mustExec(t, s, "DROP TABLE t FORCE")
		mustExec(t, s, text)
		again := strings.Split(texts(t, s, "SHOW CREATE TABLE t")[0], "\t")[1]
		second := ddlTable(s, "t")
		mustExec(t, s, "DROP TABLE t FORCE")
		if text != again {
			t.Errorf("%d: printed\n%s\nthen\n%s", i, text, again)
		}
		if a, b := comparable(first), comparable(second); a != b {
			t.Errorf("%d: made\n%s\nthen\n%s", i, a, b)
		}
	}
}

// comparable is a table without what is new in each.
func comparable(t *catalog.Table) string {
	c := *t
	c.ID, c.FirstTablet, c.Location, c.Created, c.Modified = 0, 0, "", time.Time{}, time.Time{}
	c.Partitions = slices.Clone(t.Partitions)
	for i := range c.Partitions {
		p := &c.Partitions[i]
		p.ID, p.FirstTablet, p.Created, p.Modified = 0, 0, time.Time{}, time.Time{}
	}
	part := "none"
	if c.Partitioning != nil {
		part = fmt.Sprintf("%+v", *c.Partitioning)
	}
	c.Partitioning = nil
	return fmt.Sprintf("%+v %s", c, part)
}

// TestConcurrentAutoPartitions loads into the same missing partitions from many sessions: each
// is made once.
func TestConcurrentAutoPartitions(t *testing.T) {
	s := ddlSession(t, Options{})
	mustExec(t, s, "CREATE TABLE au (d DATE NOT NULL, v INT) AUTO PARTITION BY RANGE(date_trunc(d, 'day'))() DISTRIBUTED BY HASH(v) BUCKETS 2")
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := s.db.NewSession(SessionOptions{})
			defer c.Close()
			if _, err := c.Exec(context.Background(), fmt.Sprintf("INSERT INTO au SELECT '2024-01-01' + INTERVAL number DAY, %d FROM numbers('number' = '10')", i)); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if n := len(ddlTable(s, "au").Partitions); n != 10 {
		t.Errorf("%d partitions, want 10: %s", n, partitionNames(s, "au"))
	}
	if got := texts(t, s, "SELECT count(*), count(DISTINCT d) FROM au"); got[0] != "60\t10" {
		t.Errorf("%q", got)
	}
}

// TestConcurrentColocateDDL lets tables join and leave one group at the same time: what stays
// is a group of exactly the tables that say so.
func TestConcurrentColocateDDL(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := db.NewSession(SessionOptions{})
			defer s.Close()
			exec := func(sql string) {
				if _, err := s.Exec(context.Background(), sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
			// All agree on the buckets: who comes first makes the group, again and again.
			exec(fmt.Sprintf("CREATE TABLE t%d (id INT) DISTRIBUTED BY HASH(id) BUCKETS 4 PROPERTIES('colocate_with'='g')", i))
			for range 5 {
				exec(fmt.Sprintf("ALTER TABLE t%d SET ('colocate_with'='')", i))
				exec(fmt.Sprintf("ALTER TABLE t%d SET ('colocate_with'='g')", i))
			}
			if i%2 == 1 {
				exec(fmt.Sprintf("DROP TABLE t%d FORCE", i))
			}
		}()
	}
	wg.Wait()
	check := func(db *DB) {
		t.Helper()
		groups := db.cat.Groups()
		if len(groups) != 1 || groups[0].Buckets != 4 {
			t.Fatalf("%+v", groups)
		}
		var want []int64
		for _, tab := range db.cat.Snapshot().Tables(catalog.DefaultDatabase) {
			if tab.Group != groups[0].Name {
				t.Errorf("table %s is in group %q", tab.Name, tab.Group)
			}
			want = append(want, tab.ID)
		}
		got := slices.Clone(groups[0].Tables)
		slices.Sort(got)
		slices.Sort(want)
		if len(want) != 4 || !slices.Equal(got, want) {
			t.Errorf("members %v, want %v", got, want)
		}
	}
	check(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	check(db)
}

func TestGroupStability(t *testing.T) {
	s := ddlSession(t, Options{})
	mustExec(t, s, "CREATE TABLE a (id INT) DISTRIBUTED BY HASH(id) BUCKETS 4 PROPERTIES('colocate_with'='g')")
	id, _, _ := strings.Cut(texts(t, s, "SHOW PROC '/colocation_group'")[0], "\t")
	for _, stable := range []bool{false, true} {
		if err := s.db.SetColocateGroupStable(id, stable); err != nil {
			t.Fatal(err)
		}
		if got := texts(t, s, "SHOW PROC '/colocation_group' WHERE IsStable = '"+fmt.Sprint(stable)+"'"); len(got) != 1 {
			t.Errorf("%q", got)
		}
		mustExec(t, s, "CREATE TABLE b (id INT) DISTRIBUTED BY HASH(id) BUCKETS 4 PROPERTIES('colocate_with'='g')")
		for _, name := range []string{"a", "b"} {
			if l := layoutOf(ddlTable(s, name), nil); l.GroupStable != stable {
				t.Errorf("layout of %s: stable %v, want %v", name, l.GroupStable, stable)
			}
		}
		mustExec(t, s, "DROP TABLE b FORCE")
	}
	if err := s.db.SetColocateGroupStable("1.2", true); err == nil {
		t.Error("an unknown group was taken")
	}
}

func TestBuckets(t *testing.T) {
	s := ddlSession(t, Options{})
	check := func(clauses string, want int) {
		t.Helper()
		mustExec(t, s, "CREATE TABLE b (a INT) "+clauses)
		if got := ddlTable(s, "b").Distribution.Buckets; got != want {
			t.Errorf("%s: %d buckets, want %d", clauses, got, want)
		}
		mustExec(t, s, "DROP TABLE b FORCE")
	}
	check("DISTRIBUTED BY HASH(a)", 10)
	check("DISTRIBUTED BY HASH(a) BUCKETS 32", 32)
	check("DISTRIBUTED BY HASH(a) BUCKETS AUTO", 2)
	check("DISTRIBUTED BY RANDOM BUCKETS AUTO PROPERTIES ('estimate_partition_size' = '300M')", 1)
	check("DISTRIBUTED BY HASH(a) BUCKETS AUTO PROPERTIES ('estimate_partition_size' = '3G')", 2)
	check("DISTRIBUTED BY HASH(a) BUCKETS AUTO PROPERTIES ('estimate_partition_size' = '100G')", 20)
	check("DISTRIBUTED BY HASH(a) BUCKETS AUTO PROPERTIES ('estimate_partition_size' = '100T')", 128)
	check("DUPLICATE KEY(a)", 2)
}

// TestShowTablets looks at partitions and tablets by their numbers.
func TestShowTablets(t *testing.T) {
	s := ddlSession(t, Options{})
	mustExec(t, s, `CREATE TABLE t (d INT, v INT) PARTITION BY RANGE(d) (PARTITION p2 VALUES [(10), (20)), PARTITION p1 VALUES LESS THAN (10)) DISTRIBUTED BY HASH(v) BUCKETS 3`)
	mustExec(t, s, "INSERT INTO t SELECT number, number FROM numbers('number' = '20')")
	if got := texts(t, s, "SHOW TABLETS FROM t"); len(got) != 6 {
		t.Errorf("%d tablets: %q", len(got), got)
	}
	if got := texts(t, s, "SHOW TABLETS FROM t PARTITION(p1)"); len(got) != 3 {
		t.Errorf("%d tablets: %q", len(got), got)
	}
	one := texts(t, s, "SHOW TABLETS FROM t ORDER BY TabletId DESC LIMIT 1")
	id, _, _ := strings.Cut(one[0], "\t")
	if got := texts(t, s, "SHOW TABLET "+id); len(got) != 1 || !strings.HasPrefix(got[0], "default\tt\tp1\tt\t") {
		t.Errorf("SHOW TABLET %s: %q", id, got)
	}
	parts := texts(t, s, "SHOW PARTITIONS FROM t WHERE PartitionName LIKE 'p%' AND VisibleVersion > 1 ORDER BY PartitionName DESC LIMIT 1, 1")
	cells := strings.Split(parts[0], "\t")
	if len(parts) != 1 || len(cells) != 20 || cells[1] != "p1" || cells[2] != "2" || cells[4] != "NORMAL" || cells[5] != "d" || cells[7] != "v" || cells[8] != "3" || cells[9] != "1" {
		t.Errorf("%q", cells)
	}
	if got := texts(t, s, "SHOW PARTITION "+cells[0]); len(got) != 1 || !strings.HasPrefix(got[0], "default\tt\tp1\t") {
		t.Errorf("SHOW PARTITION: %q", got)
	}
	mustExec(t, s, "CREATE TABLE u (a INT) DISTRIBUTED BY HASH(a) BUCKETS 2")
	if got := texts(t, s, "SHOW PARTITIONS FROM u"); len(got) != 1 || strings.Split(got[0], "\t")[1] != "u" {
		t.Errorf("%q", got)
	}
	for sql, want := range map[string]sqlerr.Code{
		"SHOW PARTITIONS FROM nothere": sqlerr.UnknownTable, "SHOW TABLETS FROM t PARTITION(zz)": sqlerr.UnknownPartition,
		"SHOW PARTITIONS FROM t WHERE zz = 1": sqlerr.UnknownColumn, "SHOW PARTITIONS FROM t ORDER BY zz": sqlerr.UnknownColumn,
		"SHOW PARTITIONS FROM information_schema.tables": sqlerr.NotSupported, "SHOW TABLET x": sqlerr.Syntax,
	} {
		rows, err := s.Query(context.Background(), sql)
		if err == nil {
			rows.Close()
		}
		if !sqlerr.Is(err, want) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestLoadAgainstDroppedPartition publishes files of a partition that was dropped meanwhile: the
// load fails and nothing is listed.
func TestLoadAgainstDroppedPartition(t *testing.T) {
	s := ddlSession(t, Options{})
	mustExec(t, s, `CREATE TABLE t (d INT) PARTITION BY RANGE(d) (PARTITION p1 VALUES LESS THAN (10)) DISTRIBUTED BY HASH(d) BUCKETS 1`)
	tab := ddlTable(s, "t")
	mustExec(t, s, "ALTER TABLE t DROP PARTITION p1")
	err := s.db.cat.Update(func(tx *catalog.Tx) error {
		return tx.SetFiles(tab.Database, tab.ID, nil, []catalog.DataFile{{Path: "f", Partition: tab.Partitions[0].ID}})
	})
	if !sqlerr.Is(err, sqlerr.UnknownPartition) {
		t.Errorf("%v", err)
	}
}
