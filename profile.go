package basalt

import (
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/planner/explain"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// analyzed is the plan with what each operator did.
func analyzed(plan *fragment.Plan, profile *executor.Profile) string {
	estimates := map[physical.NodeID]float64{}
	explain.Walk(plan, func(n physical.Node) { estimates[n.Base().ID] = n.Base().Rows })
	return explain.Analyze(plan, func(id physical.NodeID) string {
		s, ok := profile.Stats(id)
		if !ok {
			return ""
		}
		return s.Text(estimates[id])
	})
}
