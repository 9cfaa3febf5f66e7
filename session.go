package basalt

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser"
)

// Session is a sequence of statements with its own current database, settings and user
// variables. One goroutine uses it at a time; CancelQuery may be called from any.
type Session struct {
	db       *DB
	id       uint64
	user     string
	host     string
	settings *settings

	traced    *tracedStatement // of optimizer_trace; nil: none yet
	variables map[string]variable
	prepared  map[string]*Prepared // PREPARE name FROM …
	warnings  []warning            // of the last statement, for SHOW WARNINGS
	// lastInsert is the last statement that wrote rows, for SHOW LAST INSERT; nil: none.
	lastInsert *catalog.Transaction
	// began: BEGIN was said; settled is lastInsert when it, or the last COMMIT or ROLLBACK, was.
	began     bool
	settled   *catalog.Transaction
	localFile LocalFile // nil: files of this process's user

	mu       sync.Mutex // guards what other goroutines look at
	database string
	running  string
	since    time.Time
	cancel   context.CancelCauseFunc
	killed   error
	onKill   func()
}

type variable = vector.Value

// ID is the connection id that CONNECTION_ID() and KILL use.
func (s *Session) ID() uint64 { return s.id }

// User is who the session is for.
func (s *Session) User() string { return s.user }

// Database is the current database.
func (s *Session) Database() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database
}

// Use changes the current database.
func (s *Session) Use(database string) error {
	if !s.db.cat.Snapshot().HasDatabase(database) {
		return sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", database)
	}
	s.mu.Lock()
	s.database = database
	s.mu.Unlock()
	return nil
}

// LocalFile copies a file of the client's to w: LOAD DATA LOCAL INFILE.
type LocalFile func(ctx context.Context, name string, w io.Writer) error

// SetLocalFile says where the files of LOAD DATA LOCAL are. A session without one reads them itself, as those of the
// program that it runs in.
func (s *Session) SetLocalFile(f LocalFile) { s.localFile = f }

// OnKill sets what to call when the session is killed: once, from another goroutine, or
// at once when that has happened already.
func (s *Session) OnKill(f func()) {
	s.mu.Lock()
	if s.killed == nil {
		s.onKill = f
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	f()
}

func (s *Session) kill(cause error) {
	s.mu.Lock()
	s.killed = cause
	cancel, f := s.cancel, s.onKill
	s.onKill = nil
	s.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
	if f != nil {
		f()
	}
}

// canceller ends the running statement for a reason that its client is told; nil when none runs.
func (s *Session) canceller() context.CancelCauseFunc {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancel
}

// CancelQuery cancels the running statement, if there is one.
func (s *Session) CancelQuery() {
	s.mu.Lock()
	cancel := s.cancel
	s.mu.Unlock()
	if cancel != nil {
		cancel(errInterrupted)
	}
}

var errInterrupted = sqlerr.New(sqlerr.Interrupted, "Query execution was interrupted")

// Reset brings the session back to its state after NewSession, as COM_RESET_CONNECTION asks.
func (s *Session) Reset() {
	s.db.mu.Lock()
	s.settings = s.db.global.clone()
	s.db.mu.Unlock()
	clear(s.variables)
	clear(s.prepared)
}

// ChangeUser makes the session another user's, as new: a server calls it when a client has
// said who it is, and again for COM_CHANGE_USER. The id stays.
func (s *Session) ChangeUser(user string) {
	s.Reset()
	s.mu.Lock()
	s.user, s.database = user, catalog.DefaultDatabase
	s.mu.Unlock()
}

// Setting is the text of a system variable, "" for one that does not exist.
func (s *Session) Setting(name string) string { return s.settings.values[name] }

// Close ends the session. Rows still open must be closed before.
func (s *Session) Close() {
	s.db.mu.Lock()
	delete(s.db.sessions, s.id)
	s.db.mu.Unlock()
}

func (s *Session) info() SessionInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SessionInfo{s.id, s.user, s.host, s.database, s.running, s.since}
}

