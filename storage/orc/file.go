// Package orc reads and writes ORC files as vectors.
//
// Reading: OpenFile decodes the tail (postscript, footer, stripe statistics) and maps the
// schema; NewSource makes one table of several files; a reader decodes one split (a
// stripe, or row groups of one): predicate columns first, the others only where rows
// survive. A column is a tree of nodes, one a type of the file; each node reads its own
// streams forwards and can jump to row groups by the positions of the row index. Strings
// are views into decompressed chunks, dictionary-encoded columns stay codes.
//
// Every byte of a file is taken as hostile: lengths are checked before they are used,
// memory grows with data that is really there, and what is wrong becomes
// sqlerr.CorruptFile that names file, stripe and column. Any panic below Open or Next
// becomes that error too.
//
// Source: the ORC specification, versions 0 and 1 (orc.apache.org/specification).
package orc

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// File is the metadata of one ORC file. Immutable and safe for concurrent use; it holds no
// open file.
type File struct {
	fs      storage.FS
	path    string
	info    storage.FileInfo
	tail    tailMeta
	types   []typeMeta
	columns []fileColumn
	stripes []stripeMeta
	rows    int64
	bytes   int64 // that it takes, for the cache
	// footers are the stripe footers read so far.
	footers   []atomic.Pointer[stripeFooter]
	perStripe stripeStatistics
}

// formatError is an error without a place, which fail and corrupt add.
type formatError string

func (e formatError) Error() string { return string(e) }

const (
	magic = "ORC"
	// firstTailRead is read at once from the end of a file.
	firstTailRead = 16 << 10
	// maxTailBytes bounds footer and stripe statistics. Their compressed bytes may expand to leastTailBytes and
	// tailRatio times as many: what is decoded takes many times that.
	maxTailBytes   = 1 << 30
	leastTailBytes = 16 << 20
	tailRatio      = 1024
)

// OpenFile reads the tail of a file. A file of no bytes, which Hive writes for empty
// buckets, has no columns and no rows.
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
	defer storage.RecoverCorrupt("ORC", path, &err)
	f = &File{fs: fs, path: path, info: info}
	if info.Size == 0 {
		return f, nil
	}
	if err := f.readTail(file); err != nil {
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
	return sqlerr.New(sqlerr.CorruptFile, "corrupt ORC file %s: %s", path, err)
}

// readTail reads postscript, footer and stripe statistics:
//
//	| "ORC" | stripes | stripe statistics | footer | postscript | u8 postscript length |
func (f *File) readTail(file storage.File) error {
	size := f.info.Size
	if size < 4 {
		return formatError("the file is too short")
	}
	tail := make([]byte, min(size, firstTailRead))
	if err := readFull(file, tail, size-int64(len(tail)), f.path); err != nil {
		return err
	}
	psLen := int(tail[len(tail)-1])
	if psLen+1 > len(tail) {
		return formatError("the postscript does not fit the file")
	}
	if err := f.tail.decodePostscript(tail[len(tail)-1-psLen : len(tail)-1]); err != nil {
		return err
	}
	if !f.tail.hasMagic {
		var head [3]byte
		if err := readFull(file, head[:], 0, f.path); err != nil {
			return err
		}
		if string(head[:]) != magic {
			return formatError("it is not an ORC file: there is no magic")
		}
	}
	t := &f.tail
	footerLen, statsLen := t.footerLength, t.metadataLength
	if footerLen > maxTailBytes || statsLen > maxTailBytes || int64(footerLen+statsLen)+int64(psLen)+1 > size {
		return formatError("footer and stripe statistics do not fit the file")
	}
	need := int(footerLen+statsLen) + psLen + 1
	if need > len(tail) {
		tail = make([]byte, need)
		if err := readFull(file, tail, size-int64(need), f.path); err != nil {
			return err
		}
	}
	tail = tail[:len(tail)-1-psLen]
	footer, err := expandAll(t.codec, t.block, tail[len(tail)-int(footerLen):])
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	if err := t.decodeFooter(footer); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	t.statsBytes = append([]byte(nil), tail[len(tail)-int(footerLen+statsLen):len(tail)-int(footerLen)]...)
	if err := f.check(); err != nil {
		return err
	}
	// About what decoding makes of a type, and of a column in each stripe footer.
	const typeBytes, stripeBytes = 200, 60
	f.bytes = int64(need+len(footer)) + int64(len(f.types))*(typeBytes+stripeBytes*int64(len(f.stripes)))
	return nil
}

// check validates what the footer says and derives columns and stripes from it.
func (f *File) check() error {
	t := &f.tail
	f.types, f.stripes = t.types, t.stripes
	if err := checkTypes(f.types); err != nil {
		return err
	}
	for i := range f.stripes {
		s := &f.stripes[i]
		end := s.offset + s.indexLength + s.dataLength + s.footerLength
		if s.offset < 0 || s.indexLength < 0 || s.dataLength < 0 || s.footerLength < 0 || s.rows < 0 || end < 0 || end > f.info.Size ||
			s.indexLength > f.info.Size || s.dataLength > f.info.Size || s.footerLength > f.info.Size {
			return formatError(fmt.Sprintf("stripe %d lies outside of the file", i))
		}
		if f.rows += s.rows; f.rows < 0 {
			return formatError("the stripes have more rows than fit a number")
		}
	}
	f.footers = make([]atomic.Pointer[stripeFooter], len(f.stripes))
	f.columns = mapSchema(f.types)
	return nil
}

func readFull(file storage.File, dst []byte, off int64, path string) error {
	n, err := file.ReadAt(dst, off)
	if n == len(dst) {
		return nil
	}
	if err == nil {
		err = errors.New("short read")
	}
	return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", path)
}

// Path is the file's path.
func (f *File) Path() string { return f.path }

// Rows is the number of rows that the stripes declare.
func (f *File) Rows() int64 { return f.rows }

// Columns is the schema. Columns that cannot be read carry a comment; reading one fails
// with sqlerr.NotSupported.
func (f *File) Columns() []storage.Column {
	out := make([]storage.Column, len(f.columns))
	for i := range f.columns {
		out[i] = f.columns[i].Column
	}
	return out
}

// open opens the file for reading streams and makes sure that it is still the one whose
// tail was read.
func (f *File) open() (storage.File, error) {
	file, err := f.fs.Open(f.path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size != f.info.Size {
		err = sqlerr.New(sqlerr.FileIO, "file changed while it was read: %s", f.path)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
