// Command peers runs SQL on DuckDB over the folders of Parquet files that Basalt is
// measured on. It is a module of its own because DuckDB needs cgo.
//
//	peers -data /data/tpch/sf1 -threads 2 ../tpch/queries/q01.sql …
//	peers -data /data/tpch/sf1 -threads 2 < requests
//
// Every folder below -data becomes a view over its Parquet files, and so does every
// -table name=pattern. With arguments, each
// file is run once and its answer printed. Without, the program reads one request a
// line and prints one answer a line until its input ends, so that a benchmark can take
// turns between engines:
//
//	request  {"query":"q01","sql":"select …"}
//	answer   {"query":"q01","millis":207.4,"columns":["a"],"types":["INTEGER"],"rows":[["1"],[null]]}
//	         {"query":"q01","error":"…"}
//
// The first line of the protocol is the program's own: {"engine":"DuckDB","version":"v1.5.5"}.
// The time runs from sending the statement to having read its last row.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type greeting struct {
	Engine  string `json:"engine"`
	Version string `json:"version"`
}

type request struct {
	Query string `json:"query"`
	SQL   string `json:"sql"`
}

type answer struct {
	Query   string      `json:"query"`
	Millis  float64     `json:"millis"`
	Columns []string    `json:"columns,omitempty"`
	Types   []string    `json:"types,omitempty"`
	Rows    [][]*string `json:"rows"`
	Error   string      `json:"error,omitempty"`
}

func main() {
	tables := map[string]string{}
	flag.Func("data", "folder that holds one folder a table", func(s string) error { return folderTables(s, tables) })
	flag.Func("table", "a table: name=pattern of its files; may be repeated", func(s string) error {
		name, files, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want name=pattern")
		}
		tables[name] = files
		return nil
	})
	threads := flag.Int("threads", 2, "threads of DuckDB")
	flag.Parse()
	if err := run(tables, *threads, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(tables map[string]string, threads int, files []string) error {
	ctx := context.Background()
	engine, err := openDuckDB(ctx, tables, threads)
	if err != nil {
		return err
	}
	defer engine.close()
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if len(files) == 0 {
		if err := out.Encode(greeting{"DuckDB", engine.version}); err != nil {
			return err
		}
		return serve(ctx, engine, os.Stdin, out)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if err := out.Encode(engine.answer(ctx, request{name, string(text)})); err != nil {
			return err
		}
	}
	return nil
}

func serve(ctx context.Context, engine *duckDB, in io.Reader, out *json.Encoder) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		if err := out.Encode(engine.answer(ctx, r)); err != nil {
			return err
		}
	}
	return lines.Err()
}
