package basalt

import (
	"math"
	"runtime"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// settingKind is how a setting's text is read and shown.
type settingKind uint8

const (
	intSetting  settingKind = iota
	boolSetting             // shown as 1 and 0 by SELECT @@x, true and false by SHOW VARIABLES
	textSetting
	sizeSetting // bytes, with K, M, G, T suffixes
)

// setting is one system variable: the only place where its name, default and limits
// stand. Settings that exist for MySQL's and Doris's clients alone are marked compat:
// they are stored and shown, and nothing reads them.
type setting struct {
	name     string
	kind     settingKind
	def      string
	min, max int64
	readOnly bool
	compat   bool
	// global settings belong to the engine: no session has its own.
	global bool
	// start settings are read only and have the value that Options gave them.
	start bool
	// check, when set, is asked for the stored form of a text value; "" refuses it.
	check func(text string) string
}

// settingsTable lists every system variable. Doris's names and defaults where it has them.
var settingsTable = []setting{
	// What the engine reads.
	{name: "parallel_fragment_exec_instance_num", def: "0", max: 1024},
	{name: "parallel_pipeline_task_num", def: "0", max: 1024},
	{name: "exec_mem_limit", kind: sizeSetting, def: "2147483648", min: 1 << 20, max: math.MaxInt64},
	{name: "enable_spill", kind: boolSetting, def: "1"},
	{name: "enable_force_spill", kind: boolSetting, def: "0"},
	{name: "query_queue_concurrency_limit", def: "0", max: math.MaxInt32},
	{name: "query_queue_max_queued_queries", def: "1024", max: math.MaxInt32},
	{name: "query_queue_pending_timeout_second", def: "300", max: math.MaxInt32},
	{name: "enable_page_cache", kind: boolSetting, def: "1"},
	{name: dictionaryCacheLimit, kind: sizeSetting, def: "0", max: math.MaxInt64, global: true},
	{name: "query_timeout", def: "900", min: 0, max: math.MaxInt32},
	{name: "long_query_time", kind: textSetting, def: "10", check: fraction},
	{name: "slow_query_log", kind: boolSetting, def: "1"},
	{name: "batch_size", def: "4096", min: 1, max: 65536},
	{name: "sql_mode", kind: textSetting, def: "ONLY_FULL_GROUP_BY"},
	{name: "sql_select_limit", def: "9223372036854775807", max: math.MaxInt64},
	{name: "default_order_by_limit", def: "-1", min: -1, max: math.MaxInt64},
	{name: "time_zone", kind: textSetting, def: "SYSTEM"},
	{name: "enable_infer_predicate", kind: boolSetting, def: "1"},
	{name: "max_distribution_pruner_recursion_depth", def: "100", min: 1, max: 1 << 20},
	{name: "optimizer_disable", kind: textSetting, def: ""},
	{name: "enable_materialized_view_rewrite", kind: boolSetting, def: "1"},
	{name: "return_object_data_as_binary", kind: boolSetting, def: "0"},
	{name: "rewrite_count_distinct_to_bitmap_hll", kind: boolSetting, def: "1"},
	{name: "group_concat_max_len", def: "1073741824", min: 4, max: math.MaxInt64},
	{name: "broadcast_row_count_limit", def: "30000000", max: math.MaxInt64},
	{name: "broadcast_hashtable_mem_limit_percentage", kind: textSetting, def: "0.2", check: fraction},
	{name: "disable_colocate_plan", kind: boolSetting, def: "0"},
	{name: "enable_bucket_shuffle_join", kind: boolSetting, def: "1"},
	{name: "bucket_shuffle_downgrade_ratio", kind: textSetting, def: "0.8", check: fraction},
	{name: "bucket_run_min_rows", def: "50000", min: 1, max: math.MaxInt64},
	{name: "prefer_join_method", kind: textSetting, def: "broadcast", check: joinMethod},
	{name: "enable_insert_strict", kind: boolSetting, def: "1"},
	{name: "rewrite_count_distinct_to_bitmap_hll", kind: boolSetting, def: "1"},
	{name: "insert_max_filter_ratio", kind: textSetting, def: "1.0", check: fraction},
	{name: "enable_auto_compaction", kind: boolSetting, def: "1", global: true},
	{name: "enable_runtime_filter", kind: boolSetting, def: "1"},
	{name: "runtime_filter_mode", kind: textSetting, def: "GLOBAL", check: oneWord("OFF", "LOCAL", "REMOTE", "GLOBAL")},
	{name: "runtime_filter_type", kind: textSetting, def: "MIN_MAX,IN_OR_BLOOM_FILTER", check: filterTypes},
	{name: "runtime_filter_max_in_num", def: "1024", max: 1 << 20},
	{name: "runtime_filters_max_num", def: "32", max: 1 << 10},
	{name: "runtime_bloom_filter_max_size", kind: sizeSetting, def: "16777216", min: 1 << 10, max: 1 << 30},
	{name: "enable_runtime_filter_prune", kind: boolSetting, def: "1"},
	{name: "enable_topn_filter", kind: boolSetting, def: "1"},
	{name: "enable_profile", kind: boolSetting, def: "0"},
	{name: "max_query_profile_num", def: "100", max: 1 << 16},
	{name: "optimizer_trace_max_mem_size", def: "1048576", max: math.MaxInt32},
	{name: "optimizer_trace", kind: textSetting, def: "enabled=off,one_line=off", check: optimizerTraceSetting},
	{name: "max_allowed_packet", kind: sizeSetting, def: "67108864", min: 1024, max: 1 << 30},
	{name: "wait_timeout", def: "28800", min: 1, max: math.MaxInt32},
	{name: "enable_parallel_outfile", kind: boolSetting, def: "0"},
	{name: "local_infile", kind: boolSetting, def: "1", global: true},
	{name: "secure_file_priv", kind: textSetting, readOnly: true, start: true},
	{name: "enable_unique_key_partial_update", kind: boolSetting, def: "0"},
	{name: "show_hidden_columns", kind: boolSetting, def: "0"},
	{name: "allow_partition_column_nullable", kind: boolSetting, def: "1"},
	{name: "max_multi_partition_num", def: "4096", min: 1, max: 1 << 20},
	{name: "max_auto_partition_num", def: "2000", min: 1, max: 1 << 20},
	{name: "hive.exec.dynamic.partition", kind: boolSetting, def: "1"},
	{name: "hive.exec.dynamic.partition.mode", kind: textSetting, def: "strict", check: partitionMode},
	{name: "hive.exec.max.dynamic.partitions", def: "1000", min: 1, max: math.MaxInt32},
	{name: "hive.exec.max.dynamic.partitions.pernode", def: "100", min: 1, max: math.MaxInt32},
	{name: "hive.exec.drop.ignorenonexistent", kind: boolSetting, def: "1"},
	{name: "hive.exec.max.created.files", def: "100000", min: 1, max: math.MaxInt32},
	{name: "hive.merge.size.per.task", kind: sizeSetting, def: "256000000", min: 1 << 20, max: math.MaxInt64},

	// What the scheduler reads: the global values.
	{name: "dynamic_partition_enable", kind: boolSetting, def: "1", global: true},
	{name: "dynamic_partition_check_interval_seconds", def: "600", min: 1, max: math.MaxInt32, global: true},
	{name: "max_dynamic_partition_num", def: "500", min: 1, max: 1 << 20, global: true},
	{name: "catalog_trash_expire_second", def: "86400", max: math.MaxInt32, global: true},

	// How long labels are remembered, see transaction.go.
	{name: "label_keep_max_second", def: "259200", min: 1, max: math.MaxInt32, global: true},
	{name: "streaming_label_keep_max_second", def: "43200", min: 1, max: math.MaxInt32, global: true},
	{name: "label_num_threshold", def: "100000", min: 1, max: 1 << 24, global: true},

	// What clients ask for and set; see the field comment of compat.
	{name: "auto_broadcast_join_threshold", kind: textSetting, def: "0.8", compat: true},
	{name: "enable_local_shuffle", kind: boolSetting, def: "1", compat: true},
	{name: "max_instance_num", def: "64", max: 1 << 20, compat: true},
	{name: "parallel_exchange_instance_num", def: "-1", min: -1, max: 1 << 20, compat: true},
	{name: "auto_increment_increment", def: "1", max: 65535, compat: true},
	{name: "autocommit", kind: boolSetting, def: "1", compat: true},
	{name: "big_tables", kind: boolSetting, def: "0", compat: true},
	{name: "character_set_client", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "character_set_connection", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "character_set_database", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "character_set_results", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "character_set_server", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "character_set_system", kind: textSetting, def: "utf8mb4", compat: true},
	{name: "collation_connection", kind: textSetting, def: "utf8mb4_0900_bin", compat: true},
	{name: "collation_database", kind: textSetting, def: "utf8mb4_0900_bin", compat: true},
	{name: "collation_server", kind: textSetting, def: "utf8mb4_0900_bin", compat: true},
	{name: "default_storage_engine", kind: textSetting, def: "Doris", compat: true},
	{name: "div_precision_increment", def: "4", max: 30, compat: true},
	{name: "enable_nereids_planner", kind: boolSetting, def: "1", compat: true},
	{name: "is_report_success", kind: boolSetting, def: "0", compat: true},
	{name: "profile_level", def: "1", min: 1, max: 3, compat: true},
	{name: "runtime_bloom_filter_min_size", kind: sizeSetting, def: "1048576", max: 1 << 30, compat: true},
	{name: "runtime_bloom_filter_size", kind: sizeSetting, def: "2097152", max: 1 << 30, compat: true},
	{name: "runtime_filter_wait_infinitely", kind: boolSetting, def: "0", compat: true},
	{name: "runtime_filter_wait_time_ms", def: "1000", max: math.MaxInt32, compat: true},
	{name: "foreign_key_checks", kind: boolSetting, def: "1", compat: true},
	{name: "have_profiling", kind: textSetting, def: "NO", compat: true},
	{name: "have_query_cache", kind: textSetting, def: "NO", compat: true},
	{name: "init_connect", kind: textSetting, def: "", compat: true},
	{name: "innodb_lock_wait_timeout", def: "50", max: math.MaxInt32, compat: true},
	{name: "interactive_timeout", def: "28800", max: math.MaxInt32, compat: true},
	{name: "language", kind: textSetting, def: "/usr/share/mysql/", readOnly: true, compat: true},
	{name: "license", kind: textSetting, def: "Apache-2.0", readOnly: true, compat: true},
	{name: "lower_case_file_system", kind: textSetting, def: "OFF", readOnly: true, compat: true},
	{name: "lower_case_table_names", def: "0", max: 2, readOnly: true, compat: true},
	{name: "max_connections", def: "4096", max: 1 << 20, compat: true},
	{name: "max_execution_time", def: "0", max: math.MaxInt64, compat: true},
	{name: "net_buffer_length", def: "16384", max: 1 << 20, compat: true},
	{name: "net_read_timeout", def: "60", max: math.MaxInt32, compat: true},
	{name: "net_write_timeout", def: "60", max: math.MaxInt32, compat: true},
	{name: "performance_schema", kind: textSetting, def: "OFF", readOnly: true, compat: true},
	{name: "profiling", kind: boolSetting, def: "0", compat: true},
	{name: "query_cache_size", def: "0", max: math.MaxInt64, compat: true},
	{name: "query_cache_type", def: "0", max: 2, compat: true},
	{name: "sql_auto_is_null", kind: boolSetting, def: "0", compat: true},
	{name: "sql_log_bin", kind: boolSetting, def: "0", compat: true},
	{name: "sql_notes", kind: boolSetting, def: "1", compat: true},
	{name: "sql_quote_show_create", kind: boolSetting, def: "1", compat: true},
	{name: "sql_safe_updates", kind: boolSetting, def: "0", compat: true},
	{name: "sql_warnings", kind: boolSetting, def: "0", compat: true},
	{name: "system_time_zone", kind: textSetting, def: "UTC", readOnly: true, compat: true},
	{name: "transaction_isolation", kind: textSetting, def: "READ-COMMITTED", compat: true},
	{name: "transaction_read_only", kind: boolSetting, def: "0", compat: true},
	{name: "tx_isolation", kind: textSetting, def: "READ-COMMITTED", compat: true},
	{name: "tx_read_only", kind: boolSetting, def: "0", compat: true},
	{name: "unique_checks", kind: boolSetting, def: "1", compat: true},
	{name: "version", kind: textSetting, def: ServerVersion, readOnly: true},
	{name: "version_comment", kind: textSetting, def: "Basalt " + Version + " (Apache-2.0)", readOnly: true},
	{name: "version_compile_machine", kind: textSetting, def: runtime.GOARCH, readOnly: true},
	{name: "version_compile_os", kind: textSetting, def: runtime.GOOS, readOnly: true},
}

var settingIndex = func() map[string]*setting {
	m := make(map[string]*setting, len(settingsTable))
	for i := range settingsTable {
		m[settingsTable[i].name] = &settingsTable[i]
	}
	return m
}()

// settings are the values of one session, or the global ones that new sessions copy. Not
// safe for concurrent use.
type settings struct{ values map[string]string }

func newSettings() *settings {
	s := &settings{values: make(map[string]string, len(settingsTable))}
	for i := range settingsTable {
		s.values[settingsTable[i].name] = settingsTable[i].def
	}
	return s
}

func (s *settings) clone() *settings {
	c := &settings{values: make(map[string]string, len(s.values))}
	for k, v := range s.values {
		c.values[k] = v
	}
	return c
}

// set stores a value after checking it. nil is DEFAULT.
func (s *settings) set(name string, v *vector.Value) error {
	d := settingIndex[name]
	if d == nil {
		return sqlerr.New(sqlerr.UnknownVariable, "Unknown system variable '%s'", name)
	}
	if d.readOnly {
		return sqlerr.New(sqlerr.ReadOnlyVariable, "Variable '%s' is a read only variable", name)
	}
	if v == nil {
		s.values[name] = d.def
		return nil
	}
	text, err := d.normalize(*v)
	if err != nil {
		return err
	}
	s.values[name] = text
	return nil
}

// normalize checks v against the setting and returns its stored form.
func (d *setting) normalize(v vector.Value) (string, error) {
	text := settingText(v)
	wrong := func() error {
		return sqlerr.New(sqlerr.WrongVariableValue, "Variable '%s' can't be set to the value of '%s'", d.name, text)
	}
	switch d.kind {
	case textSetting:
		if d.check != nil {
			if text = d.check(text); text == "" {
				text = settingText(v)
				return "", wrong()
			}
		}
		return text, nil
	case boolSetting:
		switch strings.ToLower(text) {
		case "1", "on", "true", "yes":
			return "1", nil
		case "0", "off", "false", "no":
			return "0", nil
		}
		return "", wrong()
	case sizeSetting:
		n, ok := ParseSize(text)
		if !ok || n < d.min || n > d.max {
			return "", wrong()
		}
		return strconv.FormatInt(n, 10), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < d.min || n > d.max {
		return "", wrong()
	}
	return text, nil
}

func settingText(v vector.Value) string {
	switch {
	case v.Null:
		return ""
	case v.Type.Physical() == sqltype.PhysString:
		return v.S
	case v.Type.IsFloat():
		return strconv.FormatFloat(v.F, 'g', -1, 64)
	}
	return v.Text()
}

// ParseSize reads bytes with an optional suffix K, M, G, T (and B), powers of 1024.
func ParseSize(text string) (int64, bool) {
	t := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(text)), "B")
	shift := 0
	if n := len(t); n > 0 {
		if i := strings.IndexByte("KMGT", t[n-1]); i >= 0 {
			shift = 10 * (i + 1)
			t = t[:n-1]
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0, false
	}
	return n << shift, true
}

// value is a setting as SELECT @@name shows it.
func (s *settings) value(name string) (vector.Value, bool) {
	d := settingIndex[name]
	if d == nil {
		return vector.Value{}, false
	}
	if d.kind == textSetting {
		return vector.StringValue(sqltype.VarcharOf(1024), s.values[name]), true
	}
	return vector.IntValue(sqltype.T(sqltype.BigInt), s.int(name)), true
}

func (s *settings) int(name string) int64 {
	n, _ := strconv.ParseInt(s.values[name], 10, 64)
	return n
}

func (s *settings) bool(name string) bool { return s.values[name] == "1" }

// shown is the value as SHOW VARIABLES prints it.
func (s *settings) shown(d *setting) string { return d.shown(s.values[d.name]) }

func (d *setting) shown(v string) string {
	if d.kind == boolSetting {
		if v == "1" {
			return "ON"
		}
		return "OFF"
	}
	return v
}

// hasMode reports whether sql_mode lists the mode.
func (s *settings) hasMode(mode string) bool {
	for _, m := range strings.Split(s.values["sql_mode"], ",") {
		if m = strings.ToUpper(strings.TrimSpace(m)); m == mode || m == "ANSI" && (mode == "ANSI_QUOTES" || mode == "PIPES_AS_CONCAT") {
			return true
		}
	}
	return false
}
