package function

import (
	"bytes"
	"regexp"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

func regexpFunctions() map[string]builder {
	s := tString
	return map[string]builder{
		"regexp": resolveRegexp, "rlike": resolveRegexp, "regexp_like": resolveRegexp,
		"regexp_replace":     regexpBuilder(types(s, s, s), s, replaceAllRegexp),
		"regexp_replace_one": regexpBuilder(types(s, s, s), s, replaceOneRegexp),
		"regexp_extract":     regexpBuilder(types(s, s, tBigInt), s, extractRegexp),
		"regexp_extract_all": regexpBuilder(types(s, s), s, extractAllRegexp),
		"regexp_substr":      regexpBuilder(types(s, s), s, substrRegexp),
		"regexp_count":       regexpBuilder(types(s, s), tInt, countRegexp),
		"regexp_instr":       regexpBuilder(types(s, s), tInt, instrRegexp),
	}
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

// regexpBuilder is a function whose second argument is a pattern.
func regexpBuilder(params []sqltype.Type, result sqltype.Type, run func(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error) builder {
	return signature{params: params, result: result, fails: true, yields: true, make: func(consts []*vector.Value) (Kernel, error) {
		cache := &regexpCache{}
		if err := cache.constant(consts, 1); err != nil {
			return nil, err
		}
		return func(_ *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			return run(cache, args, sel, out)
		}, nil
	}}.builder()
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

// goTemplate rewrites \1 (Doris) to ${1}; $1 (Hive) means the same already.
func goTemplate(b []byte) []byte {
	var dst []byte
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && i+1 < len(b) && isDigit(b[i+1]):
			dst = append(dst, '$', '{', b[i+1], '}')
			i++
		case b[i] == '$' && i+1 < len(b) && isDigit(b[i+1]):
			dst = append(dst, '$', '{', b[i+1], '}')
			i++
		case b[i] == '$':
			dst = append(dst, '$', '$')
		case b[i] == '\\' && i+1 < len(b):
			dst = append(dst, b[i+1])
			i++
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

func replaceAllRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, by := textOf(args[0]), textOf(args[1]), textOf(args[2])
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		out.SetBytes(i, c.re.ReplaceAll(x.at(i), goTemplate(by.at(i))))
	}
	return nil
}

func replaceOneRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, by := textOf(args[0]), textOf(args[1]), textOf(args[2])
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		b := x.at(i)
		m := c.re.FindSubmatchIndex(b)
		if m == nil {
			out.SetBytes(i, b)
			continue
		}
		res := append([]byte(nil), b[:m[0]]...)
		res = c.re.Expand(res, goTemplate(by.at(i)), b, m)
		out.SetBytes(i, append(res, b[m[1]:]...))
	}
	return nil
}

// extractRegexp is group n of the first match, empty when there is none.
func extractRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, group := textOf(args[0]), textOf(args[1]), columnOf[int64](args[2])
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		g := group.at(i)
		if g < 0 || g > int64(c.re.NumSubexp()) {
			out.SetNull(i)
			continue
		}
		var found []byte
		if m := c.re.FindSubmatch(x.at(i)); m != nil {
			found = m[g]
		}
		out.SetBytes(i, found)
	}
	return nil
}

// extractAllRegexp is the first group of every match, as ['a','b'].
func extractAllRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat := textOf(args[0]), textOf(args[1])
	var buf []byte
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		buf = buf[:0]
		for _, m := range c.re.FindAllSubmatch(x.at(i), -1) {
			if len(buf) == 0 {
				buf = append(buf, '[')
			} else {
				buf = append(buf, ',')
			}
			buf = append(buf, '\'')
			buf = append(buf, m[min(1, len(m)-1)]...)
			buf = append(buf, '\'')
		}
		if len(buf) > 0 {
			buf = append(buf, ']')
		}
		out.SetBytes(i, buf)
	}
	return nil
}

func substrRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat := textOf(args[0]), textOf(args[1])
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		m := c.re.Find(x.at(i))
		if m == nil {
			out.SetNull(i)
			continue
		}
		out.SetBytes(i, m)
	}
	return nil
}

func countRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, dst := textOf(args[0]), textOf(args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		dst[i] = int32(len(c.re.FindAllIndex(x.at(i), -1)))
	}
	return nil
}

func instrRegexp(c *regexpCache, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, pat, dst := textOf(args[0]), textOf(args[1]), vector.Values[int32](out)
	for i := range live(out, sel) {
		if err := c.use(pat.at(i)); err != nil {
			return err
		}
		dst[i] = 0
		if m := c.re.FindIndex(x.at(i)); m != nil {
			dst[i] = charPosition(x.at(i), m[0])
		}
	}
	return nil
}
