// Package spill keeps what does not fit into memory in temporary files.
//
// A Store is a process's folder for them, an Area one query's subfolder, made when its
// first File is; Area.Close removes it with all it holds, and Store.Sweep, at the start of a
// process, what a crash left behind. A File is a sequence of blocks, each some rows of
// columns, compressed and checksummed; who writes keeps the list of its Blocks in memory.
// Parts is a File whose blocks belong to radix partitions. Hash operators write partitions,
// sorts write ordered runs, shared tables write rows as they come.
//
// A block on disk:
//
//	| u32 bytes of payload | u32 bytes uncompressed | u32 CRC-32C of payload | payload: S2 of
//	|   columns one after the other, see codec.go | extra byte strings, each behind its u32 length |
package spill

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Store is the folder of a process's temporary files. Safe for concurrent use.
type Store struct {
	fs   storage.FS
	dir  string
	next atomic.Int64
	// Written and Files count over all queries since the start.
	Written, Files atomic.Int64
}

// NewStore makes a store in dir, which nobody else may use. Nothing is created yet.
func NewStore(fs storage.FS, dir string) *Store { return &Store{fs: fs, dir: dir} }

// Sweep removes the folder and all that is in it.
func (s *Store) Sweep() error { return s.fs.RemoveAll(s.dir) }

// Path is where a file that is none of a query's area may go, whose caller removes it.
func (s *Store) Path(prefix string) (string, error) {
	if err := s.fs.MkdirAll(s.dir); err != nil {
		return "", err
	}
	return filepath.Join(s.dir, fmt.Sprintf("%s-%d", prefix, s.next.Add(1))), nil
}

// Counters are what an operator counts of its files; any may be nil.
type Counters struct {
	Written, Files, Read *atomic.Int64
}

func add(c *atomic.Int64, n int64) {
	if c != nil {
		c.Add(n)
	}
}

// Area is the temporary files of one query. Safe for concurrent use.
type Area struct {
	store *Store
	dir   string

	mu     sync.Mutex
	files  map[*File]struct{}
	names  int
	made   bool
	closed bool
}

// NewArea makes the area of a query; Close it when every goroutine of the query has ended.
func (s *Store) NewArea() *Area {
	return &Area{store: s, dir: filepath.Join(s.dir, fmt.Sprintf("query-%d", s.next.Add(1))), files: map[*File]struct{}{}}
}

// Close removes all files. The error tells of files that could not be removed.
func (a *Area) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for f := range a.files {
		f.closeHandles()
	}
	a.files = nil
	if !a.made {
		return nil
	}
	return a.store.fs.RemoveAll(a.dir)
}

// Create makes a new empty file.
func (a *Area) Create(c Counters) (*File, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, sqlerr.New(sqlerr.Interrupted, "the query has ended")
	}
	if !a.made {
		a.made = true
		if err := a.store.fs.MkdirAll(a.dir); err != nil {
			return nil, err
		}
	}
	a.names++
	f := &File{area: a, path: filepath.Join(a.dir, fmt.Sprintf("%d.spill", a.names)), count: c}
	var err error
	if f.w, err = a.store.fs.Create(f.path); err != nil {
		return nil, err
	}
	a.files[f] = struct{}{}
	add(c.Files, 1)
	a.store.Files.Add(1)
	return f, nil
}

// File is one temporary file. Safe for concurrent use.
type File struct {
	area  *Area
	path  string
	count Counters

	mu     sync.Mutex
	w      storage.WritableFile
	r      storage.File
	off    int64
	broken error // of a write that failed: offsets are no longer known
}

// Block is where some rows are.
type Block struct {
	off  int64
	size int32
	// Rows is the number of rows, Raw their bytes in memory, about.
	Rows, Raw int32
}

