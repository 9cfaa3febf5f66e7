package basalt

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
)

// where tells which statement sets a property.
type where uint8

const (
	createStatement where = iota // CREATE TABLE
	alterStatement               // ALTER TABLE … SET
	partitionClause              // a partition's own properties
)

// property is one key of PROPERTIES: what its value must look like and how it is taken.
type property struct {
	key   string // a prefix when it ends in a point
	check func(x *execution, value string) error
	note  string // why it has no effect; the statement warns of it
	fixed bool   // cannot be changed by ALTER
	// partition tells that a partition may have its own; unique, that only UNIQUE tables have it.
	partition, unique bool
}

const oneCopy = "files have one copy here"

// propertyTable lists every property of Doris tables that is known. Keys that are not here are
// refused.
var propertyTable = []property{
	{key: "replication_num", check: positive, note: oneCopy, partition: true},
	{key: "replication_allocation", check: allocation, note: oneCopy, partition: true},
	{key: "default.replication_num", check: positive, note: oneCopy},
	{key: "default.replication_allocation", check: allocation, note: oneCopy},
	{key: "min_load_replica_num", check: integer, note: oneCopy},
	{key: "tag.location", note: oneCopy, partition: true},

	{key: "colocate_with"},
	{key: dictionaryProperty, fixed: true},
	{key: "in_memory", check: boolean, partition: true},
	{key: "mutable", check: boolean, note: "rows are written to every partition", partition: true},
	{key: "bloom_filter_columns"},
	{key: "storage_medium", check: choice("HDD", "SSD"), note: "files stay where they are", partition: true},
	{key: "storage_cooldown_time", check: future, note: "files stay where they are", partition: true},
	{key: "storage_policy", note: "files stay where they are", partition: true},
	{key: compressionProperty, check: compression, fixed: true},
	{key: "storage_type", check: choice("COLUMN"), fixed: true},
	{key: "storage_format", check: choice("V2", "V3", "DEFAULT"), fixed: true},
	{key: "inverted_index_storage_format", check: choice("V1", "V2", "V3", "DEFAULT"), fixed: true},
	{key: sequenceColumn, fixed: true, unique: true},
	{key: sequenceType, fixed: true, unique: true},
	{key: "enable_unique_key_merge_on_write", check: boolean, fixed: true, unique: true},
	{key: "enable_mow_light_delete", check: boolean},
	{key: "enable_unique_key_skip_bitmap_column", check: boolean, unique: true},
	{key: "light_schema_change", check: boolean},
	{key: "enable_duplicate_without_keys_by_default", check: boolean, fixed: true},
	{key: "disable_auto_compaction", check: boolean},
	{key: "enable_single_replica_compaction", check: boolean, note: oneCopy},
	{key: "compaction_policy", check: choice("size_based", "time_series")},
	{key: "time_series_compaction_", check: integer},
	{key: "group_commit_interval_ms", check: positive},
	{key: "group_commit_data_bytes", check: positive},
	{key: "skip_write_index_on_load", check: boolean},
	{key: "store_row_column", check: boolean},
	{key: "row_store_columns"},
	{key: "row_store_page_size", check: positive},
	{key: "storage_page_size", check: positive},
	{key: "version_info"},
	{key: "file_cache_ttl_seconds", check: integer},
	{key: "binlog.enable", check: boolean},
	{key: "binlog.ttl_seconds", check: integer},
	{key: "binlog.max_bytes", check: integer},
	{key: "binlog.max_history_nums", check: integer},
	{key: "is_being_synced", check: boolean},
	{key: "_auto_bucket", check: boolean},
	{key: "estimate_partition_size", check: size},
	{key: "variant_enable_flatten_nested", check: boolean},
	{key: "format", check: choice(formatParquet, formatORC), fixed: true},
	{key: "write.format", check: choice(formatParquet, formatORC), fixed: true},
	{key: "orc.compress", check: orcCompression, fixed: true},
	{key: dynamicPrefix},
}

// propertyOf finds a key's entry, nil for an unknown one.
func propertyOf(key string) *property {
	for i := range propertyTable {
		p := &propertyTable[i]
		if p.key == key || strings.HasSuffix(p.key, ".") && strings.HasPrefix(key, p.key) && len(key) > len(p.key) ||
			strings.HasSuffix(p.key, "_") && strings.HasPrefix(key, p.key) {
			return p
		}
	}
	return nil
}

func positive(_ *execution, v string) error {
	if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 1 {
		return sqlerr.Detail("a number above zero is expected")
	}
	return nil
}

func integer(_ *execution, v string) error {
	if _, err := strconv.ParseInt(v, 10, 64); err != nil {
		return sqlerr.Detail("a number is expected")
	}
	return nil
}

func boolean(_ *execution, v string) error {
	if !strings.EqualFold(v, "true") && !strings.EqualFold(v, "false") {
		return sqlerr.Detail("true or false is expected")
	}
	return nil
}

var allocationForm = regexp.MustCompile(`^\s*tag\.location\.[-\w]+\s*:\s*\d+\s*(,\s*tag\.location\.[-\w]+\s*:\s*\d+\s*)*$`)

func allocation(_ *execution, v string) error {
	if !allocationForm.MatchString(v) {
		return sqlerr.Detail("tag.location.<tag>: <number> is expected")
	}
	return nil
}

func choice(values ...string) func(*execution, string) error {
	return func(_ *execution, v string) error {
		if !slices.ContainsFunc(values, func(x string) bool { return strings.EqualFold(x, v) }) {
			return sqlerr.Detail("%s is expected", strings.Join(values, " or "))
		}
		return nil
	}
}

