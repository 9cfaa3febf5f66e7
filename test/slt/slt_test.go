package slt

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/optimize"
)

var (
	rewrite = flag.Bool("rewrite", false, "write what queries give into the files")
	long    = flag.Bool("long", false, "run every configuration, each optimizer pass off included")
	match   = flag.String("match", "", "run files whose path contains this")
)

// config is one way to run the whole corpus.
type config struct {
	name     string
	settings map[string]string
}

// configs are the short list; -long adds one for each optimizer pass switched off.
func configs() []config {
	list := []config{
		{"default", nil},
		{"one_instance", map[string]string{"parallel_pipeline_task_num": "1"}},
		{"batch7", map[string]string{"batch_size": "7", "parallel_pipeline_task_num": "3"}},
		{"spill", map[string]string{"enable_force_spill": "1", "exec_mem_limit": "64M", "parallel_pipeline_task_num": "2"}},
	}
	if !*long {
		return list
	}
	list = append(list, config{"many_instances", map[string]string{"parallel_pipeline_task_num": "8"}},
		config{"batch1", map[string]string{"batch_size": "1"}},
		config{"no_runtime_filters", map[string]string{"enable_runtime_filter": "0"}},
		config{"no_optimizer", map[string]string{"optimizer_disable": strings.Join(switchable(), ",")}})
	for _, p := range switchable() {
		list = append(list, config{"without_" + p, map[string]string{"optimizer_disable": p}})
	}
	return list
}

// switchable are the passes that may be off; decorrelation may not.
func switchable() []string {
	return slices.DeleteFunc(optimize.Passes(), func(p string) bool { return p == "decorrelate" })
}

func TestCorpus(t *testing.T) {
	var files []*File
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".slt") || !strings.Contains(path, *match) {
			return err
		}
		if strings.HasSuffix(path, "_slow.slt") && !*long {
			return nil
		}
		f, err := ParseFile(path)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no test files")
	}
	for _, c := range configs() {
		if *rewrite && c.name != "default" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			for _, f := range files {
				t.Run(f.Path, func(t *testing.T) {
					t.Parallel()
					runFile(t, f, c)
				})
			}
		})
	}
}

func runFile(t *testing.T, f *File, c config) {
	db, err := basalt.Open("", basalt.Options{Settings: c.settings})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	got := map[*Record][]string{}
	failed := 0
	for _, r := range f.Records {
		if r.Skip[c.name] || r.Only != nil && !r.Only[c.name] {
			continue
		}
		rows, err := runRecord(s, r)
		if *rewrite && r.Query && err == nil {
			got[r] = rows
			continue
		}
		if msg := r.check(rows, err); msg != "" {
			t.Errorf("%s:%d (%s): %s\n%s", f.Path, r.Line, c.name, msg, r.SQL)
			if failed++; failed == 10 {
				t.Fatal("too many failures in this file")
			}
		}
	}
	if *rewrite {
		if err := f.Rewrite(got); err != nil {
			t.Fatal(err)
		}
	}
}

// check compares an outcome with what the record wants; "" is fine.
func (r *Record) check(rows []string, err error) string {
	if r.Error != "" {
		var e *sqlerr.Error
		switch {
		case err == nil:
			return "succeeded, must fail with " + r.Error
		case !errors.As(err, &e):
			return fmt.Sprintf("failed outside of sqlerr: %v", err)
		case r.Error != "any" && fmt.Sprint(e.Code.Number) != r.Error:
			return fmt.Sprintf("failed with %d (%v), must fail with %s", e.Code.Number, err, r.Error)
		case !strings.Contains(err.Error(), r.Contains):
			return fmt.Sprintf("message %q does not contain %q", err, r.Contains)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("failed: %v", err)
	}
	if !r.Query {
		return ""
	}
	want := slices.Clone(r.Want)
	if r.RowSort {
		slices.Sort(want)
	}
	if !slices.Equal(rows, want) {
		return fmt.Sprintf("got\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	return ""
}

func runRecord(s *basalt.Session, r *Record) (rows []string, err error) {
	ctx := context.Background()
	res, err := s.Query(ctx, r.SQL)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	if r.Query && len(res.Columns()) != len(r.Types) {
		return nil, fmt.Errorf("%d columns, the file says %q", len(res.Columns()), r.Types)
	}
	for {
		b, err := res.NextBatch(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		for i := range b.NumRows() {
			rows = append(rows, rowText(b, b.Row(i)))
		}
	}
	if r.RowSort {
		slices.Sort(rows)
	}
	return rows, nil
}

func rowText(b *vector.Batch, row int) string {
	var out []byte
	for i, c := range b.Cols {
		if i > 0 {
			out = append(out, '\t')
		}
		n := len(out)
		out = vector.AppendText(out, c, row)
		if len(out) == n {
			out = append(out, "(empty)"...)
		}
	}
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(string(out))
}
