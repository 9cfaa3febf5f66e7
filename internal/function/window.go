package function

import (
	"maps"
	"slices"
	"sync"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// WindowKind tells what a window function computes.
type WindowKind uint8

// Window kinds. Those before FirstValue look at the partition, whatever the frame is.
const (
	RowNumber WindowKind = iota
	Rank
	DenseRank
	PercentRank
	CumeDist
	Ntile // of Args[0], a constant
	Lag   // of Args[0], Args[1] rows before, a constant; Args[2] where there is none
	Lead
	FirstValue
	LastValue
	NthValue        // Args[1], a constant
	WindowAggregate // Aggregate over the frame
)

// UsesFrame reports functions of the rows of the frame.
func (k WindowKind) UsesFrame() bool { return k >= FirstValue }

// ReadsValues reports functions that give the value of one row: those that take IGNORE NULLS.
func (k WindowKind) ReadsValues() bool { return k >= Lag && k <= NthValue }

// Window is one resolved overload of a window function. Values are shared and immutable.
type Window struct {
	Name   string // lower case
	Kind   WindowKind
	Params []sqltype.Type // that arguments are cast to
	Result sqltype.Type
	// Nullable: the result may be NULL.
	Nullable bool
	// Aggregate is the aggregate of WindowAggregate.
	Aggregate *Aggregate
}

// windowBuilder picks the overload of one window function.
type windowBuilder func(name string, args []Arg) (*Window, error)

// windows is the registry of functions that need OVER.
var windows = sync.OnceValue(func() map[string]windowBuilder {
	return map[string]windowBuilder{
		"row_number": rankingBuilder(RowNumber, tBigInt), "rank": rankingBuilder(Rank, tBigInt), "dense_rank": rankingBuilder(DenseRank, tBigInt),
		"percent_rank": rankingBuilder(PercentRank, tDouble), "cume_dist": rankingBuilder(CumeDist, tDouble),
		"ntile": resolveNtile,
		"lag":   shiftBuilder(Lag), "lead": shiftBuilder(Lead),
		"first_value": frameValueBuilder(FirstValue), "last_value": frameValueBuilder(LastValue), "nth_value": resolveNthValue,
	}
})

// ResolveWindow picks the overload of a window function; aggregates are window functions, too. Errors as Resolve's.
func ResolveWindow(name string, args []Arg) (*Window, error) {
	b, ok := windows()[name]
	if !ok {
		a, err := ResolveAggregate(name, args)
		if err != nil {
			return nil, err
		}
		return &Window{Name: name, Kind: WindowAggregate, Params: a.Params, Result: a.Result, Nullable: a.NullOnEmpty, Aggregate: a}, nil
	}
	w, err := b(name, args)
	if err != nil {
		return nil, err
	}
	w.Name = name
	return w, nil
}

// IsWindow reports whether name (lower case) is a function that needs OVER.
func IsWindow(name string) bool {
	_, ok := windows()[name]
	return ok
}

// WindowList is the sorted names of the functions that need OVER.
func WindowList() []string { return slices.Sorted(maps.Keys(windows())) }

// rankingBuilder is a function without arguments.
func rankingBuilder(kind WindowKind, result sqltype.Type) windowBuilder {
	return func(name string, args []Arg) (*Window, error) {
		if len(args) != 0 {
			return nil, wrongArguments(name, args)
		}
		return &Window{Kind: kind, Result: result}, nil
	}
}

// resolveNtile is ntile(n).
func resolveNtile(name string, args []Arg) (*Window, error) {
	if len(args) != 1 || !integral(args[0].Type) {
		return nil, wrongArguments(name, args)
	}
	return &Window{Kind: Ntile, Params: types(tBigInt), Result: tBigInt}, nil
}

func integral(t sqltype.Type) bool { return t.IsInteger() || t.Kind == sqltype.Null }

// shiftBuilder is lag and lead: (x[, n[, default]]). The result has room for x and the default.
func shiftBuilder(kind WindowKind) windowBuilder {
	return func(name string, args []Arg) (*Window, error) {
		if len(args) < 1 || len(args) > 3 || len(args) > 1 && !integral(args[1].Type) {
			return nil, wrongArguments(name, args)
		}
		t := args[0].Type
		if len(args) == 3 {
			var ok bool
			if t, ok = CommonType(t, args[2].Type); !ok {
				return nil, wrongArguments(name, args)
			}
		}
		t = notNull(t)
		return &Window{Kind: kind, Params: types(t, tBigInt, t)[:len(args)], Result: t, Nullable: true}, nil
	}
}

// frameValueBuilder is first_value(x) and last_value(x).
func frameValueBuilder(kind WindowKind) windowBuilder {
	return func(name string, args []Arg) (*Window, error) {
		if len(args) != 1 {
			return nil, wrongArguments(name, args)
		}
		t := notNull(args[0].Type)
		return &Window{Kind: kind, Params: types(t), Result: t, Nullable: true}, nil
	}
}

// resolveNthValue is nth_value(x, n).
func resolveNthValue(name string, args []Arg) (*Window, error) {
	if len(args) != 2 || !integral(args[1].Type) {
		return nil, wrongArguments(name, args)
	}
	t := notNull(args[0].Type)
	return &Window{Kind: NthValue, Params: types(t, tBigInt), Result: t, Nullable: true}, nil
}
