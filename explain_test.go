package basalt

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// explainSession is a session of an engine in memory that ends with the test.
func explainSession(t *testing.T, statements ...string) *Session {
	t.Helper()
	db, err := Open("", Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := db.NewSession(SessionOptions{})
	for _, sql := range statements {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	return s
}

var explainTables = []string{
	"CREATE TABLE a (k INT, v VARCHAR(20))", "CREATE TABLE b (k BIGINT, w INT)",
	"INSERT INTO a SELECT number, concat('v', number) FROM numbers('number' = '20000')",
	"INSERT INTO b SELECT number * 100, number FROM numbers('number' = '50')",
}

const explainQuery = "SELECT a.v, count(*) FROM a JOIN b ON a.k = b.k WHERE b.w < 20 GROUP BY a.v ORDER BY 2 DESC, 1 LIMIT 3"

func TestExplainForms(t *testing.T) {
	s := explainSession(t, explainTables...)
	check := func(form string, wants ...string) {
		t.Helper()
		text := textOf(t, s, form+" "+explainQuery)
		for _, want := range wants {
			if !regexp.MustCompile(want).MatchString(text) {
				t.Errorf("%s: no %q in\n%s", form, want, text)
			}
		}
	}
	check("EXPLAIN", "PLAN FRAGMENT 0", `runtime filters: RF000\[min_max\] <- b.k, RF001\[in_or_bloom\] <- b.k`, `runtime filters: RF000\[min_max\] -> a.k`, "partitions=1/1", "avgRowSize=")
	check("DESC VERBOSE", "tuple ids: \\d+ \\d+", "TupleDescriptor")
	check("EXPLAIN PARSED PLAN", "^SELECT .*JOIN")
	check("EXPLAIN ANALYZED PLAN", "Join on cast")
	check("EXPLAIN LOGICAL PLAN", "Join on cast")
	check("EXPLAIN REWRITTEN PLAN", "Scan .*filter: b.w < 20")
	check("EXPLAIN OPTIMIZED PLAN", "HASH JOIN", "└─")
	check("EXPLAIN TREE", "HASH JOIN", "└─")
	check("EXPLAIN PHYSICAL PLAN", "PLAN FRAGMENT 1")
	check("EXPLAIN DISTRIBUTED PLAN", "INSTANCES", "fragment 0: 1")
	check("EXPLAIN SHAPE PLAN", "^PhysicalResultSink", "--hashJoin\\[INNER_JOIN broadcast\\] hashCondition=\\(\\(cast\\(a.k as bigint\\) = b.k\\)\\) otherCondition=\\(\\) build RFs:RF0 b.k;RF1 b.k", "PhysicalOlapScan\\[a\\] apply RFs: RF0; RF1")
	check("EXPLAIN GRAPH", "┌─+┐", "HASH JOIN\\]", "OlapScanNode\\]")
	check("EXPLAIN ALL PLAN", "PARSED PLAN", "ANALYZED PLAN", "REWRITTEN PLAN", "OPTIMIZED PLAN", "DISTRIBUTED PLAN")
	check("EXPLAIN REWRITTEN PLAN PROCESS", "pushdown_filter\\|")
	check("EXPLAIN ANALYZE", "actual: rows in=\\d+, out=3, estimated=", "peak memory:", "instances: 2 \\(min/avg/max\\)", "build rows=20", "scan: .*files=1/1", `RF00\d\[\w+\]: READY.*filtered=\d+/20000`)
	check("EXPLAIN FORMAT = JSON", `"name": "HASH JOIN"`, `"estimated_rows"`)
	if _, err := s.Query(context.Background(), "EXPLAIN MEMO PLAN "+explainQuery); err == nil {
		t.Error("EXPLAIN MEMO PLAN did not fail")
	}
}

func TestQueryProfiles(t *testing.T) {
	s := explainSession(t, append(explainTables, "SELECT 1", "SET enable_profile = 1", explainQuery, "INSERT INTO b VALUES (1, 2)")...)
	ctx := context.Background()
	if _, err := s.Exec(ctx, "SELECT (SELECT k FROM b)"); err == nil {
		t.Fatal("a subquery with many rows passes")
	}
	list := s.db.Profiles()
	if len(list) != 3 || list[0].State != "ERR" || list[0].Error == "" || list[1].Type != "LOAD" || list[1].Rows != 1 || list[2].Rows != 3 {
		t.Fatalf("profiles %+v", list)
	}
	p := list[2]
	joins := 0
	for _, o := range p.Operators {
		if o.Name == "HASH JOIN" {
			joins++
			if o.Measured == nil || o.Measured.Rows != 20 || len(o.Inputs) != 2 || o.Measured.PeakBytes == 0 {
				t.Errorf("join %+v", o)
			}
		}
	}
	if joins != 1 || p.PeakBytes == 0 || p.RunTime <= 0 || !json.Valid([]byte(p.JSON())) {
		t.Errorf("profile %+v", p)
	}
	if text := textOf(t, s, "SHOW QUERY PROFILE '/'"); strings.Count(text, "\n") != 3 || !strings.Contains(text, p.ID) {
		t.Errorf("list: %s", text)
	}
	if text := textOf(t, s, "SHOW QUERY PROFILE '/"+p.ID+"'"); !strings.Contains(text, "Task State: OK") || !strings.Contains(text, "build rows=20") {
		t.Errorf("profile: %s", text)
	}
	if text := textOf(t, s, "SHOW QUERY PROFILE '/"+p.ID+"/json'"); !json.Valid([]byte(strings.TrimSuffix(text, "|\n"))) {
		t.Errorf("JSON: %s", text)
	}
	if _, err := s.Query(ctx, "SHOW QUERY PROFILE '/nothing'"); err == nil {
		t.Error("a profile that is not kept is shown")
	}
	if text := textOf(t, s, "SELECT task_type, task_state, return_rows FROM information_schema.query_profiles WHERE profile_id = '"+p.ID+"'"); text != "QUERY|OK|3|\n" {
		t.Errorf("query_profiles: %s", text)
	}
	for _, sql := range []string{"SET max_query_profile_num = 2", "SELECT 1", "SELECT 2", "SELECT 3"} {
		if _, err := s.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if list := s.db.Profiles(); len(list) != 2 || list[0].Statement != "SELECT 3" {
		t.Errorf("%d profiles are kept", len(list))
	}
	if _, err := s.Exec(ctx, "CLEAN ALL PROFILE"); err != nil || len(s.db.Profiles()) != 0 {
		t.Errorf("CLEAN ALL PROFILE: %v, %d are left", err, len(s.db.Profiles()))
	}
}

// The memory of kept profiles is bounded whatever their number may be.
func TestProfilesAreBounded(t *testing.T) {
	var store profileStore
	for range 100 {
		store.add(&QueryProfile{Statement: strings.Repeat("x", 1<<20)}, 1000)
	}
	if n := len(store.all()); n == 0 || n > maxProfileBytes>>20 {
		t.Errorf("%d profiles of a megabyte are kept", n)
	}
}

func TestOptimizerTrace(t *testing.T) {
	s := explainSession(t, append(explainTables, explainQuery)...)
	const look = "SELECT query, trace FROM information_schema.optimizer_trace"
	if text := textOf(t, s, look); text != "" {
		t.Errorf("a trace without asking: %s", text)
	}
	for _, sql := range []string{"SET optimizer_trace = 'enabled=on,one_line=on'", explainQuery} {
		if _, err := s.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // looking does not replace it
		query, trace, _ := strings.Cut(textOf(t, s, look), "|")
		var doc traceDocument
		if err := json.Unmarshal([]byte(strings.TrimSuffix(trace, "|\n")), &doc); err != nil || query != explainQuery {
			t.Fatalf("%v: %s: %s", err, query, trace)
		}
		fired := map[string]bool{}
		for _, st := range doc.Steps {
			fired[st.Pass] = fired[st.Pass] || st.Changed
			if st.NodesBefore == 0 || st.NodesAfter == 0 {
				t.Errorf("step %+v", st)
			}
		}
		if !fired["pushdown_filter"] || fired["distinct_aggregates"] || len(doc.Fired) == 0 {
			t.Errorf("fired %v", fired)
		}
	}
}

func TestOptimizerTraceIsBounded(t *testing.T) {
	s := explainSession(t, append(explainTables, "SET optimizer_trace = 1", "SET optimizer_trace_max_mem_size = 100", explainQuery)...)
	text := textOf(t, s, "SELECT length(trace), missing_bytes_beyond_max_mem_size > 100 FROM information_schema.optimizer_trace")
	if text != "100|1|\n" {
		t.Errorf("got %s", text)
	}
}

func TestFilterSettings(t *testing.T) {
	s := explainSession(t)
	check := func(set, want string) {
		t.Helper()
		_, err := s.Exec(context.Background(), "SET runtime_filter_type = "+set)
		if got := s.Setting("runtime_filter_type"); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s gives %s, %v", set, got, err)
		}
	}
	check("1", "IN")
	check("12", "MIN_MAX,IN_OR_BLOOM_FILTER")
	check("'IN,BLOOM_FILTER'", "IN,BLOOM_FILTER")
	check("'bitmap, min_max'", "MIN_MAX,BITMAP_FILTER")
	check("0", "")
	check("32", "")
	check("'IN,WHAT'", "")
	if _, err := s.Exec(context.Background(), "SET runtime_filter_mode = 'sometimes'"); err == nil {
		t.Error("a mode that does not exist is accepted")
	}
}
