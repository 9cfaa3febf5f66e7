package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/bench/delivery"
	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/runner"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
)

// workload is what a run measures.
type workload struct {
	title, heading string
	queries        []runner.Query
	// state is the folder of Basalt's own tables; "" for a fresh one.
	state string
	setup []string // statements of Basalt's session
	// load, when set, fills Basalt's tables if they are empty.
	load func(ctx context.Context, s *runner.Server) error
	// after, when set, measures and checks more once the queries are answered: the last engine's rows are right. It returns
	// sentences for the report.
	after func(ctx context.Context, s *runner.Server, answers map[string]result.Set) ([]string, error)
	// files gives the patterns of the tables' files, by table, after load.
	files func() (map[string]string, error)
}

func newWorkload(ctx context.Context, o options, root string) (*workload, error) {
	scale := strconv.FormatFloat(o.sf, 'g', -1, 64)
	dir := o.data
	if dir == "" {
		dir = filepath.Join(root, "data", o.workload, "sf"+scale)
	}
	var (
		w   *workload
		err error
	)
	switch o.workload {
	case "tpch":
		w, err = tpchWorkload(ctx, dir, o.sf)
	case "delivery":
		w = deliveryWorkload(dir, o.sf, o.threads)
	default:
		return nil, fmt.Errorf("there is no workload %q", o.workload)
	}
	if err != nil {
		return nil, err
	}
	w.title = o.workload + "_sf" + scale
	w.queries, err = pick(w.queries, o.queries)
	return w, err
}

// pick selects queries from lists such as "1,3,10-14,d10-3": a name, or a number, which stands for the queries whose names have
// it behind their letters ("d10-1", "d10-2", …).
func pick(all []runner.Query, list string) ([]runner.Query, error) {
	if list == "" {
		return all, nil
	}
	number := func(name string) int {
		name, _, _ = strings.Cut(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"), "-")
		n, err := strconv.Atoi(name)
		if err != nil {
			return -1
		}
		return n
	}
	var out []runner.Query
	for _, item := range strings.Split(list, ",") {
		if i := slices.IndexFunc(all, func(q runner.Query) bool { return q.Name == item }); i >= 0 {
			out = append(out, all[i])
			continue
		}
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		lo, hi := number(first), number(last)
		before := len(out)
		for n := lo; n <= hi; n++ {
			for _, q := range all {
				if number(q.Name) == n {
					out = append(out, q)
				}
			}
		}
		if lo < 0 || len(out) == before {
			return nil, fmt.Errorf("queries %q: there is no query %s", list, item)
		}
	}
	return out, nil
}

func tpchWorkload(ctx context.Context, dir string, sf float64) (*workload, error) {
	if err := ensureData(ctx, dir, sf); err != nil {
		return nil, err
	}
	setup, err := runner.ExternalTables("tpch", dir, tpchgen.Tables())
	if err != nil {
		return nil, err
	}
	w := &workload{heading: fmt.Sprintf("TPC-H, scale factor %v", sf), setup: setup}
	for n := 1; n <= tpch.Count; n++ {
		q := runner.Query{Name: tpch.Name(n), SQL: tpch.Query(n), Rules: tpch.Rules(n)}
		if sf == 1 {
			q.Check = func(s result.Set) error { return tpch.CheckOfficial(n, s) }
		}
		w.queries = append(w.queries, q)
	}
	w.files = func() (map[string]string, error) {
		files := map[string]string{}
		for _, t := range tpchgen.Tables() {
			files[t] = filepath.Join(dir, t, "*.parquet")
		}
		return files, nil
	}
	return w, nil
}

// ensureData makes the tables whose folders are missing.
func ensureData(ctx context.Context, dir string, sf float64) error {
	missing := slices.DeleteFunc(tpchgen.Tables(), func(t string) bool {
		files, err := filepath.Glob(filepath.Join(dir, t, t+"_*.parquet"))
		return err == nil && len(files) > 0
	})
	if len(missing) == 0 {
		return nil
	}
	fmt.Printf("making the data of scale factor %v in %s\n", sf, dir)
	return tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: sf, Dir: dir, Tables: missing})
}

// deliveryWorkload keeps Basalt's own tables in dir.
func deliveryWorkload(dir string, scale float64, threads int) *workload {
	w := &workload{
		heading: fmt.Sprintf("Delivery, scale %v", scale), state: dir,
		setup: []string{"CREATE DATABASE IF NOT EXISTS " + delivery.Database, "USE " + delivery.Database},
	}
	for _, q := range append(delivery.Queries(), delivery.Dashboard()...) {
		w.queries = append(w.queries, runner.Query{Name: q.Name, SQL: q.SQL, PeerSQL: q.Peer, Rules: q.Rules, Wanted: q.Wanted})
	}
	w.after = func(ctx context.Context, s *runner.Server, answers map[string]result.Set) ([]string, error) {
		setup := []string{"USE " + delivery.Database, fmt.Sprintf("SET parallel_fragment_exec_instance_num = %d", threads), "SET enable_page_cache = 0"}
		return dashboard(ctx, s, w.queries, setup, answers)
	}
	tables := delivery.Tables(scale)
	w.load = func(ctx context.Context, s *runner.Server) error {
		for _, t := range tables {
			if err := loadTable(ctx, s, t); err != nil {
				return err
			}
		}
		return nil
	}
	w.files = func() (map[string]string, error) {
		files := map[string]string{}
		for _, t := range tables {
			if t.Name == "uv_day" {
				continue // of bitmaps
			}
			dirs, err := filepath.Glob(filepath.Join(dir, "data", "warehouse", delivery.Database+".db", t.Name+"_[0-9]*"))
			if err != nil || len(dirs) != 1 {
				return nil, fmt.Errorf("table %s has %d folders, want one", t.Name, len(dirs))
			}
			files[t.Name] = filepath.Join(dirs[0], "**", "[0-9]*.parquet") // without those of indexes
		}
		return files, nil
	}
	return w
}

// loadTable makes and fills a table unless it has rows.
func loadTable(ctx context.Context, s *runner.Server, t delivery.Table) error {
	if set, _, err := s.Run(ctx, "", "SELECT count(*) FROM "+t.Name); err == nil && set.Rows[0][0].Text != "0" {
		return nil
	}
	statements := append([]string{"DROP TABLE IF EXISTS " + t.Name + " FORCE", t.Create}, t.Load...)
	for _, text := range statements {
		_, took, err := s.Run(ctx, "", text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		if strings.HasPrefix(text, "INSERT") {
			fmt.Printf("loaded %s in %.1f s\n", t.Name, took.Seconds())
		}
	}
	return nil
}
