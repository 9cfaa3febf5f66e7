package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/bench/tpchgen"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

const (
	demoDatabase = "tpch"
	// demoScale is 300,000 line items: enough to see a plan work, made in seconds.
	demoScale = 0.05
)

var tpchTables = []string{"region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"}

type genOptions struct {
	ScaleFactor float64
	Dir         string
	Tables      []string
	Files       int
	Out         io.Writer
	Bar         io.Writer // nil: no progress bar
}

// genMemory keeps the generator small: its text pool alone is 300 MB, without pointers.
const genMemory = 600 << 20

// genTPCH writes the data set and says how to query it.
func genTPCH(ctx context.Context, o genOptions) error {
	debug.SetMemoryLimit(genMemory)
	start := time.Now()
	bar := newProgressBar(o.Bar)
	err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: o.ScaleFactor, Dir: o.Dir, Tables: o.Tables, FilesPerTable: o.Files, Progress: bar.update})
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "TPC-H at scale %g is in %s (%.1f s)\n  basalt sql -e \"SELECT count(*) FROM '%s/*.parquet'\"\n",
		o.ScaleFactor, o.Dir, time.Since(start).Seconds(), filepath.Join(o.Dir, "lineitem"))
	return nil
}

// loadTPCH makes the data set in dir unless it is there, and its tables in db.
func loadTPCH(ctx context.Context, db *basalt.DB, dir string, scale float64, out io.Writer) error {
	if files, _ := filepath.Glob(filepath.Join(dir, "lineitem", "*.parquet")); len(files) == 0 {
		fmt.Fprintf(out, "Making TPC-H data at scale %g …\n", scale)
		start := time.Now()
		if err := tpchgen.Generate(ctx, tpchgen.Options{ScaleFactor: scale, Dir: dir}); err != nil {
			return err
		}
		debug.FreeOSMemory() // the generator's text pool
		fmt.Fprintf(out, "Done: %.1f MB in %.1f s\n", float64(folderSize(dir))/1e6, time.Since(start).Seconds())
	}
	session := db.NewSession(basalt.SessionOptions{})
	defer session.Close()
	statements := []string{"CREATE DATABASE IF NOT EXISTS " + demoDatabase}
	for _, t := range tpchTables {
		location := strings.ReplaceAll(filepath.Join(dir, t), "'", "''")
		statements = append(statements, fmt.Sprintf("CREATE EXTERNAL TABLE IF NOT EXISTS %s.%s STORED AS PARQUET LOCATION '%s'", demoDatabase, t, location))
	}
	for _, st := range statements {
		if _, err := session.Exec(ctx, st); err != nil {
			return sqlerr.Wrap(sqlerr.From(err).Code, err, "%s", st)
		}
	}
	return nil
}

func folderSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}

// progressBar draws the part of the rows that are written. Safe for concurrent use.
type progressBar struct {
	mu    sync.Mutex
	out   io.Writer
	rows  map[string][2]int64 // written and expected, by table
	drawn time.Time
}

func newProgressBar(out io.Writer) *progressBar {
	return &progressBar{out: out, rows: map[string][2]int64{}}
}

const (
	barWidth = 40
	barEvery = 100 * time.Millisecond
)

func (b *progressBar) update(table string, rows, total int64) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows[table] = [2]int64{rows, total}
	if time.Since(b.drawn) < barEvery {
		return
	}
	b.drawn = time.Now()
	var done, want int64
	for _, r := range b.rows {
		done, want = done+r[0], want+r[1]
	}
	filled := int(barWidth * done / max(want, 1))
	fmt.Fprintf(b.out, "\r[%s%s] %3d%%  %-10s\x1b[K", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), 100*done/max(want, 1), table)
}

func (b *progressBar) end() {
	if b.out != nil {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
