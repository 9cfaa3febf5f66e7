// Package function holds every scalar and aggregate function: what it is called, which
// argument types it takes, what it returns, and the kernel that computes it, in one
// place, so that binder and executor cannot disagree.
//
// The binder calls Resolve (or Cast) with argument types and gets a *Scalar whose
// Params are exact types: it wraps arguments of other types in casts. The evaluator
// calls Scalar.New once a pipeline instance and runs the kernel once a batch. Planner
// constant folding runs the same kernels on one-row vectors.
package function

import (
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// Context is what a function may know of the query that runs it; the same for all
// calls of a statement. Read-only.
type Context struct {
	Now          time.Time // statement start, so that now() is one value
	Location     *time.Location
	User         string
	Database     string
	ConnectionID uint64
	Version      string // what version() shows
	// GroupConcatMaxLen bounds group_concat in bytes; 0 is the default of 1 GiB.
	GroupConcatMaxLen int64
	// Sleep waits as long as the statement runs, without the CPU slot of who calls; its error says that the statement
	// has ended. nil where there is no statement.
	Sleep func(time.Duration) error
}

// Arg is an argument as the binder knows it.
type Arg struct {
	Type sqltype.Type
	// Const is the value when the argument is a constant, else nil. Overloads whose
	// result type depends on a value (round(x, 2), cast targets) read it.
	Const *vector.Value
}

// Kernel computes rows of out from args.
//
// args are flat or constant vectors of out.Len rows, of exactly the overload's Params
// types; all-constant calls arrive with out.Len 1. sel lists the rows to compute (nil:
// all); other rows of out are left alone and may hold anything defined. out is flat,
// Reset to its length. For functions with Nulls == Propagate, out.Valid is already the
// AND of the arguments' validity, and the kernel may compute over null rows (their
// values are defined) or skip them; it may clear more bits through out.SetNull. For
// NullAware functions the kernel sets out.Valid itself.
//
// A Kernel value belongs to one driver: it may keep scratch memory between calls. Errors
// are *sqlerr.Error.
type Kernel func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error

// Selector is the filter form of a predicate: it appends to dst the rows of sel (nil:
// all n rows) for which the predicate is true (neither false nor NULL), ascending, and
// returns it. dst has room for every row and may be sel's own memory.
type Selector func(ctx *Context, args []*vector.Vector, n int, sel, dst []int32) ([]int32, error)

// NullMode tells who handles NULL arguments.
type NullMode uint8

// Null modes.
const (
	Propagate NullMode = iota // any NULL argument gives NULL
	NullAware                 // the kernel decides
)

// Stability tells when a call may be computed once.
type Stability uint8

// Stabilities.
const (
	Immutable Stability = iota // same arguments, same result: may be folded and run on dictionary entries
	Stable                     // same within a statement (now(), database())
	Volatile                   // every row anew (rand(), uuid(), sleep())
)

// LambdaMode is how a higher-order function applies its lambda.
type LambdaMode uint8

// Lambda modes.
const (
	NoLambda        LambdaMode = iota
	EachElement                // to the elements of the other arguments, side by side
	CompareElements            // to two elements of the other argument, to sort it: the result's sign is their order
)

// Scalar is one resolved overload of a scalar function. Values are shared and immutable.
type Scalar struct {
	Name      string // lower case; operators are named as in SQL: "+", "=", "and", "not", "like", "cast"
	Params    []sqltype.Type
	Result    sqltype.Type
	Nulls     NullMode
	Stability Stability
	// Fails marks kernels that can return an error for some values: such calls must not
	// run on rows or dictionary entries that the query did not ask for.
	Fails bool
	// YieldsNull marks functions that may give NULL for arguments that are not (x/0, bad casts).
	YieldsNull bool
	// Lambda tells what a higher-order function does with its first argument, a lambda; see ResolveHigher.
	Lambda LambdaMode
	// New makes the kernel of one driver. consts has an entry an argument, nil where it is
	// not constant: patterns and formats are compiled here. An error is the user's.
	New func(consts []*vector.Value) (Kernel, error)
	// NewNarrow makes the 64-bit form of a call whose result is a wide DECIMAL; else nil.
	NewNarrow func() NarrowKernel
	// NewSelector is the filter form for predicates that have one; else nil.
	NewSelector func(consts []*vector.Value) (Selector, error)
}

// Accumulator holds the states of one aggregate for many groups, on one driver.
//
// Groups are numbered from 0. Update adds rows: groups[k] is the group of the k-th live
// row, which is row sel[k] of args (k itself when sel is nil); args are flat or constant,
// nulls included (the accumulator skips them as its function demands). Merge folds the
// states of another accumulator of the same function into this one: state from+k of
// other goes to groups[k]; other is not used afterwards for those groups. Finish writes
// the results of groups [lo, lo+out.Len) to the flat vector out.
type Accumulator interface {
	// Grow makes room for groups [0, n); new states are empty.
	Grow(n int)
	Update(groups []uint32, args []*vector.Vector, sel []int32) error
	Merge(groups []uint32, other Accumulator, from int) error
	Finish(lo int, out *vector.Vector) error
	// Bytes is the memory held, for the budget; it may be an estimate from above.
	Bytes() int64
}

// SingleGroup is implemented by accumulators with a faster loop for rows that all
// belong to one group (aggregates without GROUP BY, runs of equal keys).
type SingleGroup interface {
	// UpdateOne adds the n live rows: those of sel, or [0, n) when sel is nil.
	UpdateOne(group uint32, args []*vector.Vector, sel []int32, n int) error
}

// ScatteredMerge is implemented by accumulators that fold states at any positions of
// another one faster than by Merge one by one: state rows[k] of other goes to groups[k].
// Different goroutines may call it, and Merge, at the same time with the same other and
// disjoint rows, each into an accumulator of its own: other is only read.
type ScatteredMerge interface {
	MergeRows(groups []uint32, other Accumulator, rows []uint32) error
}

// MergesCopies is implemented by accumulators whose Merge leaves the states of the other one as they are, so that these can be merged
// any number of times.
type MergesCopies interface{ MergesCopies() }

// Releasing is implemented by accumulators whose memory others can use again. Release ends the accumulator and those that it
// was merged into; what Finish wrote stays. An accumulator that is never released is collected as any value.
type Releasing interface{ Release() }

// Aggregate is one resolved overload of an aggregate function.
type Aggregate struct {
	Name   string
	Params []sqltype.Type // empty for count(*)
	Result sqltype.Type
	// NullOnEmpty: no (non-null) input gives NULL; false for count.
	NullOnEmpty bool
	// IgnoresDistinct: DISTINCT changes nothing (min, max, any_value).
	IgnoresDistinct bool
	// Narrow: Update and UpdateOne take a wide DECIMAL argument as a narrow vector, too (see NarrowType).
	Narrow bool
	// NewAccumulator makes an empty accumulator. consts as in Scalar.New.
	NewAccumulator func(ctx *Context, consts []*vector.Value) (Accumulator, error)
}
