package hugepage

import "golang.org/x/sys/unix"

// advise is a wish: kernels without huge pages refuse it.
func advise(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
