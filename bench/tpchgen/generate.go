package tpchgen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	defaultRowGroupRows = 122_880
	chunkSourceRows     = 8192 // orders, parts, … a chunk; a chunk of line items has about four times as many rows
	chunksInFlight      = 3    // a table: one filled, one written, one between them
)

// Options say what to generate.
type Options struct {
	ScaleFactor   float64  // 1 is about 1 GB of text; 0.001 to 10000, cut to thousandths
	Dir           string   // files go to <Dir>/<table>/<table>_<n>.parquet
	Tables        []string // nil: all eight
	RowGroupRows  int      // 0: 122,880
	FilesPerTable int      // 0: one. Nation and region always have one

	// Progress, when set, is told the rows written so far and those expected. For
	// lineitem the expected number is an estimate until the last call. Calls come from
	// several goroutines, one at a time.
	Progress func(table string, rows, total int64)
}

// Generate writes the tables and returns when all files have their final names. Files of
// the same tables from an earlier run are replaced. After an error or when ctx ends,
// no file of a partly written table part remains, but finished parts do.
func Generate(ctx context.Context, opts Options) error {
	g, err := newGenerator(opts)
	if err != nil {
		return fmt.Errorf("tpchgen: %w", err)
	}
	g.vocabulary = newVocabulary()
	if g.pool, err = newTextPool(ctx, g.vocabulary); err != nil {
		return fmt.Errorf("tpchgen: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, j := range g.jobs() {
		if slices.ContainsFunc(j.tables, g.wanted) {
			group.Go(func() error { return g.run(ctx, j) })
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("tpchgen: %w", err)
	}
	return nil
}

type generator struct {
	opts       Options
	sc         scale
	vocabulary *vocabulary
	pool       textPool
	newWriter  newTableWriter
	progressMu sync.Mutex
}

func newGenerator(opts Options) (*generator, error) {
	sc, err := newScale(opts.ScaleFactor)
	if err != nil {
		return nil, err
	}
	if opts.Dir == "" {
		return nil, errors.New("no folder to write to")
	}
	if opts.RowGroupRows < 0 || opts.FilesPerTable < 0 {
		return nil, errors.New("row group rows and files per table must not be negative")
	}
	if opts.Tables == nil {
		opts.Tables = Tables()
	}
	for _, name := range opts.Tables {
		if tableNamed(name) == nil {
			return nil, fmt.Errorf("there is no TPC-H table %q", name)
		}
	}
	if opts.RowGroupRows == 0 {
		opts.RowGroupRows = defaultRowGroupRows
	}
	opts.FilesPerTable = max(1, opts.FilesPerTable)
	return &generator{opts: opts, sc: sc, newWriter: newParquetWriter}, nil
}

func (g *generator) wanted(table string) bool { return slices.Contains(g.opts.Tables, table) }

// job is a set of tables that come from the same source rows.
type job struct {
	tables []string
	each   []int64 // rows a source row gives to each table; an average for lineitem
	source int64   // source rows
	rows   interface {
		// fill appends what source rows [from, to), counted from one, give to each of
		// the job's tables. Ranges must follow one another.
		fill(from, to int64, out []*chunk)
	}
}

func (g *generator) jobs() []job {
	v, pool, sc := g.vocabulary, g.pool, g.sc
	one := []int64{1}
	return []job{
		{[]string{"orders", "lineitem"}, []int64{1, 4}, sc.orders, newOrderRows(sc, v, pool)},
		{[]string{"part", "partsupp"}, []int64{1, suppliersPerPart}, sc.parts, newPartRows(sc, v, pool)},
		{[]string{"customer"}, one, sc.customers, newCustomerRows(v, pool)},
		{[]string{"supplier"}, one, sc.suppliers, newSupplierRows(v, pool)},
		{[]string{"nation"}, one, int64(len(v.nations.words)), newNationRows(v, pool)},
		{[]string{"region"}, one, int64(len(v.regions.words)), newRegionRows(v, pool)},
	}
}

// filled is a chunk on its way to the writer of its table; file is the part it goes to.
type filled struct {
	chunk *chunk
	file  int
}

// run makes a job's rows on one goroutine and writes each of its tables on another.
func (g *generator) run(ctx context.Context, j job) error {
	group, ctx := errgroup.WithContext(ctx)
	full := make([]chan filled, len(j.tables))
	free := make([]chan *chunk, len(j.tables))
	for i, name := range j.tables {
		t := tableNamed(name)
		full[i] = make(chan filled, chunksInFlight)
		free[i] = make(chan *chunk, chunksInFlight)
		for range chunksInFlight {
			free[i] <- newChunk(t)
		}
		group.Go(func() error { return g.writeTable(ctx, t, j.source*j.each[i], full[i], free[i]) })
	}
	group.Go(func() error {
		defer func() {
			for _, c := range full {
				close(c)
			}
		}()
		return fillChunks(ctx, j, g.files(j.source), full, free)
	})
	return group.Wait()
}

// files returns the number of files for a table of that many source rows.
func (g *generator) files(source int64) int64 {
	if source < 100 {
		return 1
	}
	return int64(g.opts.FilesPerTable)
}

func fillChunks(ctx context.Context, j job, files int64, full []chan filled, free []chan *chunk) error {
	out := make([]*chunk, len(j.tables))
	for file := range files {
		end := (file+1)*j.source/files + 1
		for from := file*j.source/files + 1; from < end; {
			for i := range out {
				select {
				case out[i] = <-free[i]:
					out[i].reset()
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			to := min(from+chunkSourceRows, end)
			j.rows.fill(from, to, out)
			for i := range out {
				full[i] <- filled{out[i], int(file)} // never blocks: as many slots as chunks
			}
			from = to
		}
	}
	return nil
}

// writeTable writes the chunks of one table until the channel closes. A table that is
// not wanted is drained: its rows were only made because another table needs them.
func (g *generator) writeTable(ctx context.Context, t *table, total int64, full <-chan filled, free chan<- *chunk) (err error) {
	if !g.wanted(t.name) {
		for f := range full {
			free <- f.chunk
		}
		return nil
	}
	dir := filepath.Join(g.opts.Dir, t.name)
	if err := emptyFolder(dir, t.name); err != nil {
		return err
	}
	var w tableWriter
	defer func() {
		if w != nil {
			w.Abort()
		}
	}()
	var rows int64
	file := -1
	for f := range full {
		if f.file != file {
			if err := finish(&w); err != nil {
				return err
			}
			file = f.file
			path := filepath.Join(dir, fmt.Sprintf("%s_%d.parquet", t.name, file))
			if w, err = g.newWriter(t, path, g.opts.RowGroupRows); err != nil {
				return err
			}
		}
		if err := w.Write(f.chunk); err != nil {
			return err
		}
		rows += int64(f.chunk.rows)
		free <- f.chunk
		g.progress(t.name, rows, max(total, rows))
	}
	if err := ctx.Err(); err != nil { // the rows ended early
		return err
	}
	if err := finish(&w); err != nil {
		return err
	}
	g.progress(t.name, rows, rows)
	return nil
}

// finish closes the writer if there is one and forgets it.
func finish(w *tableWriter) error {
	if *w == nil {
		return nil
	}
	done := *w
	*w = nil
	return done.Close()
}

func (g *generator) progress(table string, rows, total int64) {
	if g.opts.Progress == nil {
		return
	}
	g.progressMu.Lock()
	defer g.progressMu.Unlock()
	g.opts.Progress(table, rows, total)
}

// emptyFolder makes the folder and removes what an earlier run left in it, so that a run
// with fewer files does not leave rows behind.
func emptyFolder(dir, table string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the folder of %s: %w", table, err)
	}
	old, err := filepath.Glob(filepath.Join(dir, "*"+table+"_*.parquet"))
	if err != nil {
		return fmt.Errorf("listing %s: %w", dir, err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("removing an earlier file of %s: %w", table, err)
		}
	}
	return nil
}
