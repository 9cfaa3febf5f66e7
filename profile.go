package basalt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/planner/explain"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/physical"
)

// QueryProfile is what is kept of a statement that ran with enable_profile: how it was
// planned and what each operator did. Immutable.
type QueryProfile struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`  // QUERY, LOAD or EXPLAIN
	State     string            `json:"state"` // OK or ERR
	Error     string            `json:"error,omitempty"`
	User      string            `json:"user"`
	Host      string            `json:"host,omitempty"`
	Database  string            `json:"database"`
	Statement string            `json:"statement"`
	Start     time.Time         `json:"start"`
	End       time.Time         `json:"end"`
	PlanTime  time.Duration     `json:"plan_ns"` // parsing excluded
	RunTime   time.Duration     `json:"run_ns"`
	Rows      int64             `json:"rows"`
	PeakBytes int64             `json:"peak_memory_bytes"`
	Instances int               `json:"instances"`
	Operators []OperatorProfile `json:"operators"`
	Text      string            `json:"text"` // the plan with what was measured, as EXPLAIN ANALYZE prints it
}

// OperatorProfile is one node of the plan.
type OperatorProfile struct {
	ID        int      `json:"id"`
	Fragment  int      `json:"fragment"`
	Inputs    []int    `json:"inputs,omitempty"`
	Name      string   `json:"name"`
	Details   []string `json:"details,omitempty"`
	Estimated float64  `json:"estimated_rows"`
	// Measured is nil for a node that ran as a part of another one.
	Measured *executor.OperatorStats `json:"measured,omitempty"`
}

// headline sums up the run in one line.
func (p *QueryProfile) headline() string {
	return fmt.Sprintf("%d rows in %s, planned in %s, peak memory %.1f MB, instances: %d", p.Rows, p.RunTime.Round(10*time.Microsecond),
		p.PlanTime.Round(10*time.Microsecond), float64(p.PeakBytes)/(1<<20), p.Instances)
}

// profiledRun is a running statement; profile is nil when nobody looks at it.
type profiledRun struct {
	x       *execution
	plan    *fragment.Plan
	rt      *executor.Runtime
	result  *executor.Result
	profile *executor.Profile
	start   time.Time
	keep    bool // among the last profiles
	kind    string
}

// start runs a plan, profiled when the session asks for it.
func (x *execution) start(ctx context.Context, plan *fragment.Plan, kind string, rt *executor.Runtime) (*profiledRun, error) {
	keep := x.s.settings.bool("enable_profile") || x.s.settings.bool("is_report_success")
	r := &profiledRun{x: x, plan: plan, rt: rt, start: time.Now(), keep: keep, kind: kind}
	if keep || kind == explainRun {
		r.profile = &executor.Profile{}
		rt.Profile = r.profile
	}
	var err error
	if r.result, err = x.launch(ctx, plan, rt); err != nil {
		r.end(0, err)
		return nil, err
	}
	return r, nil
}

// explainRun is the kind of an EXPLAIN ANALYZE.
const explainRun = "EXPLAIN"

// end makes the profile of a run that has ended; nil for one that is not profiled or was
// ended before. Call it when the result is closed: operators count until then.
func (r *profiledRun) end(rows int64, failure error) *QueryProfile {
	if r.profile == nil {
		return nil
	}
	x := r.x
	p := &QueryProfile{
		ID: newQueryID(), Type: r.kind, State: "OK", User: x.s.user, Host: x.s.host, Database: x.s.Database(), Statement: x.st.parsed.Text,
		Start: x.fc.Now, End: time.Now(), PlanTime: r.start.Sub(x.fc.Now), Rows: rows, PeakBytes: r.rt.Budget.Peak(), Instances: r.rt.Instances,
	}
	p.RunTime = p.End.Sub(r.start)
	if failure != nil {
		p.State, p.Error = "ERR", failure.Error()
	}
	p.Text = analyzed(r.plan, r.profile)
	p.Operators = operatorsOf(r.plan, r.profile)
	r.profile = nil
	if r.keep {
		x.s.db.profiles.add(p, int(x.s.settings.int("max_query_profile_num")))
	}
	return p
}

// newQueryID is an id in the form of Doris's.
func newQueryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:8]) + "-" + hex.EncodeToString(b[8:])
}

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

// operatorsOf lists the nodes of a plan, inputs first.
func operatorsOf(plan *fragment.Plan, profile *executor.Profile) []OperatorProfile {
	fragments := map[physical.NodeID]int{}
	for _, f := range plan.Fragments {
		var mark func(n physical.Node)
		mark = func(n physical.Node) {
			fragments[n.Base().ID] = f.ID
			if _, ok := n.(*physical.Exchange); ok && n != f.Root {
				return
			}
			for _, c := range n.Children() {
				mark(c)
			}
		}
		mark(f.Root)
	}
	var out []OperatorProfile
	explain.Walk(plan, func(n physical.Node) {
		info := n.Base()
		o := OperatorProfile{ID: int(info.ID), Fragment: fragments[info.ID], Estimated: info.Rows}
		o.Name, o.Details = explain.Describe(n)
		for _, c := range n.Children() {
			o.Inputs = append(o.Inputs, int(c.Base().ID))
		}
		if s, ok := profile.Stats(info.ID); ok {
			o.Measured = &s
		}
		out = append(out, o)
	})
	return out
}
