package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/cmd/basalt/shell"
	"github.com/basaltdb/basalt/server"
	statushttp "github.com/basaltdb/basalt/server/http"
)

// printedError is an error that the user has seen.
type printedError struct{ error }

func isPrinted(err error) bool {
	var p printedError
	return errors.As(err, &p)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "basalt",
		Short:         "A columnar SQL engine over files",
		Long:          "Basalt runs SQL over Parquet files: as a server of the MySQL protocol, or right here.\nTry: basalt demo",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), sqlCommand(), genCommand(), demoCommand(), versionCommand())
	return root
}

func serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the MySQL protocol",
		Example: "  basalt serve --data ./data\n" +
			"  basalt serve --data ./data --mysql 0.0.0.0:9030 --root-password secret\n" +
			"  basalt serve --demo",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			o.Out = cmd.OutOrStdout()
			return serve(ctx, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Data, "data", "", "data folder, made when missing; without it tables are forgotten at the end")
	f.StringVar(&o.MySQL, "mysql", server.DefaultAddress, "address of the MySQL protocol")
	f.StringVar(&o.HTTP, "http", statushttp.DefaultAddress, "address of /healthz and /metrics; empty for none")
	f.BoolVar(&o.Demo, "demo", false, "serve a small TPC-H data set as database tpch")
	f.StringVar(&o.RootPassword, "root-password", os.Getenv("BASALT_ROOT_PASSWORD"), "password of root (or the environment's BASALT_ROOT_PASSWORD)")
	f.StringVar(&o.UsersFile, "users", "", "file of further users: lines of user:password or user:*HASH as MySQL's PASSWORD() gives")
	f.StringVar(&o.TLSCert, "tls-cert", "", "certificate file (PEM) to offer TLS with")
	f.StringVar(&o.TLSKey, "tls-key", "", "key file (PEM) of the certificate")
	f.IntVar(&o.MaxConnections, "max-connections", 1024, "connections at a time")
	f.IntVar(&o.Workers, "workers", 0, "drivers that compute at a time (default: cores)")
	f.StringVar(&o.Files, "secure-file-priv", "", "folder that INTO OUTFILE and LOAD DATA may write and read; / for all, NULL for none (default: files in the data folder)")
	f.StringVar(&o.Memory, "memory", "", "memory of the process: 4G, 512M (default: three quarters of the machine's)")
	return cmd
}

func sqlCommand() *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:   "sql",
		Short: "Run SQL: an interactive shell, a script or one statement",
		Long:  "Without --host the engine runs in this process, on the data folder of --data or in memory.",
		Example: "  basalt sql -e \"SELECT count(*) FROM 'sales/*.parquet'\"\n" +
			"  basalt sql --data ./data -D shop\n" +
			"  basalt sql --host 127.0.0.1 --port 9030 -u root -f report.sql --format csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.AskPassword = cmd.Flags().Changed("password") && o.Password == askPassword
			o.Remote = o.Host != "" || cmd.Flags().Changed("port")
			o.In, o.Out, o.Err = os.Stdin, os.Stdout, os.Stderr
			return runSQL(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	// -h is the host, as in mysql; help stays under its long name.
	f.Bool("help", false, "help for sql")
	f.StringVar(&o.Data, "data", "", "data folder to open in this process")
	f.StringVarP(&o.Host, "host", "h", "", "connect to a server on this host")
	f.StringVarP(&o.Port, "port", "P", "9030", "port of the server")
	f.StringVarP(&o.User, "user", "u", "root", "user")
	f.StringVarP(&o.Password, "password", "p", "", "password; without a value it is asked for")
	f.Lookup("password").NoOptDefVal = askPassword
	f.StringVarP(&o.Database, "database", "D", "", "database to start in")
	f.StringVarP(&o.Execute, "execute", "e", "", "run these statements and end")
	f.StringVarP(&o.File, "file", "f", "", "run the statements of a file and end")
	f.StringVar(&o.Format, "format", "table", strings.Join(shell.Formats, ", "))
	return cmd
}

// askPassword is --password without a value.
const askPassword = "\x00ask"

func genCommand() *cobra.Command {
	gen := &cobra.Command{Use: "gen", Short: "Make benchmark data"}
	var o genOptions
	tpch := &cobra.Command{
		Use:     "tpch",
		Short:   "Write the TPC-H data set as Parquet folders",
		Example: "  basalt gen tpch --sf 1 --out ./tpch",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			o.Out, o.Bar = cmd.OutOrStdout(), nil
			if term.IsTerminal(int(os.Stderr.Fd())) {
				o.Bar = os.Stderr
			}
			return genTPCH(ctx, o)
		},
	}
	f := tpch.Flags()
	f.Float64Var(&o.ScaleFactor, "sf", 1, "scale factor: 1 is about 1 GB of text; from 0.001")
	f.StringVar(&o.Dir, "out", "", "folder to write to")
	f.StringSliceVar(&o.Tables, "tables", nil, "these tables only")
	f.IntVar(&o.Files, "files", 1, "files a table")
	_ = tpch.MarkFlagRequired("out")
	gen.AddCommand(tpch)
	return gen
}

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "A short tour: makes a little data, serves it, queries it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return demo(ctx, cmd.OutOrStdout())
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "basalt %s (%s, %s/%s)\n", basalt.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}

// interrupted returns ctx that Ctrl-C ends too, for runs without a terminal shell.
func interrupted(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, os.Interrupt)
}
