package function

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// systemFunctions ask about the session.
func systemFunctions() map[string]builder {
	m := map[string]builder{
		"version":       sessionText(func(ctx *Context) string { return ctx.Version }),
		"connection_id": signature{result: tBigInt, stability: Stable, run: connectionIDKernel}.builder(),
		"uuid":          signature{result: tString, stability: Volatile, run: uuidKernel}.builder(),
		"sleep":         signature{params: types(tDouble), result: tInt, stability: Volatile, nulls: NullAware, run: sleepKernel}.builder(),
		"typeof":        resolveTypeof,
	}
	for _, n := range []string{"database", "schema", "current_database"} {
		m[n] = sessionText(func(ctx *Context) string { return ctx.Database })
	}
	for _, n := range []string{"user", "current_user", "session_user", "system_user"} {
		m[n] = sessionText(func(ctx *Context) string { return ctx.User })
	}
	m["current_catalog"] = sessionText(func(*Context) string { return "internal" })
	return m
}

// sessionText is a string of the context; an empty database is NULL.
func sessionText(get func(*Context) string) builder {
	return signature{result: sqltype.T(sqltype.Varchar), stability: Stable, nulls: NullAware, yields: true, run: func(ctx *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
		s := get(ctx)
		for k := range count(out, sel) {
			i := row(sel, k)
			if s == "" {
				out.SetNull(i)
			} else {
				out.SetString(i, s)
			}
		}
		return nil
	}}.builder()
}

func connectionIDKernel(ctx *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
	dst := vector.Values[int64](out)
	for k := range count(out, sel) {
		dst[row(sel, k)] = int64(ctx.ConnectionID)
	}
	return nil
}

// uuidKernel writes random (version 4) UUIDs.
func uuidKernel(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
	var raw [16]byte
	var text [36]byte
	for k := range count(out, sel) {
		_, _ = rand.Read(raw[:]) // never fails, by its contract
		raw[6] = raw[6]&0x0f | 0x40
		raw[8] = raw[8]&0x3f | 0x80
		hex.Encode(text[:8], raw[:4])
		hex.Encode(text[9:13], raw[4:6])
		hex.Encode(text[14:18], raw[6:8])
		hex.Encode(text[19:23], raw[8:10])
		hex.Encode(text[24:], raw[10:])
		text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
		out.SetBytes(row(sel, k), text[:])
	}
	return nil
}

// maxSleep bounds one row's sleep.
const maxSleep = 365 * 24 * time.Hour

// sleepKernel waits and answers 0.
func sleepKernel(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	x, dst := columnOf[float64](args[0]), vector.Values[int32](out)
	for k := range count(out, sel) {
		i := row(sel, k)
		if s := x.at(i); s > 0 && !isNullAt(args[0], i) && ctx.Sleep != nil {
			if err := ctx.Sleep(time.Duration(min(s, maxSleep.Seconds()) * float64(time.Second))); err != nil {
				return err
			}
		}
		dst[i] = 0
	}
	return nil
}

// resolveTypeof is the name of the argument's type.
func resolveTypeof(name string, args []Arg) (*Scalar, error) {
	if len(args) != 1 {
		return nil, wrongArguments(name, args)
	}
	s := strings.ToLower(args[0].Type.String())
	return &Scalar{Params: types(args[0].Type), Result: tString, Nulls: NullAware, New: stateless(func(_ *Context, _ []*vector.Vector, sel []int32, out *vector.Vector) error {
		for k := range count(out, sel) {
			out.SetString(row(sel, k), s)
		}
		return nil
	})}, nil
}
