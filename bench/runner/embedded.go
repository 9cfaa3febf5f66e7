package runner

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/internal/vector"
)

// Embedded is Basalt in this process: what a statement takes without the protocol, a client
// and their shares of the cores. Several may use one session in turns.
type Embedded struct {
	Session *basalt.Session
	Label   string
	Before  []string // statements before each query, not timed
}

// Name is the label.
func (e *Embedded) Name() string { return e.Label }

// Version is this library's.
func (e *Embedded) Version() string { return basalt.Version }

// PeakMemory is this process's largest resident size.
func (e *Embedded) PeakMemory() int64 { return peakMemory(os.Getpid()) }

// Close leaves the session to its owner.
func (e *Embedded) Close() error { return nil }

// Run implements Engine. Values become text when the clock has stopped.
func (e *Embedded) Run(ctx context.Context, _, sql string) (result.Set, time.Duration, error) {
	for _, text := range e.Before {
		if _, err := e.Session.Exec(ctx, text); err != nil {
			return result.Set{}, 0, fmt.Errorf("%s: %w", text, err)
		}
	}
	start := time.Now()
	rows, err := e.Session.Query(ctx, sql)
	if err != nil {
		return result.Set{}, 0, err
	}
	defer rows.Close()
	var batches [][]*vector.Vector
	for {
		b, err := rows.NextBatch(ctx)
		if err != nil {
			return result.Set{}, 0, err
		}
		if b == nil {
			break
		}
		cols := make([]*vector.Vector, len(b.Cols))
		for i, v := range b.Cols {
			if b.Sel == nil {
				v = v.Slice(0, b.Len)
			}
			cols[i] = vector.CopyOf(v, b.Sel)
		}
		batches = append(batches, cols)
	}
	took := time.Since(start)
	var set result.Set
	for _, c := range rows.Columns() {
		set.Columns = append(set.Columns, c.Name)
	}
	for _, cols := range batches {
		for r := range cols[0].Len {
			row := make([]result.Value, len(cols))
			for i, v := range cols {
				if row[i].Null = v.IsNull(r); !row[i].Null {
					row[i].Text = string(vector.AppendText(nil, v, r))
				}
			}
			set.Rows = append(set.Rows, row)
		}
	}
	return set, took, nil
}
