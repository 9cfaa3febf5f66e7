package parquet

import (
	"sort"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// restorable are the kinds that a file's own annotation may be refined to.
var restorable = map[string]sqltype.Kind{
	"largeint": sqltype.LargeInt, "char": sqltype.Char, "varchar": sqltype.Varchar, "json": sqltype.JSON,
	"datetime": sqltype.DateTime, "timestamp": sqltype.Timestamp, "time": sqltype.Time, "binary": sqltype.Binary,
	"bitmap": sqltype.Bitmap, "hll": sqltype.HLL,
}

// formatTypes writes the types that the format cannot express, for typesKey.
func formatTypes(names []string, types []sqltype.Type) string {
	var lines []string
	for i, t := range types {
		if _, ok := restorable[strings.TrimRight(strings.SplitN(t.String(), "(", 2)[0], " ")]; ok {
			lines = append(lines, t.String()+"="+names[i])
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "\x00")
}

// parseTypes reads what formatTypes wrote; entries it does not understand are left out.
func parseTypes(s string) map[string]sqltype.Type {
	out := map[string]sqltype.Type{}
	for _, line := range strings.Split(s, "\x00") {
		text, name, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		word, arg, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
		kind, ok := restorable[word]
		if !ok {
			continue
		}
		t := sqltype.Type{Kind: kind}
		if arg != "" {
			n, err := strconv.ParseInt(arg, 10, 32)
			if err != nil || n < 0 {
				continue
			}
			switch kind {
			case sqltype.Char, sqltype.Varchar:
				t.Length = int32(n)
			default:
				if n > 6 {
					continue
				}
				t.Scale = uint8(n)
			}
		}
		out[name] = t
	}
	return out
}

// restore refines the type of a leaf where the layout is the same.
func (l *leaf) restore(t sqltype.Type) {
	if l.broken != "" || l.unsupported != "" {
		return
	}
	was := l.Type
	ok := false
	switch t.Kind {
	case sqltype.LargeInt:
		ok = was.Kind == sqltype.Decimal && was.Scale == 0
	case sqltype.Char, sqltype.Varchar, sqltype.JSON, sqltype.Binary, sqltype.Bitmap, sqltype.HLL:
		ok = was.Kind == sqltype.String || was.Kind == sqltype.Binary
	case sqltype.DateTime, sqltype.Timestamp:
		ok = was.Kind == sqltype.DateTime
	case sqltype.Time:
		ok = was.Kind == sqltype.Time
	}
	if ok && was.Physical() == t.Physical() {
		l.Type = t
	}
}
