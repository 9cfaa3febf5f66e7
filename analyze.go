package basalt

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/statistics"
)

// sampleRows is how many rows ANALYZE keeps for frequent values and histograms.
const sampleRows = 30_000

// maxAnalyzeJobs bounds what SHOW ANALYZE remembers.
const maxAnalyzeJobs = 200

// analyzeJob is one finished ANALYZE of one table.
type analyzeJob struct {
	id              int64
	database, table string
	columns         []string
	kind            string // FULL or SAMPLE
	finished        time.Time
	took            time.Duration
	message         string // why it failed
}

// analyzeJobs are the last ones, the oldest first.
type analyzeJobs struct {
	mu   sync.Mutex
	last int64
	list []analyzeJob
}

func (j *analyzeJobs) add(job analyzeJob) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	job.id = j.last
	if j.list = append(j.list, job); len(j.list) > maxAnalyzeJobs {
		j.list = slices.Delete(j.list, 0, 1)
	}
	return job.id
}

// analyze collects statistics. It always ends before it answers: without WITH SYNC the answer is
// the finished job, as Doris names it.
func (x *execution) analyze(ctx context.Context, st *ast.Analyze) (*Rows, error) {
	tables, err := x.tablesToAnalyze(st)
	if err != nil {
		return nil, err
	}
	basic := st.NoScan || st.Compute && !st.ForColumns
	if len(st.Partition) > 0 {
		if !basic {
			return nil, sqlerr.Unsupported("ANALYZE TABLE … PARTITION").At(st.Position())
		}
		if err := x.checkAnalyzed(tables[0], st.Partition); err != nil {
			return nil, err
		}
	}
	if basic {
		return okRows(x.s, 0, ""), nil // Hive's basic statistics: files, rows and sizes are always known
	}
	sample, err := x.sampleOf(st)
	if err != nil {
		return nil, err
	}
	sync := st.Sync || st.Compute
	r := newResult(append([]Column{longCol("Job_Id")}, textCols("Catalog_Name", "DB_Name", "Columns")...))
	for _, t := range tables {
		only, names, err := columnsToAnalyze(t, st.Columns, st.Position())
		if err != nil {
			return nil, err
		}
		job := analyzeJob{database: t.Database, table: t.Name, columns: names, kind: "FULL"}
		if sample != nil {
			job.kind = "SAMPLE"
		}
		start := time.Now()
		err = x.analyzeTable(ctx, t, only, sample)
		job.finished, job.took = time.Now(), time.Since(start)
		if err != nil {
			job.message = err.Error()
		}
		id := x.s.db.analyzed.add(job)
		if err != nil {
			return nil, err
		}
		list := make([]string, len(names))
		for i, n := range names {
			list[i] = t.Name + ":" + n
		}
		r.Add(long(id), str(catalog.CatalogName), str(t.Database), str("["+strings.Join(list, ",")+"]"))
	}
	if sync {
		return okRows(x.s, 0, ""), nil
	}
	return r.rows(x.s), nil
}

// checkAnalyzed refuses partitions that there are not. Columns of Hive's partitions may stand without a value: that is all of them.
func (x *execution) checkAnalyzed(t *catalog.Table, spec []ast.PartitionSpec) error {
	if !t.InPath() {
		for _, s := range spec {
			if t.PartitionNamed(s.Column, false) == nil {
				return sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", s.Column, t.Name).At(s.Position())
			}
		}
		return nil
	}
	var given []ast.PartitionSpec
	for i := range spec {
		if spec[i].Value != nil {
			given = append(given, spec[i])
		} else if _, err := pathColumn(t, &spec[i]); err != nil {
			return err
		}
	}
	if len(given) == 0 {
		return nil
	}
	match, err := x.specMatch(t, given)
	if err != nil {
		return err
	}
	list, err := x.visiblePartitions(t)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(p pathPartition) bool { return match(p.tuple) }) {
		return sqlerr.New(sqlerr.UnknownPartition, "No partition of table '%s' is (%s)", t.Name, specText(given)).At(spec[0].Position())
	}
	return nil
}

func (x *execution) tablesToAnalyze(st *ast.Analyze) ([]*catalog.Table, error) {
	if st.Database != "" {
		if !x.snapshot.HasDatabase(st.Database) || st.Database == catalog.InformationSchema {
			return nil, sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", st.Database).At(st.Position())
		}
		return x.snapshot.Tables(st.Database), nil
	}
	t, err := x.tableWithStats(st.Name)
	if err != nil {
		return nil, err
	}
	return []*catalog.Table{t}, nil
}

