package formats

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Peer is a Python process that runs DuckDB and pyarrow, one thread each, and measures itself.
type Peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	// DuckDB and Arrow are their versions.
	DuckDB, Arrow string
}

const peerScript = `
import sys, time, json, duckdb, pyarrow as pa, pyarrow.orc as orc
pa.set_cpu_count(1); pa.set_io_thread_count(1)
con = duckdb.connect()
con.execute("SET threads = 1"); con.execute("SET enable_progress_bar = false")
try: con.execute("SET enable_external_file_cache = false")
except duckdb.Error: pass
print(json.dumps({"duckdb": duckdb.__version__, "arrow": pa.__version__}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    out = {}
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        if job["kind"] == "duckdb":
            con.execute(job["text"]).fetchall()
        else:
            f = orc.ORCFile(job["text"])
            for i in range(f.nstripes): f.read_stripe(i)
    except Exception as e:
        out["error"] = str(e)
    out["cpu"], out["wall"] = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps(out), flush=True)
`

// StartPeer starts the process; an error says that Python, DuckDB or pyarrow is not there.
func StartPeer() (*Peer, error) {
	p := &Peer{cmd: exec.Command("python3", "-c", peerScript)}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var hello struct{ DuckDB, Arrow string }
	if !p.out.Scan() || json.Unmarshal(p.out.Bytes(), &hello) != nil {
		p.Close()
		return nil, errors.New("python3 has no duckdb or no pyarrow")
	}
	p.DuckDB, p.Arrow = hello.DuckDB, hello.Arrow
	return p, nil
}

// Close ends the process.
func (p *Peer) Close() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

func (p *Peer) ask(kind, text string) (Sample, error) {
	b, err := json.Marshal(map[string]string{"kind": kind, "text": text})
	if err != nil {
		return Sample{}, err
	}
	if _, err := p.in.Write(append(b, '\n')); err != nil {
		return Sample{}, err
	}
	if !p.out.Scan() {
		return Sample{}, fmt.Errorf("the process of DuckDB and pyarrow ended: %w", p.out.Err())
	}
	var r struct {
		CPU, Wall float64
		Error     string
	}
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		return Sample{}, err
	}
	if r.Error != "" {
		return Sample{}, errors.New(r.Error)
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return Sample{seconds(r.CPU), seconds(r.Wall)}, nil
}

// Query lets DuckDB run a query.
func (p *Peer) Query(text string) (Sample, error) { return p.ask("duckdb", text) }

// ScanORC lets pyarrow read a file.
func (p *Peer) ScanORC(path string) (Sample, error) { return p.ask("orc", path) }
