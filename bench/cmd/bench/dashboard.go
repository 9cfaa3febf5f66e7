package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/basaltdb/basalt/bench/delivery"
	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/runner"
)

// rounds is how many dashboards each person loads.
const rounds = 3

// dashboard is d10: the twelve questions by everybody at once, in sessions with the setup of the measured one; and it asks all
// queries once more without routing to rollups and views, which must give the same rows. The dashboard needs all its questions
// among the queries.
func dashboard(ctx context.Context, s *runner.Server, queries []runner.Query, setup []string, answers map[string]result.Set) (notes []string, err error) {
	unrouted := runner.Variant{Server: s, Before: []string{"SET enable_materialized_view_rewrite = 0"}}
	var asked []runner.Query
	for _, q := range queries {
		set, _, err := unrouted.Run(ctx, q.Name, q.SQL)
		if err == nil {
			err = result.Compare(set, answers[q.Name], q.Rules)
		}
		if err != nil {
			return nil, fmt.Errorf("%s without routing: %w", q.Name, err)
		}
		if strings.HasPrefix(q.Name, "d10-") {
			asked = append(asked, q)
		}
	}
	if _, _, err := s.Run(ctx, "", "SET enable_materialized_view_rewrite = 1"); err != nil {
		return nil, err
	}
	notes = append(notes, fmt.Sprintf("The %d queries give the same rows without routing to rollups and views.", len(queries)))
	if len(asked) < len(delivery.Dashboard()) {
		return notes, nil
	}
	crowd := runner.Crowd{People: delivery.People, Rounds: rounds, Setup: setup, Queries: asked, Want: answers}
	r, err := crowd.Run(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("d10: %w", err)
	}
	ms := func(d time.Duration) int64 { return d.Milliseconds() }
	notes = append(notes, fmt.Sprintf("d10, %d people at once, %d dashboards of %d queries each: a dashboard takes %d ms in the median, %d ms at the 95th percentile (wanted %d); a query %d and %d ms. All %d answers equal DuckDB's.",
		delivery.People, rounds, len(asked), ms(runner.Percentile(r.Pages, 50)), ms(runner.Percentile(r.Pages, 95)), ms(delivery.DashboardWanted),
		ms(runner.Percentile(r.Queries, 50)), ms(runner.Percentile(r.Queries, 95)), len(r.Queries)))
	if p95 := runner.Percentile(r.Pages, 95); p95 > delivery.DashboardWanted {
		fmt.Printf("d10 misses its time: %v\n", p95)
	}
	return notes, nil
}
