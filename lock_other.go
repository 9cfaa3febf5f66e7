//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package basalt

import (
	"errors"
	"os"
)

// lockFile cannot tell whether a process lives: nothing is swept where files cannot be
// locked, and nothing needs a lock.
func lockFile(f *os.File) error {
	if st, err := f.Stat(); err == nil && st.Size() == 0 {
		_, err = f.WriteString("in use\n")
		return err
	}
	return errors.ErrUnsupported
}
