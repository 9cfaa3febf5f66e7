package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/cmd/basalt/shell"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// TestDemo runs the tour: every query must answer, and nothing may stay behind.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	if err := demo(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"line_items", "INDONESIA", "PLAN FRAGMENT 0", "Customer#000004165", "MOROCCO", "basalt serve --demo"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// watched is an output that another goroutine waits on.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestServe starts a server on a data folder, uses it, meets its lock and stops it.
func TestServe(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &watched{more: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, serveOptions{Data: data, MySQL: "127.0.0.1:0", HTTP: "127.0.0.1:0", RootPassword: "pw", Memory: "512M", Out: out})
	}()
	for !strings.Contains(out.String(), "Ctrl-C stops it") {
		select {
		case <-out.more:
		case err := <-ended:
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	at := regexp.MustCompile(`basalt sql -h (\S+) -P (\d+) -p`).FindStringSubmatch(out.String())
	if at == nil {
		t.Fatalf("does not say how to connect:\n%s", out.String())
	}
	client, err := shell.Dial(ctx, shell.RemoteOptions{Host: at[1], Port: at[2], User: "root", Password: "pw"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var result strings.Builder
	sh := shell.New(client, shell.Options{Out: &result, Err: &result, Format: "csv"})
	if err := sh.Script(ctx, "create database d; create table d.t as select 7 a; select a from d.t"); err != nil || result.String() != "a\n7\n" {
		t.Errorf("%v\n%s", err, result.String())
	}
	_, err = basalt.Open(data, basalt.Options{})
	if !sqlerr.Is(err, sqlerr.DataLocked) || !strings.Contains(err.Error(), "basalt sql --host "+at[1]+" --port "+at[2]) {
		t.Errorf("a second process gets %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	db, err := basalt.Open(data, basalt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.NewSession(basalt.SessionOptions{}).Query(t.Context(), "select a from d.t"); err != nil {
		t.Error("the table is gone", n, err)
	} else {
		_ = n.Close()
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestServeRefuses(t *testing.T) {
	check := func(o serveOptions, code sqlerr.Code) {
		t.Helper()
		o.Out = &strings.Builder{}
		if err := serve(t.Context(), o); !sqlerr.Is(err, code) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	check(serveOptions{MySQL: "0.0.0.0:0"}, sqlerr.AccessDenied)
	check(serveOptions{MySQL: "127.0.0.1:0", Memory: "lots"}, sqlerr.WrongArguments)
	check(serveOptions{MySQL: "127.0.0.1:0", TLSCert: "x"}, sqlerr.WrongArguments)
	check(serveOptions{MySQL: "127.0.0.1:0", UsersFile: "/nonexistent"}, sqlerr.FileIO)
	check(serveOptions{MySQL: "127.0.0.1:0", HTTP: "nowhere.invalid:x"}, sqlerr.FileIO)
	for text, want := range map[string]int64{"": 0, "1024": 1024, "1k": 1 << 10, "512M": 512 << 20, "1.5G": 3 << 29, "2GB": 2 << 30} {
		if got, err := parseBytes(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

// TestSQL runs statements, a script and data generation as the commands do.
func TestSQL(t *testing.T) {
	dir := t.TempDir()
	run := func(o sqlOptions) (string, error) {
		t.Helper()
		out, err := os.CreateTemp(dir, "out")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		o.In, o.Out, o.Err = os.Stdin, out, out
		if o.Format == "" {
			o.Format = "tsv"
		}
		err = runSQL(t.Context(), o)
		text, _ := os.ReadFile(out.Name())
		return string(text), err
	}
	if got, err := run(sqlOptions{Execute: "select 1 a; select 2 b"}); err != nil || got != "a\n1\nb\n2\n" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := run(sqlOptions{Execute: "select nothing"}); err == nil || !isPrinted(err) || !strings.HasPrefix(got, "ERROR 1054 (42S22)") {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := run(sqlOptions{Execute: "select 1", Database: "nowhere"}); !sqlerr.Is(err, sqlerr.UnknownDatabase) {
		t.Error(err)
	}
	if _, err := run(sqlOptions{Execute: "select 1", Format: "xml"}); err == nil {
		t.Error("format xml")
	}
	if _, err := run(sqlOptions{Execute: "select 1", Remote: true, Data: dir}); err == nil {
		t.Error("--data with --host")
	}
	var out strings.Builder
	tpch := filepath.Join(dir, "tpch")
	if err := genTPCH(t.Context(), genOptions{ScaleFactor: 0.001, Dir: tpch, Tables: []string{"nation", "region"}, Out: &out, Bar: &out}); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(script, []byte("select count(*) c from '"+tpch+"/nation/*.parquet'"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := run(sqlOptions{File: script}); err != nil || got != "c\n25\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCommandLine(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out strings.Builder
		cmd := newRootCommand()
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		cmd.SetArgs(args)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if got, err := run("version"); err != nil || !strings.HasPrefix(got, "basalt "+basalt.Version) {
		t.Errorf("%q, %v", got, err)
	}
	for _, args := range [][]string{{"nothing"}, {"serve", "x"}, {"sql", "--bad"}, {"gen", "tpch"}} {
		if _, err := run(args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	for _, name := range []string{"serve", "sql", "gen", "demo"} {
		if got, err := run(name, "--help"); err != nil || !strings.Contains(got, "Usage:") {
			t.Errorf("%s --help: %q, %v", name, got, err)
		}
	}
}
