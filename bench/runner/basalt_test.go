package runner

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/basaltdb/basalt/bench/result"
	"github.com/basaltdb/basalt/bench/tpch"
	"github.com/basaltdb/basalt/bench/tpchgen"
)

// The test binary plays the server: started as "<test binary> serve …" it answers the
// MySQL protocol from the stored answers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		f := flag.NewFlagSet("serve", flag.ExitOnError)
		addr := f.String("mysql", "", "")
		f.String("data", "", "")
		f.String("http", "", "")
		if err := f.Parse(os.Args[2:]); err != nil {
			panic(err)
		}
		fmt.Println("stand-in listening")
		panic(serveStoredAnswers(*addr))
	}
	os.Exit(m.Run())
}

func serveStoredAnswers(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		h := &storedAnswers{}
		go func() { _ = serveConn(c, h.answer) }() // the client sees what goes wrong
	}
}

// storedAnswers answers the TPC-H queries once the session is set up as the runner is
// meant to do it.
type storedAnswers struct{ setUp []string }

func (h *storedAnswers) answer(query string) (result.Set, error) {
	if strings.HasPrefix(query, "SELECT version()") {
		return result.Set{Columns: []string{"version()"}, Rows: [][]result.Value{{{Text: "stand-in 1"}}}}, nil
	}
	for n := 1; n <= tpch.Count; n++ {
		if query != tpch.Query(n) {
			continue
		}
		if n == 4 {
			os.Exit(7)
		}
		all := strings.Join(h.setUp, "\n")
		if !strings.Contains(all, "CREATE EXTERNAL TABLE lineitem STORED AS PARQUET LOCATION '/") ||
			!strings.Contains(all, "SET parallel_fragment_exec_instance_num = 3") {
			return result.Set{}, errors.New("the session is not set up: " + all)
		}
		return result.Parse(tpch.Answer(n))
	}
	if strings.Contains(query, "page_cache") {
		return result.Set{}, errors.New("unknown system variable")
	}
	h.setUp = append(h.setUp, query)
	return result.Set{}, nil
}

func TestServer(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	setup, err := ExternalTables("tpch", "data", tpchgen.Tables())
	if err != nil {
		t.Fatal(err)
	}
	s, err := StartServer(ctx, ServerOptions{Binary: binary, StateDir: t.TempDir(), Setup: setup, Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	if s.Version() != "stand-in 1" || len(s.Notes()) != 1 || !strings.Contains(s.Notes()[0], "no page cache") {
		t.Errorf("version %q, notes %q", s.Version(), s.Notes())
	}
	for _, n := range []int{1, 16, 17} { // 17 gives NULL
		got, _, err := s.Run(ctx, tpch.Name(n), tpch.Query(n))
		if err != nil {
			t.Fatal(err)
		}
		if result.Format(got) != tpch.Answer(n) {
			t.Errorf("%s gives\n%s", tpch.Name(n), result.Format(got))
		}
	}
	if _, err := os.Stat("/proc/self/status"); err == nil && s.PeakMemory() < 1<<20 {
		t.Errorf("peak memory is %d bytes", s.PeakMemory())
	}
	if _, _, err := s.Run(ctx, "q04", tpch.Query(4)); err == nil {
		t.Error("a query that ends the server gives no error")
	}
	<-s.exited
	if _, _, err := s.Run(ctx, "q01", tpch.Query(1)); err == nil || !strings.Contains(err.Error(), "stand-in listening") {
		t.Errorf("a query after the server's end gives %v, want its last words", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestServerThatEnds(t *testing.T) {
	_, err := StartServer(context.Background(), ServerOptions{Binary: "/bin/false", StateDir: t.TempDir(), Threads: 1})
	if err == nil || !strings.Contains(err.Error(), "the server ended") {
		t.Errorf("a server that ends at once gives %v", err)
	}
}
