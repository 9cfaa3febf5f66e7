// Package optimize rewrites logical plans into cheaper ones that give the same rows. Start reading
// here: passes is the whole optimizer, in order, one file a pass.
//
// Every pass takes a plan and returns a plan; nodes are never changed in place (the plans of shared
// common table expressions are replaced, once a pass, by the driver). All passes but the ones marked
// Required can be switched off by name, and any subset gives the same rows.
package optimize

import (
	"time"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
)

// Context is what passes may know of the statement. One goroutine uses it.
type Context struct {
	IDs       *expr.IDs         // fresh column ids
	Functions *function.Context // for constant folding; nil folds nothing that depends on the session
	Disabled  map[string]bool   // passes to leave out, by name
	Trace     *Trace            // nil: nothing is recorded
	// Verify checks the plan after each pass; tests set it, builds with -tags invariants always do.
	Verify bool
}

// Pass is one named rewrite of a whole plan.
type Pass struct {
	Name string
	// Required passes cannot be disabled: without them plans cannot be lowered.
	Required bool
	Run      func(c *Context, n logical.Node) (logical.Node, error)
}

// passes is the optimizer: this list, in this order. Some names occur twice: switching a name off
// switches off every occurrence.
var passes = []Pass{
	{Name: "decorrelate", Required: true, Run: Decorrelate},
}

// Trace records what each pass did.
type Trace struct{ Steps []Step }

// Step is one pass of a Trace.
type Step struct {
	Pass    string
	Took    time.Duration
	Changed bool
}

// Passes are the names of all passes that may be disabled, in order, each once.
func Passes() []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range passes {
		if !p.Required && !seen[p.Name] {
			seen[p.Name] = true
			names = append(names, p.Name)
		}
	}
	return names
}

// Run takes n through all passes that are not disabled. Errors are *sqlerr.Error.
func Run(c *Context, n logical.Node) (logical.Node, error) {
	for _, p := range passes {
		if c.Disabled[p.Name] && !p.Required {
			continue
		}
		start := time.Now()
		out, err := runPass(c, p, n)
		if err != nil {
			return nil, err
		}
		if c.Trace != nil {
			c.Trace.Steps = append(c.Trace.Steps, Step{Pass: p.Name, Took: time.Since(start), Changed: out != n})
		}
		n = out
		if invariant.On || c.Verify {
			if msg := Verify(n); msg != "" {
				panic(invariant.Failed("after pass %s: %s", p.Name, msg))
			}
		}
	}
	return n, nil
}

// runPass runs one pass over the plan and over the plan of every common table expression in it,
// which are replaced in place, each once.
func runPass(c *Context, p Pass, n logical.Node) (logical.Node, error) {
	done := map[*logical.CTE]bool{}
	var shared func(n logical.Node) error
	shared = func(n logical.Node) error {
		if ref, ok := n.(*logical.CTERef); ok && !done[ref.CTE] {
			done[ref.CTE] = true
			if err := shared(ref.CTE.Plan); err != nil {
				return err
			}
			plan, err := p.Run(c, ref.CTE.Plan)
			if err != nil {
				return err
			}
			ref.CTE.Plan = plan
		}
		for _, ch := range n.Children() {
			if err := shared(ch); err != nil {
				return err
			}
		}
		return nil
	}
	if err := shared(n); err != nil {
		return nil, err
	}
	return p.Run(c, n)
}
