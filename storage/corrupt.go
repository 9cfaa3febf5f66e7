package storage

import (
	"fmt"
	"runtime/debug"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

// DecoderPanic is the cause of an error that RecoverCorrupt made: a gap in the checks of a decoder. Tests of decoders
// fail on it.
type DecoderPanic struct {
	Value any
	Stack []byte
}

func (p *DecoderPanic) Error() string { return fmt.Sprint(p.Value) }

// RecoverCorrupt, deferred, turns a panic of the decoders of a file of the format into an error: what slips through the
// checks must not end more than the query, and says which file it was. Broken invariants pass.
func RecoverCorrupt(format, path string, err *error) {
	r := recover()
	if r == nil {
		return
	}
	if _, ours := r.(invariant.Violation); ours {
		panic(r)
	}
	cause := &DecoderPanic{Value: r, Stack: debug.Stack()}
	*err = sqlerr.Wrap(sqlerr.CorruptFile, cause, "corrupt %s file %s: decoding failed: %v", format, path, r)
}
