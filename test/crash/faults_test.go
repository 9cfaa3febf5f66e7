package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

var errFull = errors.New("no space left on device")

// faultFS fails one call that changes the disk, and notes whether files are made durable before they
// are published.
type faultFS struct {
	storage.OSFS
	mu      sync.Mutex
	left    int // calls until the fault; 0: none
	after   bool
	dirty   map[string]bool // written since the last sync
	unnamed map[string]bool // folders whose entries changed since the last sync
}

func newFaultFS() *faultFS { return &faultFS{dirty: map[string]bool{}, unnamed: map[string]bool{}} }

// step counts a call; it fails when its turn has come, and so do all after it where after is set.
func (f *faultFS) step() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left > 0 {
		if f.left--; f.left == 0 {
			if f.after {
				f.left = 1
			}
			return sqlerr.Wrap(sqlerr.FileIO, errFull, "fault")
		}
	}
	return nil
}

func (f *faultFS) arm(calls int, after bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left, f.after = calls, after
}

func (f *faultFS) Create(path string) (storage.WritableFile, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	w, err := f.OSFS.Create(path)
	return &faultFile{w, f, path}, err
}

func (f *faultFS) MkdirAll(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.OSFS.MkdirAll(dir)
}

func (f *faultFS) Rename(from, to string) error {
	if err := f.step(); err != nil {
		return err
	}
	f.mu.Lock()
	if f.dirty[from] {
		f.dirty[to] = true
	}
	delete(f.dirty, from)
	f.unnamed[filepath.Dir(to)] = true
	f.mu.Unlock()
	return f.OSFS.Rename(from, to)
}

func (f *faultFS) SyncDir(dir string) error {
	if err := f.step(); err != nil {
		return err
	}
	f.mu.Lock()
	delete(f.unnamed, dir)
	f.mu.Unlock()
	return f.OSFS.SyncDir(dir)
}

type faultFile struct {
	storage.WritableFile
	fs   *faultFS
	path string
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := f.fs.step(); err != nil {
		return 0, err
	}
	f.fs.mu.Lock()
	f.fs.dirty[f.path] = true
	f.fs.mu.Unlock()
	return f.WritableFile.Write(p)
}

func (f *faultFile) Sync() error {
	if err := f.fs.step(); err != nil {
		return err
	}
	f.fs.mu.Lock()
	delete(f.fs.dirty, f.path)
	f.fs.mu.Unlock()
	return f.WritableFile.Sync()
}

// multiInsert writes a batch to several tables by one statement.
func multiInsert(batch int64, tables []string) string {
	sql := fmt.Sprintf(`FROM numbers("number"="%d") x`, rowsPerBatch)
	for _, table := range tables {
		one := insertBatch(table, batch)
		one, _, _ = strings.Cut(one, " FROM ")
		one = strings.Replace(one, " WITH LABEL "+label(table, batch), "", 1)
		sql += " " + one
	}
	return sql
}

// TestFaults fails one write, sync or rename (or all from one on, as a full disk does) in each of many statements:
// a statement that fails changes nothing, one that succeeds is whole.
func TestFaults(t *testing.T) {
	rounds := 60
	if *long {
		rounds = 1000
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 2))
	dir := t.TempDir()
	e := newExpectation()
	failed := 0
	for n := int64(1); n <= int64(rounds); {
		fs := newFaultFS()
		db, err := basalt.Open(dir, basalt.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), FS: fs, Settings: map[string]string{"enable_auto_compaction": "0"}})
		if err != nil {
			t.Fatal(err)
		}
		s := db.NewSession(basalt.SessionOptions{})
		if err := makeTables(s, dir); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			table, sql := "ins", insertBatch("ins", n)
			tables := 0 // those of a multi-insert
			switch k := r.IntN(12); {
			case k < 2:
				table = batchTables[1+k]
				sql = insertBatch(table, n)
			case k < 5:
				table = overwritten[k-2]
				sql = overwrite(table, n)
			case k == 6:
				tables = 2 + r.IntN(2)
				table, sql = "", multiInsert(n, batchTables[:tables])
			case k == 9:
				table = "altered"
				sql = insertBatch(table, n)
			case k > 9:
				table, sql = "", columnStatements[3+2*r.IntN(2)]
			case k == 5:
				table, sql = "", `ALTER TABLE `+[]string{"ins", "plain", "ow", "managed"}[r.IntN(4)]+` CONCATENATE`
			}
			fs.arm(1+r.IntN(80), r.IntN(2) == 0)
			_, err := s.Exec(context.Background(), sql)
			fs.arm(0, false)
			switch {
			case err == nil && tables > 0:
				for _, table := range batchTables[:tables] {
					e.done[table][n] = true
				}
			case err == nil && table != "":
				e.done[table][n] = true
			case err != nil && (!errors.Is(err, errFull) || !strings.Contains(err.Error(), "no space left")):
				t.Fatalf("%s: %v", sql, err)
			case err != nil:
				failed++
			}
			if err == nil && len(fs.dirty)+len(fs.unnamed) > 0 {
				t.Fatalf("%s: published before it was durable: %v %v", sql, fs.dirty, fs.unnamed)
			}
			clear(fs.dirty)
			clear(fs.unnamed)
			if slices.Contains(overwritten, table) && err == nil {
				e.done[table] = map[int64]bool{n: true}
			}
			n++
		}
		s.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := check(dir, e, false); err != nil {
			t.Fatalf("-seed %d, after statement %d: %v", *seed, n, err)
		}
	}
	if failed < rounds/4 {
		t.Errorf("only %d of %d statements failed", failed, rounds)
	}
	t.Logf("%d of %d statements failed", failed, rounds)
}
