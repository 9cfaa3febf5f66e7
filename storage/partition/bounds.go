// Package partition is the arithmetic of partitions: which rows a definition covers, what
// overlaps, how bounds are printed, which partitions a batch, a clock or a row asks for.
package partition

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// compareEndpoint orders endpoints of one column: Min, values, Max.
func compareEndpoint(a, b storage.Endpoint) int {
	rank := func(e storage.Endpoint) int {
		switch {
		case e.Min:
			return -1
		case e.Max:
			return 1
		}
		return 0
	}
	ra, rb := rank(a), rank(b)
	if ra != 0 || rb != 0 {
		return ra - rb
	}
	return a.Value.Compare(b.Value)
}

// CompareBound orders two bounds of equal width lexicographically.
func CompareBound(a, b []storage.Endpoint) int {
	for i := range a {
		if c := compareEndpoint(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// MinBound is the bound below every row of n columns.
func MinBound(n int) []storage.Endpoint {
	return slices.Repeat([]storage.Endpoint{{Min: true}}, n)
}

// MaxBound is the bound above every row of n columns.
func MaxBound(n int) []storage.Endpoint {
	return slices.Repeat([]storage.Endpoint{{Max: true}}, n)
}

// Intersects reports whether a row could lie in both ranges.
func Intersects(a, b *storage.PartitionBounds) bool {
	return CompareBound(a.Lower, b.Upper) < 0 && CompareBound(b.Lower, a.Upper) < 0
}

// tupleKey makes the tuples of lists comparable; values of one column have one type.
func tupleKey(tuple []vector.Value) string {
	var b strings.Builder
	for _, v := range tuple {
		switch {
		case v.Null:
			b.WriteByte(0)
		case v.Type.Physical() == sqltype.PhysString:
			b.WriteByte(1)
			b.WriteString(strings.ReplaceAll(v.S, "\x00", "\x00\x01"))
			b.WriteString("\x00\x00")
		default:
			b.WriteByte(1)
			b.WriteString(v.I.String())
			b.WriteByte(0)
		}
	}
	return b.String()
}

// CheckFree fails when a new partition covers rows that one of others covers.
func CheckFree(kind storage.PartitionKind, types []sqltype.Type, name string, b *storage.PartitionBounds, others []Named) error {
	if kind != storage.RangePartitions {
		return checkFreeList(types, name, b, others)
	}
	for i := range others {
		if Intersects(b, &others[i].Bounds) {
			return sqlerr.Detail("Range %s is intersected with range %s", FormatRange(types, b), FormatRange(types, &others[i].Bounds))
		}
	}
	return nil
}

func checkFreeList(types []sqltype.Type, name string, b *storage.PartitionBounds, others []Named) error {
	conflict := func(tuple []vector.Value, other string) error {
		return sqlerr.Detail("The value %s of partition %s is conflict with partition %s", tupleText(types, tuple), name, other)
	}
	own := make(map[string]bool, len(b.Values))
	for _, tuple := range b.Values {
		k := tupleKey(tuple)
		if own[k] {
			return conflict(tuple, name)
		}
		own[k] = true
	}
	for i := range others {
		for _, tuple := range others[i].Bounds.Values {
			if own[tupleKey(tuple)] {
				return conflict(tuple, others[i].Name)
			}
		}
	}
	return nil
}

// SameRows reports whether two sets of partitions cover the same rows: ranges as their
// union, lists as their values.
func SameRows(kind storage.PartitionKind, a, b []Named) bool {
	if kind != storage.RangePartitions {
		keys := func(list []Named) []string {
			var out []string
			for i := range list {
				for _, tuple := range list[i].Bounds.Values {
					out = append(out, tupleKey(tuple))
				}
			}
			slices.Sort(out)
			return out
		}
		return slices.Equal(keys(a), keys(b))
	}
	return slices.EqualFunc(union(a), union(b), func(x, y storage.PartitionBounds) bool {
		return CompareBound(x.Lower, y.Lower) == 0 && CompareBound(x.Upper, y.Upper) == 0
	})
}

// union merges ranges that touch; ascending.
func union(list []Named) []storage.PartitionBounds {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(x, y Named) int { return CompareBound(x.Bounds.Lower, y.Bounds.Lower) })
	var out []storage.PartitionBounds
	for _, n := range sorted {
		if last := len(out) - 1; last >= 0 && CompareBound(out[last].Upper, n.Bounds.Lower) == 0 {
			out[last].Upper = n.Bounds.Upper
		} else {
			out = append(out, storage.PartitionBounds{Lower: n.Bounds.Lower, Upper: n.Bounds.Upper})
		}
	}
	return out
}

// MinValue is the least value of a type that partitions: what Doris prints for, and reads
// as, the bound below everything.
func MinValue(t sqltype.Type) vector.Value {
	switch t.Kind {
	case sqltype.Date:
		return vector.IntValue(t, sqltype.MinDate)
	case sqltype.DateTime, sqltype.Timestamp:
		return vector.IntValue(t, sqltype.MinDate*sqltype.MicrosPerDay)
	case sqltype.LargeInt:
		return vector.Value{Type: t, I: int128.Int{Hi: -1 << 63}}
	case sqltype.TinyInt, sqltype.SmallInt, sqltype.Int, sqltype.BigInt:
		return vector.IntValue(t, -1<<(8*t.Physical().Size()-1))
	}
	return vector.StringValue(t, "")
}

// EndpointOf is a value as an endpoint of its column: the least value of the type is Min.
func EndpointOf(v vector.Value) storage.Endpoint {
	if !v.Type.IsString() && v.Compare(MinValue(v.Type)) == 0 {
		return storage.Endpoint{Min: true}
	}
	return storage.Endpoint{Value: v}
}

// TypeName is a type as Range prints it: DATE, DATETIME, INT, VARCHAR.
func TypeName(t sqltype.Type) string {
	name, _, _ := strings.Cut(t.String(), "(")
	return strings.ToUpper(name)
}

func endpointText(t sqltype.Type, e storage.Endpoint) string {
	switch {
	case e.Max:
		return "MAXVALUE"
	case e.Min:
		return MinValue(t).Text()
	}
	return e.Value.Text()
}

// appendKey prints types: [DATE, INT]; keys: [2020-01-01, 5];␠
func appendKey(b *strings.Builder, types []sqltype.Type, text func(i int) string) {
	b.WriteString("types: [")
	for i, t := range types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(TypeName(t))
	}
	b.WriteString("]; keys: [")
	for i := range types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(text(i))
	}
	b.WriteString("]; ")
}