const headerBytes = 12

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Write appends a block of the given rows (nil: all n) of cols, in any form, and of extra
// byte strings. c is the calling goroutine's.
func (f *File) Write(c *Codec, cols []*vector.Vector, n int, rows []int32, extra ...[]byte) (Block, error) {
	if rows != nil {
		n = len(rows)
	}
	if err := c.encode(cols, n, rows, extra); err != nil {
		return Block{}, err
	}
	out, err := c.pack()
	if err != nil {
		return Block{}, err
	}

	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return Block{}, f.broken
	}
	if f.w == nil {
		return Block{}, sqlerr.New(sqlerr.Interrupted, "the query has ended")
	}
	b := Block{off: f.off, size: int32(len(out)), Rows: int32(n), Raw: int32(len(c.raw))}
	if _, err := f.w.Write(out); err != nil {
		f.broken = storage.FileError(err, f.path, "write temporary file")
		return Block{}, f.broken
	}
	f.off += int64(len(out))
	add(f.count.Written, int64(len(out)))
	f.area.store.Written.Add(int64(len(out)))
	return b, nil
}

// Read decodes a block. The columns and extras are c's memory, valid until its next Read.
func (f *File) Read(c *Codec, b Block) (cols []*vector.Vector, extra [][]byte, err error) {
	r, err := f.reader()
	if err != nil {
		return nil, nil, err
	}
	if cap(c.in) < int(b.size) {
		c.in = make([]byte, b.size)
	}
	in := c.in[:b.size]
	if _, err := r.ReadAt(in, b.off); err != nil {
		return nil, nil, storage.FileError(err, f.path, "read temporary file")
	}
	add(f.count.Read, int64(b.size))
	if cols, extra, err = c.unpack(in, b); err != nil {
		return nil, nil, sqlerr.New(sqlerr.CorruptFile, "the temporary file %s is damaged at byte %d", f.path, b.off)
	}
	return cols, extra, nil
}

// pack is the block of what encode made, in c's memory.
func (c *Codec) pack() ([]byte, error) {
	if need := s2.MaxEncodedLen(len(c.raw)); need < 0 {
		return nil, sqlerr.New(sqlerr.OutOfMemory, "a spilled block of %d bytes is too large", len(c.raw))
	} else if cap(c.packed) < headerBytes+need {
		c.packed = make([]byte, headerBytes+need)
	}
	payload := s2.Encode(c.packed[headerBytes:cap(c.packed)], c.raw)
	out := c.packed[:headerBytes+len(payload)]
	binary.LittleEndian.PutUint32(out, uint32(len(payload)))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(c.raw)))
	binary.LittleEndian.PutUint32(out[8:], crc32.Checksum(payload, castagnoli))
	return out, nil
}

// unpack decodes a block, which must be what its writer remembers of it.
func (c *Codec) unpack(in []byte, b Block) ([]*vector.Vector, [][]byte, error) {
	size, raw, sum := binary.LittleEndian.Uint32(in), binary.LittleEndian.Uint32(in[4:]), binary.LittleEndian.Uint32(in[8:])
	payload := in[headerBytes:]
	if int(size) != len(payload) || int64(raw) != int64(b.Raw) || crc32.Checksum(payload, castagnoli) != sum {
		return nil, nil, errDamaged
	}
	if cap(c.out) < int(raw) {
		c.out = make([]byte, raw)
	}
	out, err := s2.Decode(c.out[:raw], payload)
	if err != nil || len(out) != int(raw) {
		return nil, nil, errDamaged
	}
	return c.decode(out, int(b.Rows))
}

var errDamaged = sqlerr.New(sqlerr.CorruptFile, "a spilled block is damaged")

// reader opens the file for reading when it is first asked for.
func (f *File) reader() (storage.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.r != nil {
		return f.r, nil
	}
	if f.w == nil {
		return nil, sqlerr.New(sqlerr.Interrupted, "the query has ended")
	}
	r, err := f.area.store.fs.Open(f.path)
	if err != nil {
		return nil, err
	}
	f.r = r
	return r, nil
}

func (f *File) closeHandles() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.r != nil {
		_ = f.r.Close()
	}
	if f.w != nil {
		_ = f.w.Close()
	}
	f.r, f.w = nil, nil
}

// Close removes the file before its Area ends, when its rows are no longer needed. Nobody
// may use it at the same time. A nil File is closed.
func (f *File) Close() error {
	if f == nil {
		return nil
	}
	f.area.mu.Lock()
	_, open := f.area.files[f]
	delete(f.area.files, f)
	f.area.mu.Unlock()
	if !open {
		return nil
	}
	f.closeHandles()
	return f.area.store.fs.Remove(f.path)
}
