package explain

import "github.com/basaltdb/basalt/planner/physical"

// materializations says, in Doris's words, what became of the rollups and materialised views of the tables that
// are read: one scan after the other.
func (t *text) materializations() {
	var chosen, unchosen, failed []string
	seen := map[physical.NodeID]bool{}
	var visit func(n physical.Node)
	visit = func(n physical.Node) {
		if s, ok := n.(*physical.Scan); ok && !seen[s.ID] {
			seen[s.ID] = true
			for _, u := range s.Indexes {
				name := s.Table + "." + u.Name
				switch {
				case u.Chosen:
					chosen = append(chosen, name)
				case u.Reason == "":
					unchosen = append(unchosen, name)
				default:
					failed = append(failed, name+": "+u.Reason)
				}
			}
		}
		for _, c := range n.Children() {
			visit(c)
		}
	}
	visit(t.plan.Root)
	for _, c := range t.plan.CTEs {
		visit(c.Plan)
	}
	if len(chosen)+len(unchosen)+len(failed) == 0 {
		return
	}
	t.line("")
	t.line("========== MATERIALIZATIONS ==========")
	for _, part := range []struct {
		title string
		list  []string
	}{{"MaterializedViewRewriteSuccessAndChose:", chosen}, {"MaterializedViewRewriteSuccessButNotChose:", unchosen}, {"MaterializedViewRewriteFail:", failed}} {
		t.line(part.title)
		for _, l := range part.list {
			t.line("  " + l)
		}
	}
}
