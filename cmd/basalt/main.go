// Command basalt is the engine as a server and as a shell.
//
//	basalt serve --data DIR    serve the MySQL protocol
//	basalt sql                 run SQL here, or on a server
//	basalt gen tpch            make benchmark data
//	basalt demo                a short tour
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/basaltdb/basalt/cmd/basalt/shell"
)

func main() {
	// Ctrl-C and a polite kill end whatever runs; the interactive shell takes Ctrl-C for itself.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := newRootCommand().ExecuteContext(ctx); err != nil {
		if !isPrinted(err) {
			fmt.Fprintln(os.Stderr, shell.ErrorText(err))
		}
		os.Exit(1)
	}
}