// FormatRange prints bounds as SHOW PARTITIONS' Range does:
// [types: [DATE]; keys: [2020-01-01]; ..types: [DATE]; keys: [2020-02-01]; ) for ranges and
// [types: [VARCHAR]; keys: [a]; , types: [VARCHAR]; keys: [b]; ] for lists.
func FormatRange(types []sqltype.Type, p *storage.PartitionBounds) string {
	var b strings.Builder
	b.WriteByte('[')
	if p.Lower == nil {
		for i, tuple := range p.Values {
			if i > 0 {
				b.WriteString(", ")
			}
			appendKey(&b, types, func(i int) string { return tuple[i].Text() })
		}
		b.WriteByte(']')
		return b.String()
	}
	appendKey(&b, types, func(i int) string { return endpointText(types[i], p.Lower[i]) })
	b.WriteString("..")
	appendKey(&b, types, func(i int) string { return endpointText(types[i], p.Upper[i]) })
	b.WriteByte(')')
	return b.String()
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// valueSQL is a value as a definition writes it.
func valueSQL(v vector.Value) string {
	if v.Null {
		return "NULL"
	}
	return quote(v.Text())
}

func tupleText(types []sqltype.Type, tuple []vector.Value) string {
	parts := make([]string, len(types))
	for i := range types {
		parts[i] = valueSQL(tuple[i])
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// boundSQL prints a bound as a definition writes it; trailing columns at Min are left out.
func boundSQL(types []sqltype.Type, bound []storage.Endpoint) string {
	n := len(bound)
	for n > 1 && bound[n-1].Min {
		n--
	}
	parts := make([]string, n)
	for i, e := range bound[:n] {
		switch {
		case e.Max:
			parts[i] = "MAXVALUE"
		case e.Min:
			parts[i] = quote(MinValue(types[i]).Text())
		default:
			parts[i] = quote(e.Value.Text())
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// DefinitionSQL is what follows PARTITION name in a statement that makes these bounds again.
func DefinitionSQL(types []sqltype.Type, p *storage.PartitionBounds) string {
	if p.Lower != nil {
		return "VALUES [" + boundSQL(types, p.Lower) + ", " + boundSQL(types, p.Upper) + ")"
	}
	parts := make([]string, len(p.Values))
	for i, tuple := range p.Values {
		if parts[i] = tupleText(types, tuple); len(types) == 1 {
			parts[i] = valueSQL(tuple[0])
		}
	}
	return "VALUES IN (" + strings.Join(parts, ", ") + ")"
}
