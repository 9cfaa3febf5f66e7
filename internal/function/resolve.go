package function

import (
	"maps"
	"sort"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// builder picks the overload of one name for given arguments.
type builder func(name string, args []Arg) (*Scalar, error)

// aggregateBuilder picks the overload of one aggregate.
type aggregateBuilder func(name string, args []Arg) (*Aggregate, error)

// scalars is the registry of scalar functions by lower-case name, built at first use.
var scalars = sync.OnceValue(func() map[string]builder {
	m := make(map[string]builder, 512)
	for _, family := range []map[string]builder{
		arithmeticFunctions(), bitFunctions(), compareFunctions(), logicFunctions(), caseFunctions(), inFunctions(),
		castFunctions(), likeFunctions(), regexpFunctions(),
		stringFunctions(), stringBuildFunctions(), stringCodeFunctions(), mathFunctions(), roundFunctions(), greatestFunctions(),
		dateFunctions(), dateCalcFunctions(), dateNowFunctions(), dateFormatFunctions(), intervalFunctions(), systemFunctions(), jsonFunctions(),
		nestedFunctions(), arrayFunctions(), bitmapFunctions(), hllFunctions(),
	} {
		for name, b := range family {
			m[name] = b
		}
	}
	return m
})

// aggregates is the registry of aggregate functions.
var aggregates = sync.OnceValue(func() map[string]aggregateBuilder {
	m := map[string]aggregateBuilder{
		"count": resolveCount,
		"sum":   resolveSum, "avg": resolveAvg, "mean": resolveAvg,
		"min": resolveMinMax, "max": resolveMinMax,
		"stddev": varianceBuilder(false, true), "stddev_pop": varianceBuilder(false, true), "std": varianceBuilder(false, true), "stddev_samp": varianceBuilder(true, true),
		"variance": varianceBuilder(false, false), "var_pop": varianceBuilder(false, false), "variance_pop": varianceBuilder(false, false),
		"var_samp": varianceBuilder(true, false), "variance_samp": varianceBuilder(true, false),
		"group_concat": resolveGroupConcat, "any_value": resolveAnyValue, "any": resolveAnyValue, "arbitrary": resolveAnyValue,
		"bool_and": boolFoldBuilder(false), "bool_or": boolFoldBuilder(true),
		"bit_and": bitFoldBuilder(foldAnd), "bit_or": bitFoldBuilder(foldOr), "bit_xor": bitFoldBuilder(foldXor),
		"group_bit_and": bitFoldBuilder(foldAnd), "group_bit_or": bitFoldBuilder(foldOr), "group_bit_xor": bitFoldBuilder(foldXor),
		"collect_list": resolveCollect, "group_array": resolveCollect, "array_agg": resolveCollect, "collect_set": resolveCollect, "group_uniq_array": resolveCollect,
		"max_by": resolveExtremeBy, "min_by": resolveExtremeBy,
		"approx_count_distinct": resolveApproxDistinct, "ndv": resolveApproxDistinct,
	}
	maps.Copy(m, bitmapAggregates())
	maps.Copy(m, hllAggregates())
	return m
})

// Resolve picks the overload of a scalar function or operator for args and says which
// exact types the arguments must be cast to (Params). Errors: sqlerr.UnknownFunction,
// sqlerr.WrongArguments. Safe for concurrent use.
func Resolve(name string, args []Arg) (*Scalar, error) {
	b, ok := scalars()[name]
	if !ok {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "FUNCTION %s does not exist", name)
	}
	s, err := b(name, args)
	if err != nil {
		return nil, err
	}
	for i, a := range args { // the text of an array is asked for by a cast, never given in passing
		if name != "cast" && a.Type.IsNested() && !(s.Params[i].IsNested() && castable(a.Type, s.Params[i])) {
			return nil, wrongArguments(name, args)
		}
	}
	s.Name = name
	return s, nil
}

// ResolveAggregate picks the overload of an aggregate; name "count" with no args is count(*).
func ResolveAggregate(name string, args []Arg) (*Aggregate, error) {
	b, ok := aggregates()[name]
	if !ok {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "FUNCTION %s does not exist", name)
	}
	a, err := b(name, args)
	if err != nil {
		return nil, err
	}
	a.Name = name
	return a, nil
}

