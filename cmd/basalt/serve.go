package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server"
	statushttp "github.com/basaltdb/basalt/server/http"
)

type serveOptions struct {
	Data, MySQL, HTTP, Memory string
	Files                     string // secure_file_priv
	RootPassword, UsersFile   string
	TLSCert, TLSKey           string
	MaxConnections, Workers   int
	Demo                      bool
	Out                       io.Writer
}

// drainTime is how long running statements may go on after the order to stop.
const drainTime = 3 * time.Second

// serve runs until ctx ends.
func serve(ctx context.Context, o serveOptions) (err error) {
	limit, err := parseBytes(o.Memory)
	if err != nil {
		return err
	}
	so, err := o.serverOptions()
	if err != nil {
		return err
	}
	files, err := o.files()
	if err != nil {
		return err
	}
	db, err := basalt.Open(o.Data, basalt.Options{MemoryLimit: limit, Workers: o.Workers, Settings: map[string]string{"secure_file_priv": files}})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	db.SetMemoryLimit()
	s, err := server.Listen(db, so)
	if err != nil {
		return err
	}
	var web *statushttp.Server
	if o.HTTP != "" {
		if web, err = statushttp.Listen(o.HTTP, db, s.Stats); err != nil {
			s.Shutdown(ctx)
			return err
		}
	}
	stop := start(s, web)
	defer stop()
	if o.Demo {
		cleanup, err := demoData(ctx, db, o)
		if err != nil {
			return err
		}
		defer cleanup()
	}
	host, port, _ := net.SplitHostPort(s.Addr().String())
	if err := db.AnnounceServer(host, port); err != nil {
		return err
	}
	o.greet(s, web)
	<-ctx.Done()
	fmt.Fprintln(o.Out, "Stopping: running statements have a moment to end.")
	return nil
}

// files is secure_file_priv: clients of a server reach no file outside of one folder unless it is told to let them.
func (o serveOptions) files() (string, error) {
	switch {
	case o.Files == "/":
		return "", nil
	case o.Files == "" && o.Data == "":
		return "NULL", nil
	case o.Files != "":
		return o.Files, nil
	}
	dir, err := filepath.Abs(filepath.Join(o.Data, "files"))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return "", sqlerr.Wrap(sqlerr.FileIO, err, "cannot make the folder for files")
	}
	return dir, nil
}

// start serves in the background and returns what ends it, which waits for all connections.
func start(s *server.Server, web *statushttp.Server) (stop func()) {
	done := make(chan struct{}, 2)
	run := func(serve func() error) {
		if err := serve(); err != nil {
			slog.Error("server ended", "error", err)
		}
		done <- struct{}{}
	}
	go run(s.Serve)
	servers := 1
	if web != nil {
		servers++
		go run(web.Serve)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		s.Shutdown(ctx)
		if web != nil {
			web.Shutdown(ctx)
		}
		for range servers {
			<-done
		}
	}
}

func (o serveOptions) serverOptions() (server.Options, error) {
	users := server.NewUsers()
	if o.RootPassword != "" {
		users.SetPassword("root", o.RootPassword)
	}
	if o.UsersFile != "" {
		if err := users.Load(o.UsersFile); err != nil {
			return server.Options{}, err
		}
	}
	so := server.Options{Address: o.MySQL, Users: users, MaxConnections: o.MaxConnections}
	switch {
	case o.TLSCert != "" && o.TLSKey != "":
		cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
		if err != nil {
			return so, sqlerr.Wrap(sqlerr.FileIO, err, "cannot read the TLS certificate")
		}
		so.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	case o.TLSCert != "" || o.TLSKey != "":
		return so, sqlerr.New(sqlerr.WrongArguments, "TLS needs both --tls-cert and --tls-key")
	}
	return so, nil
}

// greet tells how to connect.
func (o serveOptions) greet(s *server.Server, web *statushttp.Server) {
	host, port, _ := net.SplitHostPort(s.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	fmt.Fprintf(o.Out, "Basalt %s", basalt.Version)
	if o.Data != "" {
		fmt.Fprintf(o.Out, " serves the data folder %s\n", o.Data)
	} else {
		fmt.Fprint(o.Out, " serves from memory: tables are forgotten at the end, --data DIR keeps them\n")
	}
	ask, database := "", ""
	if o.RootPassword != "" {
		ask = " -p"
	}
	if o.Demo {
		database = " " + demoDatabase
	}
	fmt.Fprintf(o.Out, "  MySQL protocol  %s\n", s.Addr())
	fmt.Fprintf(o.Out, "    mysql -h %s -P %s -u root%s%s\n", host, port, ask, database)
	fmt.Fprintf(o.Out, "    basalt sql -h %s -P %s%s%s\n", host, port, ask, strings.Replace(database, " ", " -D ", 1))
	if web != nil {
		fmt.Fprintf(o.Out, "  Status          http://%s/healthz  http://%s/metrics\n", web.Addr(), web.Addr())
	}
	fmt.Fprintln(o.Out, "Ctrl-C stops it.")
}

// demoData makes the demo's data set in the data folder, or in a temporary one that the
// returned function removes. Data of an earlier run is used again.
func demoData(ctx context.Context, db *basalt.DB, o serveOptions) (cleanup func(), err error) {
	cleanup = func() {}
	dir := filepath.Join(o.Data, "demo", "tpch")
	if o.Data == "" {
		tmp, err := os.MkdirTemp("", "basalt-demo-")
		if err != nil {
			return cleanup, sqlerr.Wrap(sqlerr.FileIO, err, "cannot make a temporary folder")
		}
		cleanup = func() { _ = os.RemoveAll(tmp) }
		dir = tmp
	}
	if err := loadTPCH(ctx, db, dir, demoScale, o.Out); err != nil {
		cleanup()
		return func() {}, err
	}
	return cleanup, nil
}

// parseBytes reads 1073741824, 512M or 4G; "" is 0.
func parseBytes(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number, shift := strings.ToUpper(text), 0
	for i, unit := range []string{"K", "M", "G", "T"} {
		if n, ok := strings.CutSuffix(strings.TrimSuffix(number, "B"), unit); ok {
			number, shift = n, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 {
		return 0, sqlerr.New(sqlerr.WrongArguments, "--memory wants a size such as 4G or 512M, not %q", text)
	}
	return int64(n * float64(int64(1)<<shift)), nil
}
