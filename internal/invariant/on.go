//go:build invariants

package invariant

// On enables the expensive self-checks.
const On = true
