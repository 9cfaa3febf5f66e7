package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/cmd/basalt/shell"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

type sqlOptions struct {
	Data                            string
	Remote                          bool
	Host, Port, User, Password      string
	AskPassword                     bool
	Database, Execute, File, Format string
	In                              *os.File
	Out, Err                        *os.File
}

// runSQL runs a statement, a script or the interactive shell.
func runSQL(ctx context.Context, o sqlOptions) (err error) {
	if err := shell.CheckFormat(o.Format); err != nil {
		return err
	}
	interactive := o.Execute == "" && o.File == "" && term.IsTerminal(int(o.In.Fd()))
	if !interactive {
		var stop func()
		ctx, stop = interrupted(ctx)
		defer stop()
	}
	client, err := o.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := client.Close(); err == nil {
			err = cerr
		}
	}()
	toTerminal := term.IsTerminal(int(o.Out.Fd()))
	s := shell.New(client, shell.Options{
		Format: o.Format, Footer: toTerminal && o.Format == "table", Progress: term.IsTerminal(int(o.Err.Fd())) && toTerminal,
		Out: o.Out, Err: o.Err,
	})
	if interactive {
		return s.Interactive(ctx)
	}
	text, err := o.script()
	if err != nil {
		return err
	}
	if err := s.Script(ctx, text); err != nil {
		return printedError{err}
	}
	return nil
}

// script is what to run when there is nobody to type it.
func (o sqlOptions) script() (string, error) {
	if o.Execute != "" {
		return o.Execute, nil
	}
	in := io.Reader(o.In)
	if o.File != "" && o.File != "-" {
		f, err := os.Open(o.File)
		if err != nil {
			return "", sqlerr.Wrap(sqlerr.FileNotFound, err, "cannot read the script")
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return "", sqlerr.Wrap(sqlerr.FileIO, err, "cannot read the script")
	}
	return string(text), nil
}

func (o sqlOptions) connect(ctx context.Context) (shell.Client, error) {
	if !o.Remote {
		db, err := basalt.Open(o.Data, basalt.Options{})
		if err != nil {
			return nil, err
		}
		client, err := shell.NewEmbedded(db, o.Database)
		if err != nil {
			_ = db.Close()
			return nil, err
		}
		return client, nil
	}
	if o.Data != "" {
		return nil, sqlerr.New(sqlerr.WrongArguments, "--data opens a folder in this process, --host a server: give one of them")
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.AskPassword {
		fmt.Fprint(o.Err, "Password: ")
		password, err := term.ReadPassword(int(o.In.Fd()))
		fmt.Fprintln(o.Err)
		if err != nil {
			return nil, sqlerr.Wrap(sqlerr.WrongArguments, err, "cannot ask for the password")
		}
		o.Password = string(password)
	}
	return shell.Dial(ctx, shell.RemoteOptions{Host: o.Host, Port: o.Port, User: o.User, Password: o.Password, Database: o.Database})
}
