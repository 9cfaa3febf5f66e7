// Package parquet reads and writes Parquet files as vectors.
//
// Reading: OpenFile decodes the footer and maps the schema; NewSource makes one table of
// several files; a reader decodes one split (row group, or rows of one) with an own page
// loop: predicate columns first, the others only where rows survive. Values are handed
// on as they lie in the page where that is possible: fixed-width PLAIN values in place,
// strings as views into the page, dictionary-encoded columns as codes.
//
// Every byte of a file is taken as hostile: lengths are checked before they are used,
// memory grows with data that is really there (at most 256 times the bytes read, for
// footers and for the codecs that can reach that), and what is wrong becomes sqlerr.CorruptFile that names
// file, row group and column. Any panic below Open or Next becomes that error too.
//
// Source: the parquet-format specification (Encodings.md, parquet.thrift).
package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// File is the metadata of one Parquet file. Immutable and safe for concurrent use; it
// holds no open file.
type File struct {
	fs      storage.FS
	path    string
	info    storage.FileInfo
	meta    *fileMeta
	leaves  []leaf
	dataEnd int64 // file offset of the footer: pages end before it
	dicts   dictCounts
	indexes pageIndexes
	merged  struct {
		once    sync.Once
		columns []mergedColumn
	}
}

// maxFooterBytes bounds the footer that is read.
const maxFooterBytes = 1 << 30

// OpenFile reads the footer of a file.
func OpenFile(fs storage.FS, path string) (f *File, err error) {
	file, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	defer storage.RecoverCorrupt("Parquet", path, &err)
	f = &File{fs: fs, path: path, info: info}
	if err := f.readFooter(file); err != nil {
		return nil, corrupt(path, err)
	}
	return f, nil
}

// corrupt names the file of an error, unless it is one of ours already.
func corrupt(path string, err error) error {
	var e *sqlerr.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return sqlerr.New(sqlerr.CorruptFile, "corrupt Parquet file %s: %s", path, err)
}

func (f *File) readFooter(file storage.File) error {
	size := f.info.Size
	if size < 12 {
		return formatError("the file is too short")
	}
	var tail [8]byte
	if err := readFull(file, tail[:], size-8, f.path); err != nil {
		return err
	}
	switch string(tail[4:]) {
	case "PAR1":
	case "PARE":
		return sqlerr.Unsupported("the encrypted footer of " + f.path)
	default:
		return formatError("it does not end with PAR1")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 || n > maxFooterBytes {
		return formatError(fmt.Sprintf("the footer's length %d does not fit the file", n))
	}
	footer := make([]byte, n)
	f.dataEnd = size - 8 - n
	if err := readFull(file, footer, f.dataEnd, f.path); err != nil {
		return err
	}
	meta, err := decodeFileMeta(footer)
	if err != nil {
		return err
	}
	f.meta = meta
	if meta.encrypted {
		return sqlerr.Unsupported("encryption in " + f.path)
	}
	leaves, chunks, err := mapSchema(meta)
	if err != nil {
		return err
	}
	f.leaves = leaves
	var rows int64
	for i := range meta.groups {
		g := &meta.groups[i]
		if len(g.chunks) != chunks {
			return formatError(fmt.Sprintf("row group %d has %d column chunks, the schema %d", i, len(g.chunks), chunks))
		}
		if g.rows < 0 {
			return formatError(fmt.Sprintf("row group %d has %d rows", i, g.rows))
		}
		if rows += g.rows; rows < 0 {
			return formatError("the row groups have more rows than fit a number")
		}
	}
	for i := range leaves {
		if leaves[i].broken != "" {
			return formatError(fmt.Sprintf("column %s: %s", leaves[i].Name, leaves[i].broken))
		}
	}
	f.meta.rows = rows // the groups know better than the total
	return nil
}

func readFull(file storage.File, dst []byte, off int64, path string) error {
	n, err := file.ReadAt(dst, off)
	if n == len(dst) {
		return nil
	}
	return readError(err, path)
}

// readError is the error of a read; that of opening a file as it is.
func readError(err error, path string) error {
	var e *sqlerr.Error
	if errors.As(err, &e) {
		return e
	}
	return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", path)
}

// Path is the file's path.
func (f *File) Path() string { return f.path }

// Rows is the number of rows that the row groups declare.
func (f *File) Rows() int64 { return f.meta.rows }

// Columns is the schema. Nested columns are listed with a type without elements and a
// comment; reading one fails with sqlerr.NotSupported.
func (f *File) Columns() []storage.Column {
	out := make([]storage.Column, len(f.leaves))
	for i := range f.leaves {
		out[i] = f.leaves[i].Column
	}
	return out
}

// open gives the file for reading pages. The first read makes sure that it is still the one whose
// footer was read.
func (f *File) open() storage.File { return &lazyFile{of: f} }

// lazyFile is a file that is opened when the first byte is read: what the page cache has needs none. ReadAt is for one
// goroutine.
type lazyFile struct {
	of   *File
	file storage.File
}

// ReadAt implements storage.File.
func (l *lazyFile) ReadAt(p []byte, off int64) (int, error) {
	if l.file == nil {
		file, err := l.of.fs.Open(l.of.path)
		if err != nil {
			return 0, err
		}
		info, err := file.Stat()
		if err == nil && info.Size != l.of.info.Size {
			err = sqlerr.New(sqlerr.FileIO, "file changed while it was read: %s", l.of.path)
		}
		if err != nil {
			file.Close()
			return 0, err
		}
		l.file = file
	}
	return l.file.ReadAt(p, off)
}

// Stat implements storage.File.
func (l *lazyFile) Stat() (storage.FileInfo, error) { return l.of.info, nil }

// Close implements storage.File.
func (l *lazyFile) Close() error {
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close()
}
