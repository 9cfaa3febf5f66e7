package runner

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt/bench/result"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	startPoll    = 50 * time.Millisecond
	logTail      = 2000 // bytes of the server's output shown when it dies
)

// Server is a running Basalt server and one session on it.
type Server struct {
	process *exec.Cmd
	exited  chan struct{}
	output  string // file with what the server printed
	address string
	db      *sql.DB
	conn    *sql.Conn
	version string
	notes   []string
}

// ServerOptions say how to start the server and set up the session.
type ServerOptions struct {
	Binary   string   // the basalt program
	StateDir string   // a folder for the server's output and, below data/, its own tables
	Setup    []string // statements that make the session's tables and settings
	Threads  int
	Args     []string // more arguments of serve
}

// ExternalTables are the statements that make a database of external tables, one over
// each of the folders of Parquet files in dir.
func ExternalTables(database, dir string, tables []string) ([]string, error) {
	out := []string{"CREATE DATABASE " + database, "USE " + database}
	for _, t := range tables {
		path, err := filepath.Abs(filepath.Join(dir, t))
		if err != nil {
			return nil, err
		}
		out = append(out, fmt.Sprintf("CREATE EXTERNAL TABLE %s STORED AS PARQUET LOCATION '%s'", t, strings.ReplaceAll(path, "'", "''")))
	}
	return out, nil
}

// StartServer starts Basalt on a free port and sets a session up. The caller closes the
// server.
func StartServer(ctx context.Context, o ServerOptions) (*Server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, fmt.Errorf("runner: finding a port: %w", err)
	}
	s := &Server{exited: make(chan struct{}), address: addr, output: filepath.Join(o.StateDir, "server.log")}
	if err := os.MkdirAll(o.StateDir, 0o777); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	output, err := os.Create(s.output)
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	defer output.Close()
	args := append([]string{"serve", "--data", filepath.Join(o.StateDir, "data"), "--mysql", addr, "--http", ""}, o.Args...)
	s.process = exec.Command(o.Binary, args...)
	s.process.Stdout, s.process.Stderr = output, output
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("runner: starting Basalt: %w", err)
	}
	go func() {
		_ = s.process.Wait() // how it ended shows in its output
		close(s.exited)
	}()
	if err := s.connect(ctx, addr); err != nil {
		return nil, errors.Join(fmt.Errorf("runner: connecting to Basalt: %w%s", err, s.tail()), s.Close())
	}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("runner: setting Basalt up: %w%s", err, s.tail()), s.Close())
	}
	return s, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// connect waits until the server answers.
func (s *Server) connect(ctx context.Context, addr string) error {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr = "root", "tcp", addr
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	_ = mysql.SetLogger(&mysql.NopLogger{}) // refused connections are expected at first
	s.db = sql.OpenDB(connector)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if s.conn, err = s.db.Conn(ctx); err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("the server ended")
		case <-ctx.Done():
			return err
		case <-time.After(startPoll):
		}
	}
}

// session opens one more session and runs statements in it. The caller closes it.
func (s *Server) session(ctx context.Context, setup []string) (*sql.Conn, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	for _, text := range setup {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", text, s.explain(err)), conn.Close())
		}
	}
	return conn, nil
}

func (s *Server) prepare(ctx context.Context, o ServerOptions) error {
	statements := append(slices.Clone(o.Setup), fmt.Sprintf("SET parallel_fragment_exec_instance_num = %d", o.Threads))
	for _, text := range statements {
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	if _, err := s.conn.ExecContext(ctx, "SET enable_page_cache = false"); err != nil {
		s.notes = append(s.notes, "This Basalt has no page cache to switch off: every run decodes the files anew.")
	} else {
		s.notes = append(s.notes, "Basalt's page cache is off.")
	}
	return s.conn.QueryRowContext(ctx, "SELECT version()").Scan(&s.version)
}

// Alive asks the server for an answer.
func (s *Server) Alive(ctx context.Context) error { return s.conn.PingContext(ctx) }

// Address is where the server listens for clients.
func (s *Server) Address() string { return s.address }

// Name returns "Basalt".
func (s *Server) Name() string { return "Basalt" }

// Version is what the server says of itself.
func (s *Server) Version() string { return s.version }

// Notes are remarks on the session for the report.
func (s *Server) Notes() []string { return s.notes }

// Run sends one statement over the MySQL text protocol and reads all rows.
func (s *Server) Run(ctx context.Context, _, text string) (result.Set, time.Duration, error) {
	return s.runOn(ctx, s.conn, text)
}

func (s *Server) runOn(ctx context.Context, conn *sql.Conn, text string) (result.Set, time.Duration, error) {
	var set result.Set
	var raw fields
	start := time.Now()
	err := conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, text, nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		set.Columns = rows.Columns()
		return raw.read(rows)
	})
	took := time.Since(start)
	if err != nil {
		return result.Set{}, 0, s.explain(err)
	}
	set.Rows = raw.rows(len(set.Columns))
	return set, took, nil
}

// fields are the values of an answer as they came, one after the other; they become rows when
// the clock has stopped, as those of a peer do.
type fields struct {
	text []byte
	ends []int // -1-end for NULL
}

func (f *fields) read(rows driver.Rows) error {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				f.ends = append(f.ends, -1-len(f.text))
				continue
			case []byte: // the driver's until the next row
				f.text = append(f.text, v...)
			case string:
				f.text = append(f.text, v...)
			default: // numbers, which the driver parses
				f.text = fmt.Append(f.text, v)
			}
			f.ends = append(f.ends, len(f.text))
		}
	}
}

func (f *fields) rows(columns int) [][]result.Value {
	if columns == 0 {
		return nil
	}
	text, from := string(f.text), 0
	var out [][]result.Value
	for lo := 0; lo < len(f.ends); lo += columns {
		row := make([]result.Value, columns)
		for i, end := range f.ends[lo : lo+columns] {
			if end < 0 {
				row[i].Null = true
				continue
			}
			row[i].Text, from = text[from:end], end
		}
		out = append(out, row)
	}
	return out
}

// explain adds the server's last words when it is gone.
func (s *Server) explain(err error) error {
	select {
	case <-s.exited:
		return fmt.Errorf("the server ended: %w%s", err, s.tail())
	default:
		return err
	}
}

// PeakMemory is the server's largest resident size so far.
func (s *Server) PeakMemory() int64 { return peakMemory(s.process.Process.Pid) }

// Close ends the session and stops the server, by force if it does not stop by itself.
func (s *Server) Close() error {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.db != nil {
		s.db.Close()
	}
	_ = s.process.Process.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
	}
	err := s.process.Process.Kill()
	<-s.exited
	return errors.Join(errors.New("runner: Basalt did not stop when asked and was killed"), err)
}

func (s *Server) tail() string {
	text, err := os.ReadFile(s.output)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\nthe server's output ends with:\n" + string(text[max(0, len(text)-logTail):])
}
