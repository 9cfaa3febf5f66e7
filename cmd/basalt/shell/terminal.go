package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/reeflective/readline"

	"github.com/basaltdb/basalt"
)

const historyFile = ".basalt_history"

// Interactive reads statements from the terminal until \q or Ctrl-D. What goes wrong is
// printed, and the next statement may follow.
func (s *Shell) Interactive(ctx context.Context) error {
	fmt.Fprintf(s.o.Out, "Basalt %s, %s\nStatements end with ; and \\? shows the commands.\n\n", basalt.Version, s.client.Where())
	editor := readline.NewShell()
	// The editor takes typed bytes above 127 for Alt keys unless told that they are text.
	_ = editor.Config.Set("convert-meta", false)
	_ = editor.Config.Set("input-meta", true)
	_ = editor.Config.Set("output-meta", true)
	editor.AcceptMultiline = func(line []rune) bool { return complete(string(line)) }
	editor.Prompt.Primary(s.prompt)
	editor.Prompt.Secondary(func() string { return "     -> " })
	if home, err := os.UserHomeDir(); err == nil {
		editor.History.AddFromFile("statements", filepath.Join(home, historyFile))
	}
	for ctx.Err() == nil {
		line, err := editor.Readline()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(s.o.Out, "Bye")
			return nil
		case err != nil:
			return err
		}
		if err := s.entered(ctx, line); errors.Is(err, errQuit) {
			fmt.Fprintln(s.o.Out, "Bye")
			return nil
		} else if err != nil {
			s.printError(err)
			fmt.Fprintln(s.o.Out)
		}
	}
	return ctx.Err()
}

// entered runs what was typed. Ctrl-C cancels it and nothing else.
func (s *Shell) entered(ctx context.Context, line string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if command := wordCommand(line); command != "" {
		return s.meta(ctx, command)
	}
	return s.script(ctx, line)
}

func (s *Shell) prompt() string {
	if db := s.client.Database(); db != "" {
		return "basalt [" + db + "]> "
	}
	return "basalt> "
}

// complete reports whether what was typed can run: it ends with an end, or is a command
// for the shell.
func complete(text string) bool {
	_, rest := Split(text)
	return skipSpace(rest) == "" || wordCommand(text) != ""
}

// wordCommand is the shell command for words that users of other shells type without an end.
func wordCommand(line string) string {
	word, rest, _ := strings.Cut(strings.TrimRight(strings.TrimSpace(line), ";"), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(word) {
	case "exit", "quit":
		if rest == "" {
			return `\q`
		}
	case "help", "?":
		if rest == "" {
			return `\?`
		}
	case "use":
		if rest != "" && !strings.ContainsAny(rest, " ;\n") {
			return `\c ` + rest
		}
	}
	return ""
}
