// Command tpchgen writes the TPC-H data set as Parquet folders.
//
//	go run ./bench/tpchgen/cmd/tpchgen -sf 1 -dir /data/tpch/sf1
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"

	"github.com/basaltdb/basalt/bench/tpchgen"
)

const memoryLimit = 600 << 20

func main() {
	sf := flag.Float64("sf", 1, "scale factor: 1 is about 1 GB of text")
	dir := flag.String("dir", "", "folder to write to (required)")
	tables := flag.String("tables", "", "comma-separated tables (default all)")
	group := flag.Int("row-group", 0, "rows a row group (default 122880)")
	files := flag.Int("files", 1, "files a table")
	quiet := flag.Bool("quiet", false, "no progress lines")
	flag.Parse()

	// The text pool alone is 300 MB without pointers: collecting more often costs little
	// and keeps the process small.
	debug.SetMemoryLimit(memoryLimit)
	opts := tpchgen.Options{ScaleFactor: *sf, Dir: *dir, RowGroupRows: *group, FilesPerTable: *files}
	if *tables != "" {
		opts.Tables = strings.Split(*tables, ",")
	}
	start := time.Now()
	if !*quiet {
		opts.Progress = func(table string, rows, total int64) {
			if rows == total {
				fmt.Printf("%-10s %12d rows  %6.1f s\n", table, rows, time.Since(start).Seconds())
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := tpchgen.Generate(ctx, opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
