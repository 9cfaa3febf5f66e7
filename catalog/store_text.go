package catalog

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/vector"
)

// JSON keeps text that is UTF-8. Values of list partitions may be any bytes that a file had:
// those that are not UTF-8 are stored as rawText and base64.
const rawText = "\x00base64:"

func plainText(s string) bool { return utf8.ValidString(s) && !strings.HasPrefix(s, rawText) }

// storedPartitions are partitions as JSON can keep them.
func storedPartitions(list []Partition) []Partition {
	return mapTexts(list, func(s string) (string, bool) {
		if plainText(s) {
			return s, false
		}
		return rawText + base64.StdEncoding.EncodeToString([]byte(s)), true
	})
}

// loadedPartitions undoes storedPartitions.
func loadedPartitions(list []Partition) []Partition {
	return mapTexts(list, func(s string) (string, bool) {
		code, ok := strings.CutPrefix(s, rawText)
		if !ok {
			return s, false
		}
		raw, err := base64.StdEncoding.DecodeString(code)
		return string(raw), err == nil
	})
}

// mapTexts replaces the texts of list values that f changes, in copies.
func mapTexts(list []Partition, f func(s string) (text string, changed bool)) []Partition {
	copied := false
	for i := range list {
		for j, tuple := range list[i].Bounds.Values {
			for k := range tuple {
				text, changed := f(tuple[k].S)
				if !changed {
					continue
				}
				if !copied {
					list, copied = slices.Clone(list), true
				}
				b := &list[i].Bounds
				b.Values = slices.Clone(b.Values)
				b.Values[j] = slices.Clone(b.Values[j])
				b.Values[j][k] = vector.StringValue(tuple[k].Type, text)
			}
		}
	}
	return list
}
