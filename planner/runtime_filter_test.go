package planner_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/lower"
	"github.com/basaltdb/basalt/planner/physical"
)

// filtersOf lists the filters that scans get, as "table.ordinal:kind", in the order of the scans.
func filtersOf(t *testing.T, sql string, opts lower.FilterOptions) string {
	t.Helper()
	b, err := bound(sql)
	if err != nil {
		t.Fatal(err)
	}
	opts.KeepAll = true
	p, err := planner.Plan(b, planner.Options{
		Instances: 2, Verify: true, Functions: &function.Context{}, Filters: opts,
		DisabledPasses: map[string]bool{"join_order": true, "infer_predicates": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	eachNode(p, func(n physical.Node) {
		if s, ok := n.(*physical.Scan); ok {
			for _, f := range s.RuntimeFilters {
				out = append(out, fmt.Sprintf("%s.%s:%s", s.Alias, s.Source.Columns()[f.Column].Name, f.Kind))
			}
		}
	})
	return strings.Join(out, " ")
}

// Which scans a filter reaches, by the kind of join, what lies between and what the session wants.
func TestRuntimeFilterTargets(t *testing.T) {
	bloom := lower.FilterOptions{Kinds: physical.FilterBloom}
	check := func(sql string, opts lower.FilterOptions, want string) {
		t.Helper()
		if got := filtersOf(t, sql, opts); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", sql, got, want)
		}
	}
	join := func(kind string) string {
		return "SELECT u.b FROM u " + kind + " JOIN [broadcast] t ON u.a = t.a"
	}
	check(join(""), bloom, "u.a:bloom")
	check(join(""), lower.FilterOptions{}, "u.a:min_max u.a:in_or_bloom")
	check(join(""), lower.FilterOptions{Kinds: physical.FilterIn | physical.FilterBitmap}, "u.a:in u.a:bitmap")
	check(join(""), lower.FilterOptions{Kinds: physical.FilterBloom, Mode: lower.LocalFilters}, "u.a:bloom")
	check(join(""), lower.FilterOptions{Kinds: physical.FilterBloom, Mode: lower.RemoteFilters}, "")
	shuffle := strings.Replace(join(""), "broadcast", "shuffle", 1)
	check(shuffle, lower.FilterOptions{Kinds: physical.FilterBloom, Mode: lower.LocalFilters}, "")
	check(shuffle, lower.FilterOptions{Kinds: physical.FilterBloom, Mode: lower.RemoteFilters}, "u.a:bloom")
	check(join("LEFT"), bloom, "")
	check(strings.Replace(join("FULL"), "broadcast", "shuffle", 1), bloom, "")
	check("SELECT u.b FROM u LEFT SEMI JOIN t ON u.a = t.a", bloom, "u.a:bloom")
	check("SELECT u.b FROM u LEFT ANTI JOIN t ON u.a = t.a", bloom, "")
	check("SELECT b FROM u WHERE a NOT IN (SELECT a FROM t)", bloom, "")
	check("SELECT x.n FROM (SELECT a, count(*) n FROM u GROUP BY a) x JOIN [broadcast] t ON x.a = t.a", bloom, "u.a:bloom")
	check("SELECT x.n FROM (SELECT a, count(*) n FROM u GROUP BY a) x JOIN [broadcast] t ON x.n = t.a", bloom, "")
	check("SELECT x.a FROM (SELECT a FROM u LIMIT 9) x JOIN [broadcast] t ON x.a = t.a", bloom, "")
	check("SELECT x.a FROM (SELECT a FROM u UNION ALL SELECT b FROM u) x JOIN [broadcast] t ON x.a = t.a", bloom, "u.a:bloom u.b:bloom")
	check("SELECT a FROM t INTERSECT SELECT a FROM u", bloom, "u.a:in")
	check("SELECT a FROM u ORDER BY a LIMIT 3", bloom, "u.a:topn")
	check("SELECT a FROM u ORDER BY a LIMIT 3", lower.FilterOptions{NoTopN: true}, "")
	check("SELECT a, count(*) FROM u GROUP BY a ORDER BY a LIMIT 3", bloom, "")
	check(join(""), lower.FilterOptions{Kinds: physical.FilterBloom, Max: 1}, "u.a:bloom")
	check("SELECT u.b FROM u JOIN [broadcast] t ON u.a = t.a AND u.b = t.b", lower.FilterOptions{Kinds: physical.FilterBloom, Max: 1}, "u.a:bloom")
}
