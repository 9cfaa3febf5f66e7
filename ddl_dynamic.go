package basalt

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

const dynamicPrefix = "dynamic_partition."

// neverDrop is dynamic_partition.start's default.
const neverDrop = math.MinInt32

// dynamic is a table's dynamic_partition.* properties, read and checked.
type dynamic struct {
	enable        bool
	roll          partition.Roll
	prefix        string
	buckets       int // 0: the table's
	createHistory bool
	historyNum    int // -1: not set
	reserved      string
}

// dynamicProperties reads the dynamic partition properties of a table; nil when it has none.
func dynamicProperties(t *catalog.Table) (*dynamic, error) {
	props := map[string]string{}
	for k, v := range t.Properties {
		if name, ok := strings.CutPrefix(k, dynamicPrefix); ok {
			props[name] = v
		}
	}
	if len(props) == 0 {
		return nil, nil
	}
	for _, name := range []string{"time_unit", "end", "prefix"} {
		if props[name] == "" {
			return nil, sqlerr.Detail("Must assign %s%s properties", dynamicPrefix, name)
		}
	}
	d := &dynamic{enable: true, historyNum: -1, roll: partition.Roll{Start: neverDrop, WeekDay: 1, MonthDay: 1}}
	if err := d.checkTable(t, props); err != nil {
		return nil, err
	}
	for name, v := range props {
		if err := d.take(name, v); err != nil {
			return nil, err
		}
	}
	var err error
	if d.roll.Reserved, err = partition.ReadPeriods(partitionTypes(t)[0], d.reserved); err != nil {
		return nil, sqlerr.Detail("Invalid %q property: %s", dynamicPrefix+"reserved_history_periods", d.reserved)
	}
	if d.createHistory && d.roll.Start == neverDrop && d.historyNum < 0 {
		return nil, sqlerr.Detail("Provide start or history_partition_num property when creating history partition")
	}
	d.roll.First = 0
	if d.createHistory {
		if d.roll.First = d.roll.Start; d.historyNum >= 0 {
			d.roll.First = max(d.roll.First, -d.historyNum)
		}
	}
	return d, nil
}

func (d *dynamic) checkTable(t *catalog.Table, props map[string]string) error {
	if t.Partitioning == nil || t.Partitioning.Kind != storage.RangePartitions || len(t.Partitioning.Columns) != 1 {
		return sqlerr.Detail("Dynamic partition only support single-column range partition")
	}
	c := t.ColumnByID(t.Partitioning.Columns[0])
	if c.Type.Kind != sqltype.Date && c.Type.Kind != sqltype.DateTime {
		return sqlerr.Detail("Dynamic Partition needs a partition column of type DATE or DATETIME: %s", c.Name)
	}
	if strings.EqualFold(props["time_unit"], "HOUR") && c.Type.Kind == sqltype.Date {
		return sqlerr.Detail("HOUR should not be used with a DATE column: %s", c.Name)
	}
	if b := props["buckets"]; b != "" && t.Properties[colocateProperty] != "" && b != strconv.Itoa(t.Distribution.Buckets) {
		return sqlerr.New(sqlerr.ColocateSchema, "Colocate tables must have same bucket num: %d", t.Distribution.Buckets)
	}
	return nil
}

