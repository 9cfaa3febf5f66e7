package basalt_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/basaltdb/basalt"

// mayImport is the direction of the house (ARCHITECTURE.md, "The rooms"): for a room, by
// longest prefix, the rooms of ours that its non-test files may import. An entry covers
// the packages below it; a room may always import itself.
var mayImport = map[string][]string{
	"internal/sqlerr":     {},
	"internal/invariant":  {},
	"internal/int128":     {},
	"internal/hugepage":   {},
	"internal/sqltype":    {"internal/invariant", "internal/int128"},
	"internal/admission":  {"internal/sqlerr"},
	"internal/budget":     {"internal/sqlerr"},
	"internal/vector":     {"internal/sqltype", "internal/int128", "internal/invariant"},
	"internal/bucket":     {"internal/vector", "internal/sqltype", "internal/int128", "internal/invariant"},
	"internal/bitmap":     {"internal/sqlerr"},
	"internal/hll":        {"internal/sqlerr"},
	"internal/rowset":     {"internal/sqlerr"},
	"internal/dictionary": {"internal/sqlerr"},
	"internal/function":   {"internal/dictionary", "internal/vector", "internal/sqltype", "internal/int128", "internal/hugepage", "internal/bitmap", "internal/hll", "internal/sqlerr", "internal/invariant"},

	"parser/ast": {},
	"parser":     {"internal/sqlerr"},

	"storage": {"internal/bucket", "internal/function", "internal/hll", "internal/rowset", "internal/vector", "internal/sqltype", "internal/int128", "internal/budget", "internal/sqlerr", "internal/invariant"},
	"catalog": {"storage", "internal/bucket", "internal/function", "internal/hll", "internal/rowset", "internal/vector", "internal/sqltype", "internal/int128", "internal/sqlerr"},

	"planner/expr":     {"internal"},
	"planner/logical":  {"planner/expr", "storage", "internal"},
	"planner/physical": {"planner/expr", "storage", "internal"},
	"planner/fragment": {"planner/expr", "planner/physical", "internal"},
	"planner/bind":     {"planner/expr", "planner/logical", "parser/ast", "catalog", "storage", "internal"},
	"planner/optimize": {"planner/expr", "planner/logical", "storage", "internal"},
	"planner/lower":    {"planner/expr", "planner/logical", "planner/physical", "planner/optimize", "storage", "internal"},
	"planner/explain":  {"planner/expr", "planner/physical", "planner/fragment", "planner/logical", "storage", "internal"},
	"planner/plantest": {"planner", "catalog", "parser", "storage", "internal"}, // fixtures of tests
	"planner":          {"planner", "storage", "internal"},

	"executor": {"planner/physical", "planner/fragment", "planner/expr", "storage", "internal"},

	"server/mysql": {"internal"},
	"server":       {"", "internal"},
	"cmd/basalt":   {"", "server", "bench/tpchgen", "bench/tpch", "internal/sqlerr"},
	"bench":        {"", "storage/parquet", "storage/orc", "storage", "internal"},
	"test":         {"", "planner", "parser", "catalog", "storage", "internal", "bench/tpch", "bench/tpchgen", "server", "executor"},
	"":             {"catalog", "executor", "parser", "planner", "storage", "internal"},
}

// storageOwn are the packages below storage, which only the root wires to tables.
var storageOwn = []string{"storage/parquet", "storage/orc", "storage/text", "storage/table", "storage/fileset", "storage/hive", "storage/outfile", "storage/keyorder"}

// TestImportDirection fails when a room imports one that it must not know.
func TestImportDirection(t *testing.T) {
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			dir = ""
		}
		room, allowed := roomOf(dir)
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			if name != module && !strings.HasPrefix(name, module+"/") {
				continue
			}
			name = strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
			if !allows(room, allowed, name) {
				t.Errorf("%s: %q must not import %q", path, dir, name)
			}
			for _, own := range storageOwn {
				if name == own && room != "" && room != "bench" && room != "test" && !strings.HasPrefix(room, "storage") {
					t.Errorf("%s: only the root wires %q", path, own)
				}
			}
		}
	})
}

func roomOf(dir string) (string, []string) {
	for d := dir; ; {
		if a, ok := mayImport[d]; ok {
			return d, a
		}
		i := strings.LastIndexByte(d, '/')
		if i < 0 {
			return "", mayImport[""]
		}
		d = d[:i]
	}
}

func allows(room string, allowed []string, name string) bool {
	if name == room || room != "" && strings.HasPrefix(name, room+"/") {
		return true
	}
	for _, a := range allowed {
		if name == a || a != "" && strings.HasPrefix(name, a+"/") {
			return true
		}
	}
	return false
}

// eachGoFile calls f with the path of every Go file of this module.
func eachGoFile(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (path == "bench/peers" || path == "tmp" || d.Name() == "testdata" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