// tableWithStats finds a table that statistics are kept of.
func (x *execution) tableWithStats(n ast.Name) (*catalog.Table, error) {
	db, name, err := x.resolveName(n)
	if err != nil {
		return nil, err
	}
	t := x.snapshot.Table(db, name)
	switch {
	case t == nil && x.snapshot.View(db, name) != nil:
		return nil, sqlerr.New(sqlerr.NotBaseTable, "'%s.%s' is not BASE TABLE", db, name).At(n.Position())
	case t == nil:
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(n.Position())
	case t.Kind == catalog.System:
		return nil, sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", db).At(n.Position())
	}
	return t, nil
}

// columnsToAnalyze are the positions and names of the listed columns, of all when none is listed. Columns of nested
// types have no statistics: unlisted they are passed over.
func columnsToAnalyze(t *catalog.Table, listed []string, pos int) (only map[int]bool, names []string, err error) {
	only = map[int]bool{}
	for i, c := range t.Columns {
		if c.Type.Kind < sqltype.Array && len(listed) == 0 {
			only[i] = true
			names = append(names, c.Name)
		}
	}
	for _, name := range listed {
		i := slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return nil, nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", name, t.Name).At(pos)
		}
		if t.Columns[i].Type.Kind >= sqltype.Array {
			return nil, nil, sqlerr.Unsupported("statistics of a column of type " + t.Columns[i].Type.String()).At(pos)
		}
		if !only[i] {
			only[i] = true
			names = append(names, t.Columns[i].Name)
		}
	}
	return only, names, nil
}

// sampleSize says which part of a table to look at.
type sampleSize struct {
	rows    int64 // 0: by percent
	percent float64
}

func (s *sampleSize) of(rows int64) int64 {
	if s.rows > 0 {
		return min(s.rows, rows)
	}
	return int64(float64(rows) * s.percent / 100)
}

// sampleOf reads WITH SAMPLE and the properties sample.percent and sample.rows; nil for all rows.
func (x *execution) sampleOf(st *ast.Analyze) (*sampleSize, error) {
	unit, text := st.SampleUnit, ""
	if st.Sample != nil {
		v, err := bind.Scalar(st.Sample, x.env())
		if err != nil {
			return nil, err
		}
		text = v.Text()
	}
	for _, p := range st.Options {
		switch strings.ToLower(p.Key) {
		case "sample.percent":
			unit, text = "PERCENT", p.Value
		case "sample.rows":
			unit, text = "ROWS", p.Value
		case "sync", "incremental", "histogram", "full", "auto", "period.seconds", "num.buckets":
		default:
			return nil, sqlerr.New(sqlerr.WrongArguments, "ANALYZE has no property '%s'", p.Key).At(p.Position())
		}
	}
	if unit == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n <= 0:
		return nil, sqlerr.New(sqlerr.WrongArguments, "the sample must be above zero: %s", text).At(st.Position())
	case unit == "PERCENT" && n > 100:
		return nil, sqlerr.New(sqlerr.WrongArguments, "the sample is at most 100 percent: %s", text).At(st.Position())
	case unit == "PERCENT" && n == 100:
		return nil, nil
	case unit == "PERCENT":
		return &sampleSize{percent: n}, nil
	}
	return &sampleSize{rows: int64(n)}, nil
}

// analyzeTable reads t, or a sample of its rows, and stores what it found of the given columns.
func (x *execution) analyzeTable(ctx context.Context, t *catalog.Table, only map[int]bool, sample *sampleSize) error {
	src, err := x.snapshot.Source(t)
	if err != nil {
		return err
	}
	ordinals := make([]int, 0, len(only))
	for i := range only {
		ordinals = append(ordinals, i)
	}
	sort.Ints(ordinals)
	seen, total, err := x.collect(ctx, src, ordinals, sample)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	stats := seen.Stats(total)
	cols := make([]catalog.ColumnStatistics, len(ordinals))
	for k, i := range ordinals {
		cols[k] = catalog.AnalyzedColumn(t.Columns[i].ID, stats.Rows, seen.Rows(), now, &stats.Columns[k])
	}
	return x.s.db.cat.Update(func(tx *catalog.Tx) error {
		latest := tx.Table(t.Database, t.Name)
		if latest == nil || latest.ID != t.ID {
			return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' was dropped meanwhile", t.Database, t.Name)
		}
		return tx.SetStatistics(t.Database, t.ID, latest.Statistics.With(stats.Rows, now, cols))
	})
}