// take reads one property.
func (d *dynamic) take(name, v string) error {
	wrong := func(what string) error { return sqlerr.Detail("Invalid dynamic partition %s: %s", what, v) }
	number := func(to *int, lo, hi int, what string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < lo || n > hi {
			return wrong(what)
		}
		*to = n
		return nil
	}
	truth := func(to *bool) error {
		if err := boolean(nil, v); err != nil {
			return wrong(name)
		}
		*to = strings.EqualFold(v, "true")
		return nil
	}
	const far = 1 << 20
	switch name {
	case "enable":
		return truth(&d.enable)
	case "time_unit":
		d.roll.Unit = strings.ToUpper(v)
		switch d.roll.Unit {
		case "HOUR", "DAY", "WEEK", "MONTH", "YEAR":
			return nil
		}
		return sqlerr.Detail("Unsupported time unit %s. Expect HOUR/DAY/WEEK/MONTH/YEAR.", v)
	case "start":
		if v == strconv.Itoa(neverDrop) {
			return nil
		}
		return number(&d.roll.Start, -far, -1, "start, a number below 0 is expected")
	case "end":
		return number(&d.roll.End, 1, far, "end, a number above 0 is expected")
	case "prefix":
		d.prefix = v
		if checkPartitionName(v) != nil {
			return wrong("prefix")
		}
	case "buckets":
		return number(&d.buckets, 1, maxBuckets, "buckets")
	case "create_history_partition":
		return truth(&d.createHistory)
	case "history_partition_num":
		return number(&d.historyNum, -1, far, "history_partition_num")
	case "start_day_of_week":
		return number(&d.roll.WeekDay, 1, 7, "start_day_of_week, 1 to 7 is expected")
	case "start_day_of_month":
		return number(&d.roll.MonthDay, 1, 28, "start_day_of_month, 1 to 28 is expected")
	case "reserved_history_periods":
		d.reserved = v
	case "time_zone":
		zone, err := parseZone(v)
		if err != nil {
			return wrong("time_zone")
		}
		d.roll.Zone = zone
	case "hot_partition_num":
		n := 0
		return number(&n, 0, far, "hot_partition_num")
	case "replication_num":
		return positive(nil, v)
	case "replication_allocation":
		return allocation(nil, v)
	case "storage_medium", "storage_policy", "remote_storage_policy":
	default:
		return sqlerr.Detail("Unknown properties: {%s%s=%s}", dynamicPrefix, name, v)
	}
	return nil
}

// dynamicState is what SHOW DYNAMIC PARTITION TABLES tells of the scheduler's runs. It is
// lost with the process.
type dynamicState struct {
	updated, scheduled time.Time
	createMsg, dropMsg string
}

// dynamicOf runs the scheduler on one table, after a change of it.
func (db *DB) dynamicOf(t *catalog.Table) error {
	now := db.cat.Snapshot().Table(t.Database, t.Name)
	if now == nil {
		return nil
	}
	if d, err := dynamicProperties(now); d == nil || err != nil {
		return nil // checked when they were set
	}
	db.noteDynamic(now.ID, func(s *dynamicState) { s.updated = db.now() })
	if db.globalInt("dynamic_partition_enable") == 0 {
		return nil
	}
	return db.rollTable(now)
}

func (db *DB) noteDynamic(id int64, f func(s *dynamicState)) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.dynamics == nil {
		db.dynamics = map[int64]dynamicState{}
	}
	s := db.dynamics[id]
	f(&s)
	db.dynamics[id] = s
}

