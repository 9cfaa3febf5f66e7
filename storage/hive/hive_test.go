package hive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDiscover(t *testing.T) {
	show := func(root string, names []string) string {
		parts, err := Discover(storage.OSFS{}, root, names)
		if err != nil {
			return "error: " + strings.TrimPrefix(err.Error(), root)
		}
		var out []string
		for _, p := range parts {
			line := p.Path + ":"
			for _, k := range p.Keys {
				if line += " " + k.Name + "=" + k.Value; k.Null {
					line += "(null)"
				}
			}
			for _, f := range p.Files {
				line += " " + f.Name
			}
			out = append(out, line)
		}
		return strings.Join(out, "; ")
	}
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	root := tree(t, "DT=2024-01-01/h=1/a.parquet", "DT=2024-01-01/h=1/_SUCCESS", "DT=2024-01-01/h=2/.crc", "DT=2024-01-01/h=1/b._COPYING_", "dt=a%2Fb/h=__HIVE_DEFAULT_PARTITION__/b", "_temporary/dt=1/h=1/x", "readme")
	want := "DT=2024-01-01/h=1: dt=2024-01-01 h=1 a.parquet; DT=2024-01-01/h=2: dt=2024-01-01 h=2; dt=a%2Fb/h=__HIVE_DEFAULT_PARTITION__: dt=a/b h=__HIVE_DEFAULT_PARTITION__(null) b"
	check(show(root, []string{"dt", "h"}), want)
	check(show(root, nil), want)
	check(show(tree(t, "a", "b"), nil), ": a b")
	check(show(tree(t, "a", "b"), []string{"dt"}), "")
	if got := show(tree(t, "dt=1/a", "other=2/b"), []string{"dt"}); !strings.Contains(got, "is no partition") {
		t.Error(got)
	}
	check(show(tree(t, "a=1/b=2/x", "b=3/a=4/y"), nil), "a=1/b=2: a=1 b=2 x; b=3/a=4: a=4 b=3 y")
	if got := show(tree(t, "dt=1/h=1/a", "dt=2/b"), nil); !strings.Contains(got, "partitioned by (dt, h)") {
		t.Error(got)
	}
}

func TestNames(t *testing.T) {
	for s, want := range map[string]string{"a/b": "a%2Fb", "": DefaultPartition, "x y": "x y", "100%": "100%25", "é": "é", "\x01": "%01"} {
		if got := Escape(s); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		} else if s != "" && Unescape(got) != s {
			t.Errorf("%q does not come back: %q", s, Unescape(got))
		}
	}
	if Unescape("a%zzb%4") != "a%zzb%4" {
		t.Error("what is no escape changed")
	}
	for name, want := range map[string]int{
		"000003_0": 3, "000012_0_copy_1": 12, "000001_0.snappy.parquet": 1, "bucket_00007": 7, "000004_0_99.parquet": 4,
		"part-00000-6f2a_00005.c000.snappy.parquet": 5, "part-00000-6f2a.c000.snappy.parquet": -1, "data.parquet": -1, "2024.parquet": -1,
	} {
		n, ok := Bucket(name)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%s: bucket %d, want %d", name, n, want)
		}
	}
}

// TestTransactional makes sure that the deltas of ACID tables are never taken for rows.
func TestTransactional(t *testing.T) {
	for name, want := range map[string]bool{"base_0000005": true, "base_5_v0000024": true, "delta_0000001_0000001": true, "delta_1_1_0000": true,
		"delete_delta_0000002_0000002_0000": true, "base": false, "base_x": false, "delta_force": false, "000000_0": false} {
		if Transactional(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "k=1", "delta_0000001_0000001_0000"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Discover(storage.OSFS{}, dir, nil); !sqlerr.Is(err, sqlerr.NotSupported) {
		t.Errorf("a partition of deltas: %v", err)
	}
}
