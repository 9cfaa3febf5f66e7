package function

import (
	"bytes"
	"regexp"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
)

func regexpFunctions() map[string]builder {
	return map[string]builder{"regexp": resolveRegexp, "rlike": resolveRegexp}
}

// resolveRegexp is a partial match.
func resolveRegexp(name string, args []Arg) (*Scalar, error) {
	s, err := resolveLike(name, args)
	if err != nil || len(args) != 2 {
		return nil, wrongArguments(name, args)
	}
	s.Fails = true // a pattern that is not constant may be broken
	s.New = func(consts []*vector.Value) (Kernel, error) {
		var cache regexpCache
		if err := cache.constant(consts, 1); err != nil {
			return nil, err
		}
		return cache.matchKernel, nil
	}
	s.NewSelector = selectorOf(s.New, Propagate)
	return s, nil
}

// regexpCache holds the compiled pattern of a call, and the last one where it varies.
type regexpCache struct {
	fixed   bool
	source  []byte
	re      *regexp.Regexp
	literal []byte // the whole pattern is this text
}

// constant compiles argument at when it is constant; broken patterns are the user's error.
func (c *regexpCache) constant(consts []*vector.Value, at int) error {
	if at >= len(consts) || consts[at] == nil || consts[at].Null {
		return nil
	}
	c.fixed = true
	return c.compile([]byte(consts[at].S))
}

func (c *regexpCache) compile(pattern []byte) error {
	re, err := regexp.Compile(string(pattern))
	if err != nil {
		return sqlerr.Wrap(sqlerr.WrongArguments, err, "invalid regular expression")
	}
	c.re, c.source, c.literal = re, append([]byte(nil), pattern...), nil
	if text, whole := re.LiteralPrefix(); whole {
		c.literal = []byte(text)
	}
	return nil
}

func (c *regexpCache) use(pattern []byte) error {
	if c.fixed || c.re != nil && bytes.Equal(pattern, c.source) {
		return nil
	}
	return c.compile(pattern)
}

func (c *regexpCache) matchKernel(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, dst := textOf(args[0]), textOf(args[1]), vector.Values[bool](out)
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		if c.literal != nil {
			dst[i] = bytes.Contains(x.at(i), c.literal)
		} else {
			dst[i] = c.re.Match(x.at(i))
		}
	}
	return nil
}
