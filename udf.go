package basalt

import (
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// userFunctions are the Go functions that a program registered. Safe for concurrent use.
type userFunctions struct {
	mu    sync.RWMutex
	names map[string]*userFunction
}

type userFunction struct {
	name   string
	fn     reflect.Value
	params []sqltype.Type
	result sqltype.Type
	fails  bool // the second result is an error
}

// goTypes are the Go types that scalar functions may take and return.
var goTypes = map[reflect.Type]sqltype.Type{
	reflect.TypeFor[bool]():      sqltype.T(sqltype.Boolean),
	reflect.TypeFor[int32]():     sqltype.T(sqltype.Int),
	reflect.TypeFor[int]():       sqltype.T(sqltype.BigInt),
	reflect.TypeFor[int64]():     sqltype.T(sqltype.BigInt),
	reflect.TypeFor[float64]():   sqltype.T(sqltype.Double),
	reflect.TypeFor[string]():    sqltype.T(sqltype.String),
	reflect.TypeFor[time.Time](): sqltype.DateTimeOf(6),
}

// RegisterFunction makes the Go function f callable from SQL as name, which must not be
// taken. f takes bool, int32, int, int64, float64, string or time.Time arguments and
// returns one of these, maybe with an error. NULL arguments give NULL without a call. f
// must be deterministic and safe for concurrent use.
func (db *DB) RegisterFunction(name string, f any) error {
	name = strings.ToLower(name)
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || v.Type().IsVariadic() {
		return sqlerr.New(sqlerr.WrongArguments, "RegisterFunction(%s) takes a Go function, got %T", name, f)
	}
	t := v.Type()
	u := &userFunction{name: name, fn: v}
	for i := range t.NumIn() {
		p, ok := goTypes[t.In(i)]
		if !ok {
			return sqlerr.New(sqlerr.WrongArguments, "RegisterFunction(%s): parameter %d has the type %s", name, i+1, t.In(i))
		}
		u.params = append(u.params, p)
	}
	var ok bool
	if t.NumOut() == 0 || t.NumOut() > 2 {
		return sqlerr.New(sqlerr.WrongArguments, "RegisterFunction(%s): one result, or a result and an error", name)
	}
	if u.result, ok = goTypes[t.Out(0)]; !ok {
		return sqlerr.New(sqlerr.WrongArguments, "RegisterFunction(%s): the result has the type %s", name, t.Out(0))
	}
	if t.NumOut() == 2 {
		if t.Out(1) != reflect.TypeFor[error]() {
			return sqlerr.New(sqlerr.WrongArguments, "RegisterFunction(%s): the second result must be an error", name)
		}
		u.fails = true
	}
	db.functions.mu.Lock()
	defer db.functions.mu.Unlock()
	if db.functions.names == nil {
		db.functions.names = map[string]*userFunction{}
	}
	if db.functions.names[name] != nil || function.IsAggregate(name) || function.Exists(name) {
		return sqlerr.New(sqlerr.WrongArguments, "function %s exists already", name)
	}
	db.functions.names[name] = u
	return nil
}

// resolve finds a user function for the binder.
func (u *userFunctions) resolve(name string, args []function.Arg) (*function.Scalar, bool, error) {
	u.mu.RLock()
	f := u.names[name]
	u.mu.RUnlock()
	if f == nil {
		return nil, false, nil
	}
	if len(args) != len(f.params) {
		return nil, true, sqlerr.New(sqlerr.WrongArguments, "function %s takes %d arguments, %d were given", name, len(f.params), len(args))
	}
	return &function.Scalar{Name: name, Params: f.params, Result: f.result, Fails: f.fails,
		New: func([]*vector.Value) (function.Kernel, error) { return f.kernel, nil }}, true, nil
}

// kernel calls the Go function once a row. Reflection and boxing cost about a
// microsecond a call, which is the price of a plain Go signature.
func (u *userFunction) kernel(_ *function.Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
	n := out.Len
	if sel != nil {
		n = len(sel)
	}
	in := make([]reflect.Value, len(args))
	for k := range n {
		row := k
		if sel != nil {
			row = int(sel[k])
		}
		if out.IsNull(row) {
			continue
		}
		for i, a := range args {
			x := a.Value(row)
			in[i] = goValue(x).Convert(u.fn.Type().In(i))
		}
		res := u.fn.Call(in)
		if u.fails && !res[1].IsNil() {
			return sqlerr.Wrap(sqlerr.Internal, res[1].Interface().(error), "function %s", u.name)
		}
		v, err := paramValue(res[0].Interface())
		if err != nil {
			return err
		}
		v.Type = u.result
		out.SetValue(row, v)
	}
	return nil
}

func goValue(x vector.Value) reflect.Value {
	switch x.Type.Kind {
	case sqltype.Boolean:
		return reflect.ValueOf(x.IsTrue())
	case sqltype.Double:
		return reflect.ValueOf(x.F)
	case sqltype.String:
		return reflect.ValueOf(x.S)
	case sqltype.DateTime:
		return reflect.ValueOf(time.UnixMicro(x.Int64()).UTC())
	}
	return reflect.ValueOf(x.Int64())
}