// IsAggregate reports whether name (lower case) is an aggregate function.
func IsAggregate(name string) bool {
	_, ok := aggregates()[name]
	return ok
}

// List is the sorted names of all scalar, higher-order and aggregate functions and operators.
func List() []string {
	names := make([]string, 0, len(scalars())+len(aggregates())+len(higher()))
	for n := range higher() {
		if _, both := scalars()[n]; !both {
			names = append(names, n)
		}
	}
	for n := range scalars() {
		names = append(names, n)
	}
	for n := range aggregates() {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// wrongArguments is the error of a call whose count or types of arguments fit no overload.
func wrongArguments(name string, args []Arg) error {
	text := ""
	for i, a := range args {
		if i > 0 {
			text += ", "
		}
		text += a.Type.String()
	}
	return sqlerr.New(sqlerr.WrongArguments, "wrong arguments for function %s(%s)", name, text)
}

// opaqueError refuses what compares, orders or groups BITMAP and HLL. The words are Doris's.
func opaqueError() *sqlerr.Error {
	return sqlerr.New(sqlerr.TypeMismatch, "Doris hll, bitmap column must use with specific function, and don't support filter, group by or order by")
}

// CheckOrderable refuses types whose values cannot be compared: they are no keys of GROUP BY, ORDER BY, DISTINCT or joins.
func CheckOrderable(t sqltype.Type) error {
	if t.IsOpaque() {
		return opaqueError()
	}
	return nil
}

// Types that many signatures name.
var (
	tNull     = sqltype.T(sqltype.Null)
	tBoolean  = sqltype.T(sqltype.Boolean)
	tTinyInt  = sqltype.T(sqltype.TinyInt)
	tInt      = sqltype.T(sqltype.Int)
	tBigInt   = sqltype.T(sqltype.BigInt)
	tLargeInt = sqltype.T(sqltype.LargeInt)
	tDouble   = sqltype.T(sqltype.Double)
	tString   = sqltype.T(sqltype.String)
	tDate     = sqltype.T(sqltype.Date)
	tDateTime = sqltype.T(sqltype.DateTime)
	tMicros   = sqltype.DateTimeOf(6)
	tTime     = sqltype.T(sqltype.Time)
)

// signature describes a function whose types do not depend on the call.
type signature struct {
	params    []sqltype.Type
	optional  int  // how many of the last params may be missing
	rest      bool // the last param repeats, once or more often
	result    sqltype.Type
	nulls     NullMode
	stability Stability
	fails     bool
	yields    bool
	run       Kernel // the kernel when it keeps no state …
	make      func(consts []*vector.Value) (Kernel, error)
}

// builder makes the signature a registry entry.
func (g signature) builder() builder {
	return func(name string, args []Arg) (*Scalar, error) { return g.resolve(name, args) }
}

func (g signature) resolve(name string, args []Arg) (*Scalar, error) {
	least := len(g.params) - g.optional
	if len(args) < least || !g.rest && len(args) > len(g.params) {
		return nil, wrongArguments(name, args)
	}
	params := make([]sqltype.Type, len(args))
	for i := range params {
		params[i] = g.params[min(i, len(g.params)-1)]
		if !castable(args[i].Type, params[i]) {
			return nil, wrongArguments(name, args)
		}
	}
	s := &Scalar{Params: params, Result: g.result, Nulls: g.nulls, Stability: g.stability, Fails: g.fails, YieldsNull: g.yields}
	if g.make != nil {
		s.New = g.make
	} else {
		s.New = stateless(g.run)
	}
	return s, nil
}

// stateless is New of a kernel that keeps nothing between calls.
func stateless(k Kernel) func([]*vector.Value) (Kernel, error) {
	return func([]*vector.Value) (Kernel, error) { return k, nil }
}

// nullScalar is a call whose result is NULL whatever the arguments are.
func nullScalar(params []sqltype.Type, result sqltype.Type) *Scalar {
	return &Scalar{Params: params, Result: result, Nulls: NullAware, YieldsNull: true,
		New: stateless(func(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
			for k := range count(out, sel) {
				out.SetNull(row(sel, k))
			}
			return nil
		})}
}
