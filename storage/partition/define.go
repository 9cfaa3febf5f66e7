package partition

import (
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Named is a partition's name with what it covers.
type Named struct {
	Name   string
	Bounds storage.PartitionBounds
}

// CheckColumn fails for a type that cannot partition.
func CheckColumn(kind storage.PartitionKind, name string, t sqltype.Type) error {
	switch {
	case t.IsInteger(), t.Kind == sqltype.Date, t.Kind == sqltype.DateTime, t.Kind == sqltype.Timestamp:
		return nil
	case kind == storage.ListPartitions && (t.Kind == sqltype.Char || t.Kind == sqltype.Varchar || t.Kind == sqltype.Boolean):
		return nil
	}
	what := "Range"
	if kind == storage.ListPartitions {
		what = "List"
	}
	if t.IsFloat() {
		return sqlerr.Detail("Floating point type column can not be partition column, column: %s", name)
	}
	return sqlerr.Detail("%s partition column %s cannot be of type %s", what, name, t)
}

// LessThan is VALUES LESS THAN (upper): from the end of the previous partition by range
// order, or from below everything, to upper.
func LessThan(others []Named, upper []storage.Endpoint) storage.PartitionBounds {
	lower := MinBound(len(upper))
	for i := range others {
		if u := others[i].Bounds.Upper; CompareBound(u, upper) < 0 && CompareBound(u, lower) > 0 {
			lower = u
		}
	}
	return storage.PartitionBounds{Lower: lower, Upper: upper}
}

// Between is VALUES [(lower), (upper)).
func Between(types []sqltype.Type, lower, upper []storage.Endpoint) (storage.PartitionBounds, error) {
	b := storage.PartitionBounds{Lower: lower, Upper: upper}
	if CompareBound(lower, upper) >= 0 {
		return b, sqlerr.Detail("Invalid range value format: %s, the lower bound is not below the upper", FormatRange(types, &b))
	}
	return b, nil
}

// Complete fills up a bound of a definition to n columns: missing ones are Min.
func Complete(bound []storage.Endpoint, n int) ([]storage.Endpoint, error) {
	if len(bound) > n {
		return nil, sqlerr.Detail("partition values number is more than partition column number: %d, %d", len(bound), n)
	}
	for len(bound) < n {
		bound = append(bound, storage.Endpoint{Min: true})
	}
	return bound, nil
}

// Steps is FROM (from) TO (to) INTERVAL n unit: consecutive partitions of one column. Those of
// WEEK, MONTH, QUARTER and YEAR begin where the calendar does; the first and the last
// one are cut to from and to. unit is "" for integers. More than limit partitions are an error.
func Steps(from, to vector.Value, n int64, unit string, limit int) ([]Named, error) {
	t := from.Type
	if n <= 0 {
		return nil, sqlerr.Detail("Multi build partition every interval should be larger than zero: %d", n)
	}
	if from.Compare(to) >= 0 {
		return nil, sqlerr.Detail("Batch build partition start time should less than end time: %s, %s", from.Text(), to.Text())
	}
	if err := checkUnit(t, unit); err != nil {
		return nil, err
	}
	var out []Named
	for from.Compare(to) < 0 {
		if len(out) == limit {
			return nil, sqlerr.Detail("The number of batch partitions should not exceed: %d", limit)
		}
		next, ok := step(from, n, unit)
		if !ok || next.Compare(to) > 0 {
			next = to
		}
		out = append(out, Named{batchName(from, unit), storage.PartitionBounds{
			Lower: []storage.Endpoint{EndpointOf(from)}, Upper: []storage.Endpoint{{Value: next}}}})
		from = next
	}
	return out, nil
}

func checkUnit(t sqltype.Type, unit string) error {
	if t.IsInteger() {
		if unit != "" {
			return sqlerr.Detail("Multi build partition of an integer column has no unit: %s", unit)
		}
		return nil
	}
	switch unit {
	case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY":
		return nil
	case "HOUR", "MINUTE", "SECOND":
		if t.Kind != sqltype.Date {
			return nil
		}
		return sqlerr.Detail("Batch build partition of a DATE column cannot step by %s", unit)
	case "":
		return sqlerr.Detail("Batch build partition of a %s column needs a unit, for example INTERVAL 1 DAY", TypeName(t))
	}
	return sqlerr.Detail("Unsupported time unit of batch partitions: %s", unit)
}

// step is the start of the partition after the one that begins at v; ok is false beyond the type.
func step(v vector.Value, n int64, unit string) (vector.Value, bool) {
	if v.Type.IsInteger() {
		sum, ok := v.I.AddOK(int128.FromInt64(n))
		return vector.Value{Type: v.Type, I: sum}, ok
	}
	if unit == "WEEK" || unit == "MONTH" || unit == "QUARTER" || unit == "YEAR" {
		v = Truncate(v, unit)
	}
	return Shift(v, n, unit)
}

// AutoRange is the partition that AUTO PARTITION BY RANGE(date_trunc(col, unit)) makes for a value.
func AutoRange(v vector.Value, unit string) Named {
	from := Truncate(v, unit)
	upper := storage.Endpoint{Max: true}
	if to, ok := Shift(from, 1, unit); ok {
		upper = storage.Endpoint{Value: to}
	}
	return Named{AutoRangeName(from), storage.PartitionBounds{Lower: []storage.Endpoint{EndpointOf(from)}, Upper: []storage.Endpoint{upper}}}
}

// AutoList is the partition that AUTO PARTITION BY LIST makes for a tuple.
func AutoList(tuple []vector.Value) Named {
	return Named{AutoListName(tuple), storage.PartitionBounds{Values: [][]vector.Value{tuple}}}
}

// CutTo shrinks a range until it overlaps none of others; it keeps the row of tuple, which none
// of others takes.
func CutTo(b storage.PartitionBounds, others []Named, tuple []vector.Value) storage.PartitionBounds {
	row := make([]storage.Endpoint, len(tuple))
	for i, v := range tuple {
		row[i] = EndpointOf(v)
	}
	for i := range others {
		o := &others[i].Bounds
		if CompareBound(o.Upper, row) <= 0 && CompareBound(o.Upper, b.Lower) > 0 {
			b.Lower = o.Upper
		}
		if CompareBound(o.Lower, row) > 0 && CompareBound(o.Lower, b.Upper) < 0 {
			b.Upper = o.Lower
		}
	}
	return b
}
