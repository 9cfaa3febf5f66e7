// Package executor runs physical plans: fragments as parallel instances over morsels,
// as push pipelines of source, transforms and sink. Operators see a plan node, the
// query's Runtime and batches; nothing here knows a session, a catalog or SQL text.
package executor

import (
	"context"

	"github.com/basaltdb/basalt/internal/vector"
)

// Flow is what a driver does after a Transform or Sink took a batch.
type Flow uint8

// Flows. There is no "blocked": a driver is a goroutine and gives its CPU slot back
// around waits.
const (
	NeedInput Flow = iota // done with the batch; send the next
	HasMore               // call again with the same input for more output
	Finished              // no further input can change the result: the pipeline ends early
)

// Source is where a pipeline's rows come from. One Source serves all drivers of the
// pipeline: Open makes each driver's reader.
type Source interface {
	// Open is called once a driver, concurrently.
	Open(ctx context.Context, d *Driver) (SourceReader, error)
}

// SourceReader yields batches to one driver.
type SourceReader interface {
	// Next returns a batch that is valid until the next Next or Close, or nil at the end
	// (and again nil after that). It claims work from the shared Source.
	Next(ctx context.Context) (*vector.Batch, error)
	Close()
}

// Transform turns one input batch into zero or more output batches.
//
// Apply reads in, which stays the caller's and is valid only during the call. The
// returned batch is valid until the next Apply by the same driver and may share memory
// with in; nil means no rows this time. Each driver has its own Transform, so Apply needs
// no locks. It returns within about one batch of work, so that cancellation is prompt.
type Transform interface {
	Apply(ctx context.Context, in *vector.Batch) (out *vector.Batch, f Flow, err error)
}

// Flusher is a Transform that may hold back rows until its input ended: the driver
// calls Flush repeatedly until it returns nil.
type Flusher interface {
	Flush(ctx context.Context) (*vector.Batch, error)
}

// Sink takes a pipeline's rows.
//
// Open makes the part of one driver; Consume of different drivers run concurrently, each
// on its own SinkWriter. Finalize runs once, alone, after every writer was closed
// without error; operators that continue in parallel (merging partitions) do so inside it
// or as the Source of the next pipeline.
type Sink interface {
	Open(ctx context.Context, d *Driver) (SinkWriter, error)
	Finalize(ctx context.Context) error
	// Abort frees what the sink holds when the query ends; called once, always, last.
	Abort()
}

// SinkWriter is one driver's part of a Sink. b is valid during the call only.
type SinkWriter interface {
	Consume(ctx context.Context, b *vector.Batch) (Flow, error)
	Close(ctx context.Context) error
}
