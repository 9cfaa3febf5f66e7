// Package runner times the queries of a workload on Basalt and on a peer, taking turns in one
// run, and checks that both give the same rows.
//
// Basalt is measured as its users meet it: a server process and the MySQL protocol, with
// tables of its own or over Parquet folders. The peer reads the same files in a process of its own.
// Absolute times on shared machines mean little; the ratios of one run are the result.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/basaltdb/basalt/bench/result"
)

// Engine runs statements. Run returns the rows and the time from sending the statement
// to having read its last row. It is used from one goroutine.
type Engine interface {
	Name() string
	Version() string
	Run(ctx context.Context, query, sql string) (result.Set, time.Duration, error)
	// PeakMemory is the largest resident size of the engine's process in bytes, or 0
	// when it is not known.
	PeakMemory() int64
	Close() error
}

// Query is one query of a workload.
type Query struct {
	Name string
	SQL  string
	// PeerSQL is what the last engine runs in its place; "" for the same text.
	PeerSQL string
	Rules   result.Rules
	// Check, when set, compares the rows with a published answer.
	Check func(result.Set) error
	// Wanted is the time that the first engine should not exceed; 0: none is stated.
	Wanted time.Duration
}

// Plan says what to run.
type Plan struct {
	Queries []Query
	Runs    int           // measured runs of each query and engine; one more warms up
	Timeout time.Duration // of one run; 0 means none
	Log     io.Writer     // one line a query; may be nil
	// Turn is how long an engine's turn lasts at least: a query that takes less is repeated, and its last run is measured.
	// The other engine's turn leaves nothing of this one in the processor's caches, which is most of a millisecond's time.
	Turn time.Duration
}

// Measurement is what one engine did with one query.
type Measurement struct {
	Times []time.Duration // one a run, in order; empty after an error
	Rows  int
	Err   error // the engine's, or the difference to the first engine's rows
}

// Median is the middle of the times, or 0 when there are none.
func (m Measurement) Median() time.Duration {
	if len(m.Times) == 0 {
		return 0
	}
	t := slices.Sorted(slices.Values(m.Times))
	mid := len(t) / 2
	if len(t)%2 == 0 {
		return (t[mid-1] + t[mid]) / 2
	}
	return t[mid]
}

// QueryReport holds one query's measurements, in the order of the engines.
type QueryReport struct {
	Query   string
	Wanted  time.Duration
	Engines []Measurement
}

// EngineReport describes one engine of a run.
type EngineReport struct {
	Name, Version string
	PeakMemory    int64
}

// Report is the outcome of a run.
type Report struct {
	Engines []EngineReport
	Queries []QueryReport
	Answers map[string]result.Set // the last engine's rows, the peer's in a comparison
}

// Run measures every query of the plan on all engines. It fails only when the plan
// cannot be carried out; what goes wrong with a query is in the report.
func Run(ctx context.Context, p Plan, engines ...Engine) (*Report, error) {
	if len(engines) == 0 || p.Runs < 1 {
		return nil, errors.New("runner: nothing to run")
	}
	r := &Report{Answers: map[string]result.Set{}}
	for i := range p.Queries {
		n := &p.Queries[i]
		q := QueryReport{Query: n.Name, Wanted: n.Wanted, Engines: make([]Measurement, len(engines))}
		sets := make([]result.Set, len(engines))
		for run := 0; run <= p.Runs; run++ {
			for turn := range engines {
				e := (turn + run) % len(engines) // who goes first changes from run to run
				m := &q.Engines[e]
				if m.Err != nil {
					continue
				}
				set, took, err := runOnce(ctx, p.Timeout, engines[e], n, e > 0 && e == len(engines)-1)
				if ctx.Err() != nil {
					return nil, fmt.Errorf("runner: %w", ctx.Err())
				}
				for spent := took; err == nil && spent < p.Turn; spent += took {
					set, took, err = runOnce(ctx, p.Timeout, engines[e], n, e > 0 && e == len(engines)-1)
				}
				if err != nil {
					*m = Measurement{Err: err}
					continue
				}
				sets[e], m.Rows = set, len(set.Rows)
				if run > 0 {
					m.Times = append(m.Times, took)
				}
			}
			compareAll(n.Rules, q.Engines, sets)
		}
		if n.Check != nil {
			checkPublished(n, q.Engines, sets)
		}
		if last := len(engines) - 1; q.Engines[last].Err == nil {
			r.Answers[n.Name] = sets[last]
		}
		r.Queries = append(r.Queries, q)
		logQuery(p.Log, engines, q)
	}
	for _, e := range engines {
		r.Engines = append(r.Engines, EngineReport{e.Name(), e.Version(), e.PeakMemory()})
	}
	return r, nil
}

func runOnce(ctx context.Context, timeout time.Duration, e Engine, q *Query, peer bool) (result.Set, time.Duration, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if peer && q.PeerSQL != "" {
		return e.Run(ctx, q.Name, q.PeerSQL)
	}
	return e.Run(ctx, q.Name, q.SQL)
}

// compareAll checks the rows of each engine against the last one's, the peer's. The
// times of a wrong answer count for nothing and are dropped.
func compareAll(rules result.Rules, m []Measurement, sets []result.Set) {
	last := len(m) - 1
	if m[last].Err != nil {
		return
	}
	for e := range last {
		if m[e].Err != nil {
			continue
		}
		if err := result.Compare(sets[e], sets[last], rules); err != nil {
			m[e] = Measurement{Err: fmt.Errorf("wrong rows: %w", err)}
		}
	}
}

func checkPublished(q *Query, m []Measurement, sets []result.Set) {
	for e := range m {
		if m[e].Err != nil {
			continue
		}
		if err := q.Check(sets[e]); err != nil {
			m[e] = Measurement{Err: fmt.Errorf("not the published answer: %w", err)}
		}
	}
}

func logQuery(w io.Writer, engines []Engine, q QueryReport) {
	if w == nil {
		return
	}
	fmt.Fprint(w, q.Query)
	for e, m := range q.Engines {
		if m.Err != nil {
			fmt.Fprintf(w, "  %s: %v", engines[e].Name(), m.Err)
			continue
		}
		fmt.Fprintf(w, "  %s %9.1f ms", engines[e].Name(), millis(m.Median()))
	}
	if f := q.Ratio(); f > 0 {
		fmt.Fprintf(w, "  %5.2f", f)
	}
	if q.Wanted > 0 {
		fmt.Fprintf(w, "  wanted %.0f ms", millis(q.Wanted))
	}
	fmt.Fprintln(w)
}

// Ratio is the first engine's median over the last one's, or 0 when one is missing.
func (q QueryReport) Ratio() float64 {
	a, b := q.Engines[0].Median(), q.Engines[len(q.Engines)-1].Median()
	if len(q.Engines) < 2 || a == 0 || b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// GeometricMean is that of the ratios of the queries that have one, and their number.
func (r *Report) GeometricMean() (mean float64, queries int) {
	var sum float64
	for _, q := range r.Queries {
		if f := q.Ratio(); f > 0 {
			sum += math.Log(f)
			queries++
		}
	}
	if queries == 0 {
		return 0, 0
	}
	return math.Exp(sum / float64(queries)), queries
}

// Err is nil when every engine answered every query with the same rows.
func (r *Report) Err() error {
	var errs []error
	for _, q := range r.Queries {
		for e, m := range q.Engines {
			if m.Err != nil {
				errs = append(errs, fmt.Errorf("%s on %s: %w", q.Query, r.Engines[e].Name, m.Err))
			}
		}
	}
	return errors.Join(errs...)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
