package text

import (
	"bytes"
	"errors"
	"io"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// cutFooter leaves out the last Options.Footer lines of the file.
func (f *file) cutFooter(fs storage.FS) error {
	if f.opt.Footer == 0 || f.size == 0 {
		return nil
	}
	file, err := fs.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	if f.comp == plain {
		return f.cutPlain(file)
	}
	in, done, err := f.stream(file, false, nil)
	defer done()
	if err != nil {
		return err
	}
	starts := make([]int64, 0, f.opt.Footer) // of the last lines
	at, begins := int64(0), true
	buf := make([]byte, 256<<10)
	for {
		n, err := in.Read(buf)
		for i := 0; i < n; {
			if begins {
				if len(starts) == f.opt.Footer {
					starts = append(starts[:0], starts[1:]...)
				}
				starts, begins = append(starts, at+int64(i)), false
			}
			end := bytes.IndexByte(buf[i:n], f.lineEnd())
			if end < 0 {
				break
			}
			i, begins = i+end+1, true
		}
		at += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			f.text = 0
			if len(starts) == f.opt.Footer {
				f.text = starts[0]
			}
			return nil
		case err != nil:
			return sqlerr.New(sqlerr.CorruptFile, "corrupt compressed file %s: %v", f.path, err)
		}
	}
}

// cutPlain searches the beginning of the footer from the end.
func (f *file) cutPlain(file storage.File) error {
	left := f.opt.Footer + 1 // line ends: the one before the footer is the last
	buf := make([]byte, min(f.size, 64<<10))
	for at := f.size; at > 0; {
		n := min(at, int64(len(buf)))
		at -= n
		if _, err := file.ReadAt(buf[:n], at); err != nil && !errors.Is(err, io.EOF) {
			return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read %s", f.path)
		}
		if at+n == f.size && buf[n-1] != f.lineEnd() {
			left-- // the last line has no end
		}
		for i := int(n); left > 0; left-- {
			if i = bytes.LastIndexByte(buf[:i], f.lineEnd()); i < 0 {
				break
			}
			if left == 1 {
				f.size = at + int64(i) + 1
				return nil
			}
		}
	}
	f.size = 0
	return nil
}