func future(x *execution, v string) error {
	t, err := time.ParseInLocation(time.DateTime, v, x.s.location())
	if err != nil {
		return sqlerr.Detail("yyyy-MM-dd HH:mm:ss is expected")
	}
	if !t.After(x.s.db.now()) {
		return sqlerr.Detail("Cooldown time should be later than now")
	}
	return nil
}

func compression(_ *execution, v string) error {
	_, err := parquetCodec(map[string]string{compressionProperty: v})
	if err != nil { // those of a table are checked with its format when it is made
		_, err = orcCodec(map[string]string{compressionProperty: v})
	}
	return err
}

func orcCompression(_ *execution, v string) error {
	_, err := orcCodec(map[string]string{"orc.compress": v})
	return err
}

func size(_ *execution, v string) error {
	_, err := parseBytes(v)
	return err
}

// parseBytes reads 10G, 500MB, 1024.
func parseBytes(v string) (int64, error) {
	n, ok := ParseSize(strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(v)), "B"))
	if !ok {
		return 0, sqlerr.Detail("a size is expected, for example 10G")
	}
	return n, nil
}

// checkProperties refuses unknown keys and values that their key does not take, and notes
// those that have no effect.
func (x *execution) checkProperties(list []ast.Property, in where) error {
	unknown := map[string]string{}
	noted := map[string][]string{}
	for _, kv := range list {
		p := propertyOf(kv.Key)
		if p == nil || in == partitionClause && !p.partition {
			unknown[kv.Key] = kv.Value
			continue
		}
		if p.fixed && in == alterStatement {
			return sqlerr.Detail("Property %s cannot be changed", kv.Key).At(kv.Position())
		}
		if p.check != nil {
			if err := p.check(x, kv.Value); err != nil {
				e := sqlerr.From(err)
				return sqlerr.New(e.Code, "Invalid value of property %q = %q: %s", kv.Key, kv.Value, strings.TrimPrefix(e.Message, "errCode = 2, detailMessage = ")).
					WithHint("%s", e.Hint).At(kv.Position())
			}
		}
		if p.note != "" {
			noted[p.note] = append(noted[p.note], kv.Key)
		}
		if codec, _ := parquetCodec(map[string]string{compressionProperty: kv.Value}); kv.Key == compressionProperty && codec != "none" && !strings.EqualFold(codec, kv.Value) {
			x.note("%s: files are compressed with %s instead of %s", compressionProperty, codec, kv.Value)
		}
	}
	if len(unknown) > 0 {
		parts := make([]string, 0, len(unknown))
		for _, k := range slices.Sorted(maps.Keys(unknown)) {
			parts = append(parts, k+"="+unknown[k])
		}
		return sqlerr.Detail("Unknown properties: {%s}", strings.Join(parts, ", ")).At(list[0].Position())
	}
	for _, why := range slices.Sorted(maps.Keys(noted)) {
		x.note("%s has no effect: %s", strings.Join(noted[why], ", "), why)
	}
	return nil
}

// setProperties checks list and stores it in t.
func (x *execution) setProperties(t *catalog.Table, list []ast.Property, in where) error {
	if err := x.checkProperties(list, in); err != nil {
		return err
	}
	for _, kv := range list {
		t.Properties[kv.Key] = kv.Value
	}
	return nil
}

// checkTable checks what properties say together with columns, partitions and distribution.
func (x *execution) checkTable(t *catalog.Table, pos int) error {
	for _, key := range slices.Sorted(maps.Keys(t.Properties)) {
		if p := propertyOf(key); p != nil && p.unique && t.Model != catalog.UniqueKey {
			return sqlerr.Detail("%s property only support unique key table", key).At(pos)
		}
	}
	if strings.EqualFold(t.Properties["enable_unique_key_merge_on_write"], "false") {
		x.note("enable_unique_key_merge_on_write has no effect: rows are merged when they are written")
	}
	if list := t.Properties["bloom_filter_columns"]; list != "" {
		for _, name := range strings.Split(list, ",") {
			if err := checkBloomColumn(t, strings.TrimSpace(name)); err != nil {
				return sqlerr.From(err).At(pos)
			}
		}
	}
	d, err := dynamicProperties(t)
	if err == nil && d != nil && d.enable {
		err = x.s.db.checkDynamicNumber(d)
	}
	if err != nil {
		return sqlerr.From(err).At(pos)
	}
	if t.Properties["colocate_with"] != "" {
		if err := checkColocatable(t); err != nil {
			return sqlerr.From(err).At(pos)
		}
	}
	return nil
}

func checkBloomColumn(t *catalog.Table, name string) error {
	c := t.ColumnNamed(name)
	switch {
	case c == nil:
		return sqlerr.Detail("Bloom filter column does not exist in table. invalid column: %s", name)
	case c.Type.IsFloat() || c.Type.Kind == sqltype.TinyInt || c.Type.Kind == sqltype.Boolean || c.Type.IsNested():
		return sqlerr.Detail("%s is not supported in bloom filter index. invalid column: %s", strings.ToUpper(c.Type.String()), name)
	}
	return nil
}

// warning is one row of SHOW WARNINGS.
type warning struct {
	level string // Note or Warning
	code  uint16
	text  string
}

// maxWarnings is how many a statement keeps, as MySQL's max_error_count.
const maxWarnings = 64

// note tells the session's user of something that had no effect.
func (x *execution) note(format string, args ...any) {
	x.addWarning(warning{"Note", 1105, fmt.Sprintf(format, args...)})
}

// warn tells the session's user of an error that did not fail the statement.
func (x *execution) warn(err error) {
	e := sqlerr.From(err)
	x.addWarning(warning{"Warning", e.Code.Number, e.Message})
}

func (x *execution) addWarning(w warning) {
	if len(x.s.warnings) < maxWarnings {
		x.s.warnings = append(x.s.warnings, w)
	}
}
