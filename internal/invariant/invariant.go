// Package invariant marks the places where only a bug of ours can lead.
//
// Failed builds the value to panic with; executor recovers it once per query and
// turns it into sqlerr.Internal, so that one broken query never ends the process.
// With -tags invariants, On is true and the expensive self-checks run.
package invariant

import "fmt"

// Violation is the panic value of a broken invariant.
type Violation struct{ msg string }

func (v Violation) Error() string { return "internal error: " + v.msg }

// Failed returns the value to panic with: panic(invariant.Failed("key arity: %d vs %d", l, r)).
func Failed(format string, args ...any) Violation {
	return Violation{fmt.Sprintf(format, args...)}
}
