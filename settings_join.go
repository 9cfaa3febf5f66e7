package basalt

import (
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner"
)

// fraction checks a number that is not negative.
func fraction(text string) string {
	if f, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil || !(f >= 0) {
		return ""
	}
	return strings.TrimSpace(text)
}

func joinMethod(text string) string {
	if text = strings.ToLower(strings.TrimSpace(text)); text == "broadcast" || text == "shuffle" {
		return text
	}
	return ""
}

func (s *settings) float(name string) float64 {
	f, _ := strconv.ParseFloat(s.values[name], 64)
	return f
}

// distribution fills in how joins may bring rows together.
func (s *settings) distribution(o planner.Options) planner.Options {
	o.BroadcastRowLimit = float64(s.int("broadcast_row_count_limit"))
	o.PreferShuffle = strings.EqualFold(s.values["prefer_join_method"], "shuffle")
	o.NoColocate = s.bool("disable_colocate_plan")
	o.NoBucketShuffle = !s.bool("enable_bucket_shuffle_join")
	o.BucketShuffleRatio = s.float("bucket_shuffle_downgrade_ratio")
	o.BroadcastBytes = s.float("broadcast_hashtable_mem_limit_percentage") * float64(s.int("exec_mem_limit"))
	o.BucketRunRows = float64(s.int("bucket_run_min_rows"))
	o.MaxPruningProduct = int(s.int("max_distribution_pruner_recursion_depth"))
	return o
}

// disabledPasses are the optimizer passes that the session switched off.
func (s *settings) disabledPasses() map[string]bool {
	off := splitList(s.values["optimizer_disable"])
	if !s.bool("enable_infer_predicate") {
		off["infer_predicates"] = true
	}
	if !s.bool("enable_materialized_view_rewrite") {
		off["route_rollups"] = true
	}
	return off
}

// hinted are s with the SET_VAR hints of a statement: nil when it has none. Unknown
// variables are passed over, as MySQL does.
func (s *settings) hinted(st ast.Statement) (*settings, error) {
	var out *settings
	for _, h := range hintsOf(st) {
		if h.Name != "SET_VAR" {
			continue
		}
		if out == nil {
			out = s.clone()
		}
		for _, part := range strings.Split(h.Args, ",") {
			name, value, _ := strings.Cut(part, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			value = strings.Trim(strings.TrimSpace(value), "'\"")
			if settingIndex[name] == nil {
				continue
			}
			v := vector.StringValue(sqltype.T(sqltype.String), value)
			if err := out.set(name, &v); err != nil {
				return nil, sqlerr.From(err).At(h.Position())
			}
		}
	}
	return out, nil
}

// hintsOf are the hints of a statement's first query block.
func hintsOf(st ast.Statement) []ast.Hint {
	switch st := st.(type) {
	case *ast.Select:
		return st.Hints
	case *ast.With:
		return hintsOf(st.Body)
	case *ast.SetOp:
		return hintsOf(st.Left)
	case *ast.Explain:
		return hintsOf(st.Statement)
	case *ast.Insert:
		return hintsOf(st.Query)
	case *ast.CreateTable:
		return hintsOf(st.Query)
	}
	return nil
}