// begin marks a statement as running and returns its context and what to call at its end.
// The context ends with ctx, KILL, and query_timeout.
func (s *Session) begin(ctx context.Context, text string) (context.Context, func(), error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopTimer := func() {}
	if t := s.settings.int("query_timeout"); t > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, time.Duration(t)*time.Second,
			sqlerr.New(sqlerr.QueryTimeout, "Query execution was interrupted, query_timeout of %d seconds exceeded", t))
		stopTimer = stop
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.killed != nil {
		cancel(s.killed)
		stopTimer()
		return nil, nil, s.killed
	}
	s.running, s.since, s.cancel = text, time.Now(), cancel
	s.db.counters.Running.Add(1)
	start := s.since
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			s.mu.Lock()
			s.running, s.since, s.cancel = "", time.Now(), nil
			s.mu.Unlock()
			s.db.counters.Running.Add(-1)
			took := time.Since(start)
			s.db.counters.QueryNanos.Add(int64(took))
			s.logSlow(text, took)
			cancel(context.Canceled)
			stopTimer()
		})
	}, nil
}

// causeOf replaces the plain error of an ended context by why it ended.
func causeOf(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		var e *sqlerr.Error
		if cause := context.Cause(ctx); errors.As(cause, &e) {
			return e
		}
		return errInterrupted
	}
	return sqlerr.From(err)
}

// Statement is one parsed statement of a script.
type Statement struct {
	parsed parser.Parsed
}

// Text is the statement as written.
func (st *Statement) Text() string { return st.parsed.Text }

// NumParams is the number of ? placeholders.
func (st *Statement) NumParams() int { return st.parsed.ParamCount }

func (s *Session) parserOptions() parser.Options {
	return parser.Options{AnsiQuotes: s.settings.hasMode("ANSI_QUOTES"), PipesAsConcat: s.settings.hasMode("PIPES_AS_CONCAT")}
}

// Parse splits text into statements. Errors are *sqlerr.Error with a position in text.
func (s *Session) Parse(text string) ([]*Statement, error) {
	list, err := parser.Parse(text, s.parserOptions())
	if err != nil {
		return nil, err
	}
	out := make([]*Statement, len(list))
	for i := range list {
		out[i] = &Statement{list[i]}
	}
	return out, nil
}

func (s *Session) parseOne(text string) (*Statement, error) {
	list, err := s.Parse(text)
	if err != nil {
		return nil, err
	}
	switch len(list) {
	case 0:
		return nil, sqlerr.New(sqlerr.EmptyQuery, "Query was empty")
	case 1:
		return list[0], nil
	}
	return nil, sqlerr.New(sqlerr.Syntax, "one statement is expected here, the text has %d", len(list)).At(list[1].parsed.Start)
}

// Query runs one statement and returns its rows; statements without rows give a Rows whose
// Columns is empty. args are the values of ?: nil, bool, integers, floats, string, []byte, time.Time.
func (s *Session) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	st, err := s.parseOne(text)
	if err != nil {
		return nil, err
	}
	params, err := paramValues(args)
	if err != nil {
		return nil, err
	}
	return s.Execute(ctx, st, params)
}

// Exec runs one statement to its end and returns the number of affected rows.
func (s *Session) Exec(ctx context.Context, text string, args ...any) (int64, error) {
	rows, err := s.Query(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	for {
		b, err := rows.NextBatch(ctx)
		if err != nil {
			_ = rows.Close()
			return 0, err
		}
		if b == nil {
			return rows.RowsAffected(), rows.Close()
		}
	}
}

// Prepared is a statement that was parsed and described once.
type Prepared struct {
	Statement *Statement
	// Columns of the result, nil for statements without rows. They are those at the time
	// of Prepare; Execute's Rows tell the current ones.
	Columns []Column
}

// Prepare parses one statement and, for queries, finds its columns.
func (s *Session) Prepare(ctx context.Context, text string) (*Prepared, error) {
	st, err := s.parseOne(text)
	if err != nil {
		return nil, err
	}
	cols, err := s.describe(ctx, st)
	if err != nil {
		return nil, err
	}
	return &Prepared{st, cols}, nil
}

// userVariable is @name; unset ones are NULL.
func (s *Session) userVariable(name string) vector.Value {
	if v, ok := s.variables[strings.ToLower(name)]; ok {
		return v
	}
	return vector.NullOf(sqltype.VarcharOf(0))
}
