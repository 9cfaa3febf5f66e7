package runner

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/basaltdb/basalt/bench/result"
)

// Crowd is people who look at one dashboard at the same time: each has a session and asks all queries, one after the other.
type Crowd struct {
	People  int
	Rounds  int      // dashboards that each person loads, without a pause
	Setup   []string // statements of a new session
	Queries []Query
	Want    map[string]result.Set // the right rows, by query
}

// CrowdReport has ascending times: of whole dashboards, and of single queries.
type CrowdReport struct{ Pages, Queries []time.Duration }

// Percentile is the time that p percent of ascending times do not exceed: the nearest rank, 0 of none.
func Percentile(ascending []time.Duration, p int) time.Duration {
	if len(ascending) == 0 {
		return 0
	}
	rank := (p*len(ascending) + 99) / 100
	return ascending[max(rank, 1)-1]
}

// visit is one person's dashboard.
type visit struct {
	took    time.Duration
	answers []result.Set
	times   []time.Duration
}

// Run lets the crowd in at once. The rows are compared when all have theirs.
func (c Crowd) Run(ctx context.Context, s *Server) (*CrowdReport, error) {
	conns := make([]*sql.Conn, 0, c.People)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for range c.People {
		conn, err := s.session(ctx, c.Setup)
		if err != nil {
			return nil, fmt.Errorf("runner: session %d: %w", len(conns)+1, err)
		}
		conns = append(conns, conn)
	}
	if _, err := c.visit(ctx, s, conns[0]); err != nil { // warms up
		return nil, err
	}
	visits := make([][]visit, len(conns))
	errs := make([]error, len(conns))
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() {
			for range c.Rounds {
				v, err := c.visit(ctx, s, conn)
				if err != nil {
					errs[i] = fmt.Errorf("person %d: %w", i+1, err)
					return
				}
				visits[i] = append(visits[i], v)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := &CrowdReport{}
	for i := range visits {
		for _, v := range visits[i] {
			out.Pages, out.Queries = append(out.Pages, v.took), append(out.Queries, v.times...)
			if err := c.check(v); err != nil {
				return nil, fmt.Errorf("person %d: %w", i+1, err)
			}
		}
	}
	slices.Sort(out.Pages)
	slices.Sort(out.Queries)
	return out, nil
}

func (c Crowd) visit(ctx context.Context, s *Server, conn *sql.Conn) (v visit, err error) {
	start := time.Now()
	for _, q := range c.Queries {
		set, took, err := s.runOn(ctx, conn, q.SQL)
		if err != nil {
			return v, fmt.Errorf("%s: %w", q.Name, err)
		}
		v.answers, v.times = append(v.answers, set), append(v.times, took)
	}
	v.took = time.Since(start)
	return v, nil
}

func (c Crowd) check(v visit) error {
	for i, q := range c.Queries {
		want, ok := c.Want[q.Name]
		if !ok {
			return fmt.Errorf("%s: there are no rows to compare with", q.Name)
		}
		if err := result.Compare(v.answers[i], want, q.Rules); err != nil {
			return fmt.Errorf("%s: wrong rows: %w", q.Name, err)
		}
	}
	return nil
}