// rollTable makes the partitions that a dynamic table needs now, and drops those that are too
// old, into the recycle bin. What fails is told by SHOW DYNAMIC PARTITION TABLES as well.
func (db *DB) rollTable(t *catalog.Table) error {
	d, err := dynamicProperties(t)
	if d == nil || err != nil || !d.enable {
		return err
	}
	now := db.now()
	createErr := db.rollForward(t, d, now)
	dropErr := db.rollOut(t, d, now)
	db.noteDynamic(t.ID, func(s *dynamicState) {
		s.scheduled = now
		s.createMsg, s.dropMsg = messageOf(createErr), messageOf(dropErr)
	})
	if createErr != nil {
		return createErr
	}
	return dropErr
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// rollForward makes the missing partitions.
func (db *DB) rollForward(t *catalog.Table, d *dynamic, now time.Time) error {
	if err := db.checkDynamicNumber(d); err != nil {
		return err
	}
	wanted := d.roll.Wanted(partitionTypes(t)[0], d.prefix, now)
	if len(missingRanges(t, wanted)) == 0 {
		return nil
	}
	return db.cat.Update(func(tx *catalog.Tx) error {
		now := tx.TableByID(t.Database, t.ID)
		if now == nil {
			return nil
		}
		buckets := d.buckets
		if buckets == 0 {
			buckets = newPartitionBuckets(now)
		}
		if err := addToGroup(tx, now, buckets); err != nil {
			return err
		}
		var list []catalog.Partition
		for _, n := range missingRanges(now, wanted) {
			list = append(list, catalog.Partition{Name: n.Name, Bounds: n.Bounds, Buckets: buckets})
		}
		_, err := tx.AddPartitions(t.Database, t.ID, list...)
		return err
	})
}

// checkDynamicNumber fails for windows that are too wide.
func (db *DB) checkDynamicNumber(d *dynamic) error {
	n, limit := int64(d.roll.End)-int64(d.roll.First)+1, db.globalInt("max_dynamic_partition_num")
	if n > limit {
		return sqlerr.Detail("Too many dynamic partitions: %d. Limit: %d", n, limit)
	}
	return nil
}

// missingRanges are those of wanted that t has no partition of the name or the rows of.
func missingRanges(t *catalog.Table, wanted []partition.Named) (out []partition.Named) {
	have := namedPartitions(t, false)
	for _, n := range wanted {
		taken := t.PartitionNamed(n.Name, false) != nil || t.PartitionNamed(n.Name, true) != nil
		for i := range have {
			taken = taken || partition.Intersects(&n.Bounds, &have[i].Bounds)
		}
		if !taken {
			out = append(out, n)
		}
	}
	return out
}

// rollOut drops the partitions that lie before start.
func (db *DB) rollOut(t *catalog.Table, d *dynamic, now time.Time) error {
	if d.roll.Start == neverDrop {
		return nil
	}
	typ := partitionTypes(t)[0]
	if len(d.roll.Expired(typ, now, namedPartitions(t, false))) == 0 {
		return nil
	}
	var gone []string
	err := db.cat.Update(func(tx *catalog.Tx) error {
		gone = nil
		cur := tx.TableByID(t.Database, t.ID)
		if cur == nil {
			return nil
		}
		for _, name := range d.roll.Expired(typ, now, namedPartitions(cur, false)) {
			files, err := tx.DropPartition(t.Database, t.ID, name, false, db.trashSeconds() == 0)
			if err != nil {
				return err
			}
			gone = append(gone, db.filePaths(cur, files)...)
		}
		return nil
	})
	db.discard(gone...)
	return err
}

// scheduler is the background work of a DB: dynamic partitions, the recycle bin, and indexes that could not be built.
type scheduler struct {
	stop, done chan struct{}
}

// startScheduler runs the background work once, and then every
// dynamic_partition_check_interval_seconds.
func (db *DB) startScheduler() {
	db.runScheduled()
	db.scheduler = scheduler{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(db.scheduler.done)
		for {
			timer := time.NewTimer(time.Duration(db.globalInt("dynamic_partition_check_interval_seconds")) * time.Second)
			select {
			case <-db.scheduler.stop:
				timer.Stop()
				return
			case <-timer.C:
				db.runScheduled()
			}
		}
	}()
}

// stopScheduler waits for the background work to end.
func (db *DB) stopScheduler() {
	if db.scheduler.stop != nil {
		close(db.scheduler.stop)
		<-db.scheduler.done
	}
}

// runScheduled is one round of background work. What fails is logged, and tried again in the
// next round.
func (db *DB) runScheduled() {
	if db.globalInt("dynamic_partition_enable") != 0 {
		snap := db.cat.Snapshot()
		for _, name := range snap.Databases() {
			for _, t := range snap.Tables(name) {
				if t.Kind != catalog.Internal {
					continue
				}
				if err := db.rollTable(t); err != nil {
					db.log.Warn("cannot manage dynamic partitions", "table", fmt.Sprintf("%s.%s", t.Database, t.Name), "error", err)
				}
			}
		}
	}
	if err := db.emptyTrash(); err != nil {
		db.log.Warn("cannot empty the recycle bin", "error", err)
	}
	db.indexAll() // builds that failed, on a full disk, are tried again
}
