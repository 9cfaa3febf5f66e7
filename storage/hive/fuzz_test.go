package hive

import (
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// folders lists folders of files given by their paths.
func folders(paths []string) func(dir string) ([]storage.FileInfo, error) {
	return func(dir string) (out []storage.FileInfo, _ error) {
		seen := map[string]bool{}
		for _, p := range paths {
			rest, ok := strings.CutPrefix(p, strings.TrimPrefix(dir+"/", "r/"))
			if dir == "r" {
				rest, ok = p, true
			}
			name, _, folder := strings.Cut(rest, "/")
			if !ok || name == "" || name == "." || name == ".." || seen[name] {
				continue
			}
			seen[name] = true
			out = append(out, storage.FileInfo{Name: name, IsDir: folder, Size: 1})
		}
		return out, nil
	}
}

// FuzzPaths finds partitions in hostile folders: an error, or keys in one order whose own folders read as the same keys.
func FuzzPaths(f *testing.F) {
	f.Add("year=2024/month=1/a\nyear=2024/month=2/a\nyear=__HIVE_DEFAULT_PARTITION__/month=%2F/b", "")
	f.Add("B=x%3Dy/a=%/f\nb=1/a=é/_hidden\n_x=1/f", "a,b")
	f.Add("f\nbase_0000001/bucket_00000", "")
	f.Add("k=/f\n=v/f\n%41=1/f", "k")
	f.Fuzz(func(t *testing.T, text, columns string) {
		var names []string
		if columns != "" {
			names = strings.Split(columns, ",")
		}
		find := func(paths, names []string) ([]Partition, error) {
			found, err := discover(folders(paths), "r", names)
			if err != nil && !sqlerr.Is(err, sqlerr.CorruptFile) && !sqlerr.Is(err, sqlerr.NotSupported) {
				t.Fatalf("not an error for users: %v", err)
			}
			return found, err
		}
		parts, err := find(strings.Split(text, "\n"), names)
		if err != nil {
			return
		}
		for i := range parts {
			p := &parts[i]
			if names != nil && len(p.Keys) != len(names) || len(p.Keys) != len(parts[0].Keys) {
				t.Fatalf("%q has %d keys, of columns %q", p.Path, len(p.Keys), names)
			}
			plain := len(p.Keys) > 0 && len(p.Files) > 0
			for _, k := range p.Keys {
				if k.Value != "" && Unescape(Escape(k.Value)) != k.Value {
					t.Fatalf("%q is written %q, which is %q", k.Value, Escape(k.Value), Unescape(Escape(k.Value)))
				}
				plain = plain && k.Name != "" && k.Value != "" && !strings.HasPrefix(k.Name, ".")
			}
			if !plain {
				continue // the default partition stands for the empty text, and hidden folders are passed over
			}
			again, err := find([]string{Path(p.Keys) + "/f"}, nil)
			if err != nil || len(again) != 1 || !slices.Equal(again[0].Keys, p.Keys) {
				t.Fatalf("%q of %v is %v, %v", Path(p.Keys), p.Keys, again, err)
			}
		}
	})
}