// collect reads columns of src with as many goroutines as a query may have. total is the rows of the source when only a
// sample was read, else -1.
func (x *execution) collect(ctx context.Context, src storage.Source, ordinals []int, sample *sampleSize) (*statistics.Collector, int64, error) {
	held := budget.New("analyze", x.s.settings.int("exec_mem_limit"), x.s.db.memory).Reserve("statistics")
	defer held.Release()
	req := &storage.ScanRequest{Columns: ordinals, Limit: -1, Budget: held}
	splits, err := src.Splits(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	total, quota := int64(-1), int64(-1)
	if sample != nil {
		total = 0
		for _, s := range splits {
			total += s.Rows()
		}
		splits, quota = pickSplits(splits, sample.of(total))
	}
	cols := make([]storage.Column, len(ordinals))
	for i, o := range ordinals {
		cols[i] = src.Columns()[o]
	}
	workers := max(1, min(x.instances(), len(splits)))
	parts := make([]*statistics.Collector, workers)
	var next atomic.Int64
	group, gctx := errgroup.WithContext(ctx)
	for w := range workers {
		parts[w] = statistics.NewCollector(cols, statistics.Options{Sample: sampleRows, Bounds: true, Precision: hll.ColumnPrecision})
		group.Go(func() error {
			if err := x.s.db.slots.Acquire(gctx); err != nil {
				return err
			}
			defer x.s.db.slots.Release()
			for i := next.Add(1) - 1; i < int64(len(splits)); i = next.Add(1) - 1 {
				if err := readSplit(gctx, src, splits[i], req, parts[w], quota); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	for _, p := range parts[1:] {
		parts[0].Merge(p)
	}
	return parts[0], total, nil
}

// pickSplits spreads a sample of rows over the splits: a few batches of each, or of every k-th when that would be
// less than a batch. quota is how many rows to read of each.
func pickSplits(splits []storage.Split, rows int64) (picked []storage.Split, quota int64) {
	if len(splits) == 0 {
		return nil, 0
	}
	n := min(int64(len(splits)), max(1, (rows+vector.BatchRows-1)/vector.BatchRows))
	for i := range n {
		picked = append(picked, splits[i*int64(len(splits))/n])
	}
	return picked, max(1, (rows+n-1)/n)
}

// readSplit shows the rows of a split, at most quota of them when it is not negative, to c.
func readSplit(ctx context.Context, src storage.Source, s storage.Split, req *storage.ScanRequest, c *statistics.Collector, quota int64) error {
	rd, err := src.Open(ctx, s, req)
	if err != nil {
		return err
	}
	defer rd.Close()
	for quota != 0 {
		b, err := rd.Next(ctx)
		if err != nil || b == nil {
			return err
		}
		n := int64(b.NumRows())
		if quota >= 0 {
			if n > quota {
				b, n = b.View(0, int(quota)), quota
			}
			quota -= n
		}
		c.Add(b)
	}
	return nil
}

// dropStats is DROP STATS.
func (x *execution) dropStats(st *ast.DropStats) (*Rows, error) {
	t, err := x.tableWithStats(st.Name)
	if err != nil {
		return nil, err
	}
	only, _, err := columnsToAnalyze(t, st.Columns, st.Position())
	if err != nil {
		return nil, err
	}
	drop := map[int32]bool{}
	for i := range only {
		drop[t.Columns[i].ID] = true
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error {
		latest := tx.Table(t.Database, t.Name)
		if latest == nil || latest.ID != t.ID || latest.Statistics == nil {
			return nil
		}
		return tx.SetStatistics(t.Database, t.ID, latest.Statistics.Without(func(id int32) bool { return drop[id] || len(st.Columns) == 0 }))
	})
	if err != nil {
		return nil, err
	}
	return okRows(x.s, 0, ""), nil
}

// showColumnStats is SHOW COLUMN STATS t [(cols)]: what the planner knows of each column. Beside the analyzed
// columns, which Doris shows, there are those whose numbers come from the files; method tells.
func (x *execution) showColumnStats(st *ast.Show) (*result, error) {
	t, err := x.tableWithStats(st.Name)
	if err != nil {
		return nil, err
	}
	var listed []string
	for _, a := range st.Args {
		if a != "(" && a != ")" && a != "," {
			listed = append(listed, a)
		}
	}
	only, _, err := columnsToAnalyze(t, listed, st.Position())
	if err != nil {
		return nil, err
	}
	src, err := x.snapshot.Source(t)
	if err != nil {
		return nil, err
	}
	stats := statistics.Refine(src.Stats(), t.KnownStats())
	r := newResult(textCols("column_name", "index_name", "count", "ndv", "num_null", "data_size", "avg_size_byte", "min", "max", "method", "type",
		"trigger", "query_times", "updated_time", "update_rows", "last_analyze_row_count"))
	for i, c := range t.Columns {
		if !only[i] || i >= len(stats.Columns) {
			continue
		}
		s := &stats.Columns[i]
		trigger, updated, changed, before := "SYSTEM", nullText(), "0", "0"
		if a := t.Statistics.Column(c.ID); a != nil {
			trigger, updated = "MANUAL", str(a.Updated.In(x.fc.Location).Format(time.DateTime))
			changed, before = count(max(stats.Rows-a.Rows, a.Rows-stats.Rows)), count(a.Rows)
		}
		size := s.AvgBytes * float64(max(stats.Rows-max(s.Nulls, 0), 0))
		r.Add(str(c.Name), str(t.Name), str(count(stats.Rows)), str(count(s.Distinct)), str(count(s.Nulls)), str(fmt.Sprintf("%.1f", size)),
			str(fmt.Sprintf("%.1f", s.AvgBytes)), boundText(s.Min), boundText(s.Max), str(methodOf(s.Origin)), str("FUNDAMENTALS"),
			str(trigger), str("0"), updated, str(changed), str(before))
	}
	return r, nil
}

func count(n int64) string { return strconv.FormatFloat(float64(n), 'f', 1, 64) }

func boundText(v *vector.Value) vector.Value {
	if v == nil {
		return str("N/A")
	}
	if v.Type.Physical() == sqltype.PhysString {
		return str("'" + v.S + "'")
	}
	return str(v.Text())
}

func methodOf(o storage.Origin) string {
	switch o {
	case storage.OriginAnalyzed:
		return "FULL"
	case storage.OriginSample:
		return "SAMPLE"
	}
	return strings.ToUpper(o.String())
}

// showTableStats is SHOW TABLE STATS t.
func (x *execution) showTableStats(st *ast.Show) (*result, error) {
	t, err := x.tableWithStats(st.Name)
	if err != nil {
		return nil, err
	}
	src, err := x.snapshot.Source(t)
	if err != nil {
		return nil, err
	}
	rows := src.Stats().Rows
	r := newResult(textCols("updated_rows", "query_times", "row_count", "updated_time", "columns", "trigger", "new_partition", "user_inject",
		"enable_auto_analyze", "last_analyze_time"))
	if t.Statistics == nil {
		r.Add(str("0"), str("0"), str(strconv.FormatInt(rows, 10)), nullText(), str("[]"), str("SYSTEM"), str("false"), str("false"), str("false"), nullText())
		return r, nil
	}
	var names []string
	for _, c := range t.Columns {
		if t.Statistics.Column(c.ID) != nil {
			names = append(names, t.Name+":"+c.Name)
		}
	}
	at := str(t.Statistics.Updated.In(x.fc.Location).Format(time.DateTime))
	changed := max(rows-t.Statistics.Rows, t.Statistics.Rows-rows)
	r.Add(str(strconv.FormatInt(changed, 10)), str("0"), str(strconv.FormatInt(rows, 10)), at, str("["+strings.Join(names, ", ")+"]"), str("MANUAL"),
		str("false"), str("false"), str("false"), at)
	return r, nil
}

// showAnalyze is SHOW ANALYZE [job|table]: the jobs of this process.
func (x *execution) showAnalyze(st *ast.Show) *result {
	r := newResult(append([]Column{longCol("job_id")}, textCols("catalog_name", "db_name", "tbl_name", "col_name", "job_type", "analysis_type", "message",
		"last_exec_time_in_ms", "state", "progress", "schedule_type", "start_time", "end_time", "priority")...))
	want := st.Name.Name
	if want == "" && len(st.Args) > 0 {
		want = st.Args[0]
	}
	jobs := &x.s.db.analyzed
	jobs.mu.Lock()
	defer jobs.mu.Unlock()
	for _, j := range slices.Backward(jobs.list) {
		if want != "" && want != j.table && want != strconv.FormatInt(j.id, 10) {
			continue
		}
		state, progress := "FINISHED", fmt.Sprintf("%d Finished  |  0 Failed  |  0 In Progress  |  %d Total", len(j.columns), len(j.columns))
		if j.message != "" {
			state, progress = "FAILED", fmt.Sprintf("0 Finished  |  %d Failed  |  0 In Progress  |  %d Total", len(j.columns), len(j.columns))
		}
		end := j.finished.In(x.fc.Location)
		r.Add(long(j.id), str(catalog.CatalogName), str(j.database), str(j.table), str("["+strings.Join(j.columns, ",")+"]"), str("MANUAL"), str("FUNDAMENTALS"),
			str(j.message), str(strconv.FormatInt(j.took.Milliseconds(), 10)), str(state), str(progress), str("ONCE"),
			str(end.Add(-j.took).Format(time.DateTime)), str(end.Format(time.DateTime)), str("MANUAL"))
	}
	return r
}
