package budget

import "github.com/basaltdb/basalt/internal/sqlerr"

// MostClaimed is what one Claim may hold whatever the limits are: a batch whose values take more is made of a file
// that is hostile, or of values beyond what a row may have.
const MostClaimed = 2 << 30

// Claim is a part of a reservation that is given back as a whole: what a reader made of a batch. The reservation may
// be nil. One goroutine uses it.
type Claim struct {
	Of   *Reservation
	held int64
}

// Grow claims n more bytes, or nothing and returns sqlerr.OutOfMemory. A nil Claim has no limits.
func (c *Claim) Grow(n int64) error {
	if c == nil {
		return nil
	}
	if n > MostClaimed-c.held {
		return sqlerr.New(sqlerr.OutOfMemory, "Memory exceed limit: the values of one batch take more than %d bytes", int64(MostClaimed)).
			WithHint("SET batch_size to fewer rows, or read fewer columns")
	}
	if err := c.Of.Grow(n); err != nil {
		return err
	}
	c.held += n
	return nil
}

// Release gives all back.
func (c *Claim) Release() {
	if c != nil && c.held != 0 {
		c.Of.Shrink(c.held)
		c.held = 0
	}
}
