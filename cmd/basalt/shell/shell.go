package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Options say how a Shell prints.
type Options struct {
	Format string // one of Formats; "" is table
	// Footer prints the number of rows and the time after each result.
	Footer bool
	// Progress shows on Err that a statement still runs; for terminals.
	Progress bool
	Out, Err io.Writer
}

// Shell runs statements and prints what they give. One goroutine uses it.
type Shell struct {
	client   Client
	o        Options
	vertical bool
	depth    int // of scripts that run scripts
}

// New makes a shell over client, which stays the caller's.
func New(client Client, o Options) *Shell {
	if o.Format == "" {
		o.Format = Formats[0]
	}
	return &Shell{client: client, o: o}
}

// errQuit is \q.
var errQuit = errors.New("quit")

// Script runs the statements of a text; the last one needs no end. It stops at the first
// that fails, prints what was wrong and returns it.
func (s *Shell) Script(ctx context.Context, text string) error {
	err := s.script(ctx, text)
	if errors.Is(err, errQuit) {
		return nil
	}
	if err != nil {
		s.printError(err)
	}
	return err
}

func (s *Shell) script(ctx context.Context, text string) error {
	list, rest := Split(text)
	if skipSpace(rest) != "" {
		list = append(list, Statement{Text: strings.TrimSpace(rest)})
	}
	for _, st := range list {
		if err := s.statement(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// statement runs one statement or shell command and prints its result.
func (s *Shell) statement(ctx context.Context, st Statement) error {
	if st.Meta {
		return s.meta(ctx, st.Text)
	}
	start := time.Now()
	done := s.progress()
	defer done()
	return s.client.Run(ctx, st.Text, func(r Result) error {
		if len(r.Columns) == 0 {
			done()
			if s.o.Footer {
				fmt.Fprintf(s.o.Out, "Query OK, %s affected (%s)\n\n", rowsText(r.Affected), seconds(start))
			}
			return nil
		}
		next := r.Next
		r.Next = func(row []Cell) (bool, error) {
			ok, err := next(row)
			done()
			return ok, err
		}
		n, err := write(s.o.Out, s.o.Format, s.vertical || st.Vertical, r)
		if err != nil {
			return err
		}
		if s.o.Footer {
			if n == 0 {
				fmt.Fprintf(s.o.Out, "Empty set (%s)\n\n", seconds(start))
			} else {
				fmt.Fprintf(s.o.Out, "%s in set (%s)\n\n", rowsText(n), seconds(start))
			}
		}
		return nil
	})
}

func rowsText(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

func seconds(start time.Time) string { return fmt.Sprintf("%.3f sec", time.Since(start).Seconds()) }

// ErrorText is an error as mysql prints it: number, SQLSTATE, message.
func ErrorText(err error) string {
	var remote *mysql.MySQLError
	if errors.As(err, &remote) {
		return fmt.Sprintf("ERROR %d (%s): %s", remote.Number, remote.SQLState[:], remote.Message)
	}
	var e *sqlerr.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("ERROR %d (%s): %s", e.Code.Number, e.Code.SQLState, e.Error())
	}
	return "ERROR: " + err.Error()
}

func (s *Shell) printError(err error) { fmt.Fprintln(s.o.Err, ErrorText(err)) }

const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

// progress shows a turning sign and the time from progressAfter on, until the returned
// function is called, which may be often.
func (s *Shell) progress() (done func()) {
	if !s.o.Progress {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	start := time.Now()
	go func() {
		defer close(stopped)
		wait := time.NewTimer(progressAfter)
		defer wait.Stop()
		for i, drawn := 0, false; ; i++ {
			select {
			case <-stop:
				if drawn {
					fmt.Fprint(s.o.Err, "\r\x1b[K")
				}
				return
			case <-wait.C:
				drawn = true
				fmt.Fprintf(s.o.Err, "\r%c %.1f s (Ctrl-C cancels)\x1b[K", []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[i%10], time.Since(start).Seconds())
				wait.Reset(progressEvery)
			}
		}
	}()
	ended := false
	return func() {
		if !ended {
			ended = true
			close(stop)
			<-stopped
		}
	}
}

const help = `Statements end with ; or \G (one line a value) and may take several lines.

  \l            list databases            \c DB         change the database (or: USE DB;)
  \dt           list tables               \timing       row counts and times on and off
  \d TABLE      describe a table          \f FORMAT     table, csv, tsv, json, markdown
  \x            one line a value          \i FILE       run a script
  \?            this help                 \q            quit (or Ctrl-D)

  Ctrl-C        cancel the statement that runs, or drop the one being written
  EXPLAIN q;    the plan of a query       EXPLAIN ANALYZE q;   what it did
`

// maxDepth bounds \i in scripts that \i runs.
const maxDepth = 16

// meta runs a command for the shell itself.
func (s *Shell) meta(ctx context.Context, line string) error {
	name, arg, _ := strings.Cut(strings.TrimRight(line, "; \t"), " ")
	arg = strings.TrimSpace(arg)
	run := func(statement string) error { return s.statement(ctx, Statement{Text: statement}) }
	switch name {
	case `\q`, `\quit`:
		return errQuit
	case `\?`, `\h`, `\help`:
		_, err := io.WriteString(s.o.Out, help)
		return err
	case `\l`:
		return run("SHOW DATABASES")
	case `\dt`:
		return run("SHOW TABLES")
	case `\d`:
		if arg == "" {
			return run("SHOW TABLES")
		}
		return run("DESCRIBE " + quoteName(arg))
	case `\c`, `\u`:
		if arg == "" {
			return sqlerr.New(sqlerr.WrongArguments, `\c needs a database`)
		}
		return run("USE " + quoteName(arg))
	case `\timing`:
		s.o.Footer = !s.o.Footer
		return s.say("row counts and times are %s", onOff(s.o.Footer))
	case `\x`:
		s.vertical = !s.vertical
		return s.say("one line a value is %s", onOff(s.vertical))
	case `\f`:
		if err := CheckFormat(arg); err != nil {
			return err
		}
		s.o.Format = arg
		return nil
	case `\i`, `\.`:
		return s.include(ctx, arg)
	}
	return sqlerr.New(sqlerr.WrongArguments, `unknown command %s: \? lists the commands`, name)
}

func (s *Shell) include(ctx context.Context, path string) error {
	if s.depth >= maxDepth {
		return sqlerr.New(sqlerr.WrongArguments, `\i is nested more than %d times: %s`, maxDepth, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return sqlerr.Wrap(sqlerr.FileNotFound, err, `\i`)
	}
	s.depth++
	defer func() { s.depth-- }()
	return s.script(ctx, string(text))
}

func (s *Shell) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.o.Out, format+"\n", args...)
	return err
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// quoteName back-quotes a name of up to three parts unless it is quoted already.
func quoteName(name string) string {
	if strings.Contains(name, "`") {
		return name
	}
	return "`" + strings.ReplaceAll(name, ".", "`.`") + "`"
}
