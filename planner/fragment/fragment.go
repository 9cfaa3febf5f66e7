// Package fragment cuts a physical plan at its exchanges.
package fragment

import "github.com/basaltdb/basalt/planner/physical"

// Fragment is a part of a plan between exchanges. Fragment 0 yields the result; Root of
// every other one is the Input of the Exchange that Sink names.
type Fragment struct {
	ID   int
	Root physical.Node
	// Sink is the exchange that takes this fragment's rows; nil for the result fragment.
	Sink *physical.Exchange
	// Instances is how many parallel copies run; 1 for a fragment below a gather.
	Instances int
	Inputs    []*Fragment // producers of the exchanges that are leaves of this fragment
}

// Plan is a cut plan: Fragments[0] is the result fragment. CTEs are listed in an order
// in which each comes after those it reads.
type Plan struct {
	Fragments []*Fragment
	CTEs      []*physical.CTE
	Root      physical.Node
}
