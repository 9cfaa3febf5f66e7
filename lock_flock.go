//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package basalt

import (
	"os"
	"syscall"
)

// lockFile locks f as long as it is open; an error when another process has it.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
