package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Checkout finds the folder of the module's go.mod, from the working folder upwards.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module github.com/basaltdb/basalt\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run it inside a checkout of Basalt")
		}
		dir = parent
	}
}

// BuildServer builds the server program into dir; BuildPeers the peers, which need cgo.
func BuildServer(ctx context.Context, checkout, dir string) (string, error) {
	return build(ctx, checkout, "./cmd/basalt", filepath.Join(dir, "basalt"))
}

// BuildPeers is BuildServer for the peers program.
func BuildPeers(ctx context.Context, checkout, dir string) (string, error) {
	return build(ctx, filepath.Join(checkout, "bench", "peers"), ".", filepath.Join(dir, "peers"))
}

func build(ctx context.Context, dir, pkg, out string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s in %s: %w\n%s", pkg, dir, err, text)
	}
	return out, nil
}
