package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/basaltdb/basalt/bench/result"
)

// Peer is a running peers program; its protocol is described there.
type Peer struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	hello   struct{ Engine, Version string }
}

// StartPeer starts the program over tables, the patterns of their files by name. The caller
// closes the peer.
func StartPeer(binary string, tables map[string]string, threads int) (*Peer, error) {
	args := []string{"-threads", strconv.Itoa(threads)}
	for name, files := range tables {
		args = append(args, "-table", name+"="+files)
	}
	p := &Peer{process: exec.Command(binary, args...)}
	p.process.Stderr = os.Stderr
	var err error
	if p.in, err = p.process.StdinPipe(); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	out, err := p.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	p.out = bufio.NewReaderSize(out, 1<<20)
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("runner: starting the peer: %w", err)
	}
	if err := p.read(&p.hello); err != nil {
		return nil, errors.Join(fmt.Errorf("runner: greeting of the peer: %w", err), p.Close())
	}
	return p, nil
}

func (p *Peer) read(into any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("the peer ended: %w", err)
	}
	return json.Unmarshal(line, into)
}

// Name is the peer's name, such as "DuckDB".
func (p *Peer) Name() string { return p.hello.Engine }

// Version is the peer's version.
func (p *Peer) Version() string { return p.hello.Version }

// Run has the peer execute one statement. The time is the peer's own: it excludes the
// way between the processes. A cancelled context ends the peer.
func (p *Peer) Run(ctx context.Context, query, sql string) (result.Set, time.Duration, error) {
	stop := context.AfterFunc(ctx, func() { _ = p.process.Process.Kill() })
	defer stop()
	request, err := json.Marshal(map[string]string{"query": query, "sql": sql})
	if err != nil {
		return result.Set{}, 0, err
	}
	if _, err := p.in.Write(append(request, '\n')); err != nil {
		return result.Set{}, 0, fmt.Errorf("the peer ended: %w", err)
	}
	var a struct {
		Millis  float64
		Columns []string
		Rows    [][]*string
		Error   string
	}
	if err := p.read(&a); err != nil {
		return result.Set{}, 0, err
	}
	if a.Error != "" {
		return result.Set{}, 0, errors.New(a.Error)
	}
	set := result.Set{Columns: a.Columns, Rows: make([][]result.Value, len(a.Rows))}
	for i, row := range a.Rows {
		set.Rows[i] = make([]result.Value, len(row))
		for c, v := range row {
			if v == nil {
				set.Rows[i][c].Null = true
			} else {
				set.Rows[i][c].Text = *v
			}
		}
	}
	return set, time.Duration(a.Millis * float64(time.Millisecond)), nil
}

// PeakMemory is the peer's largest resident size so far.
func (p *Peer) PeakMemory() int64 { return peakMemory(p.process.Process.Pid) }

// Close ends the peer's input, which ends the peer.
func (p *Peer) Close() error {
	p.in.Close()
	if err := p.process.Wait(); err != nil {
		return fmt.Errorf("runner: the peer: %w", err)
	}
	return nil
}
