package basalt

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
)

// variable is @@name and @name for the binder.
func (x *execution) variable(name string, system bool) (vector.Value, bool) {
	if !system {
		return x.s.userVariable(name), true
	}
	name = strings.ToLower(name)
	switch name {
	case "last_insert_id", "identity", "warning_count", "error_count":
		return vector.IntValue(sqltype.T(sqltype.BigInt), 0), true
	case "hostname":
		return str("localhost"), true
	}
	return x.s.settings.value(name)
}

// set runs SET. All items are checked before any takes effect.
func (x *execution) set(st *ast.Set) (*Rows, error) {
	next := x.s.settings.clone()
	var global []func(g *settings) error
	user := map[string]vector.Value{}
	for i := range st.Items {
		it := &st.Items[i]
		var val *vector.Value
		if _, isDefault := it.Value.(*ast.Default); !isDefault && it.Value != nil {
			v, err := bind.Scalar(it.Value, x.env())
			if err != nil {
				return nil, err
			}
			val = &v
		}
		switch it.Name {
		case "names", "character set", "charset":
			if err := setNames(next, val); err != nil {
				return nil, err
			}
			continue
		case "transaction", "password":
			if it.Name == "password" {
				return nil, sqlerr.Unsupported("SET PASSWORD").At(it.Position())
			}
			continue
		}
		if it.Scope == "user" {
			if val == nil {
				return nil, sqlerr.New(sqlerr.Syntax, "a user variable has no DEFAULT").At(it.Position())
			}
			user[it.Name] = *val
			continue
		}
		if d := settingIndex[it.Name]; d != nil && d.global && it.Scope != "global" {
			return nil, sqlerr.New(sqlerr.GlobalVariable, "Variable '%s' is a GLOBAL variable and should be set with SET GLOBAL", it.Name).At(it.Position())
		}
		if settingIndex[it.Name] == nil && isHadoopSetting(it.Name) {
			x.note("%s has no effect", it.Name)
			continue
		}
		if err := next.set(it.Name, val); err != nil {
			return nil, sqlerr.From(err).At(it.Position())
		}
		if it.Name == "time_zone" {
			if _, err := parseZone(next.values["time_zone"]); err != nil {
				return nil, sqlerr.From(err).At(it.Position())
			}
		}
		if it.Scope == "global" {
			global = append(global, func(g *settings) error { return g.set(it.Name, val) })
		}
	}
	if len(global) > 0 {
		x.s.db.mu.Lock()
		defer x.s.db.mu.Unlock()
		for _, f := range global {
			if err := f(x.s.db.global); err != nil {
				return nil, err
			}
		}
	}
	x.s.settings = next
	for k, v := range user {
		x.s.variables[k] = v
	}
	return okRows(x.s, 0, ""), nil
}

// isHadoopSetting tells the settings of Hive and of what runs it, which scripts are full of: those that mean nothing
// here are passed over.
func isHadoopSetting(name string) bool {
	return slices.ContainsFunc([]string{"hive.", "mapred.", "mapreduce.", "tez.", "yarn."}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// setNames is SET NAMES: the wire speaks utf8mb4 only, and charsets that are subsets of
// it or that clients set by habit are accepted.
func setNames(s *settings, v *vector.Value) error {
	name := "utf8mb4"
	if v != nil && v.S != "" {
		name = strings.ToLower(v.S)
	}
	switch name {
	case "utf8mb4", "utf8", "utf8mb3", "ascii", "latin1", "binary", "gbk":
	default:
		return sqlerr.New(sqlerr.UnknownCharset, "Unknown character set: '%s'", name)
	}
	for _, k := range []string{"character_set_client", "character_set_connection", "character_set_results"} {
		s.values[k] = name
	}
	return nil
}

// parseZone reads SYSTEM, +08:00 and names of the zone database.
func parseZone(name string) (*time.Location, error) {
	switch strings.ToUpper(name) {
	case "SYSTEM", "":
		return time.Local, nil
	case "CST":
		return time.FixedZone("CST", 8*3600), nil
	}
	if name[0] == '+' || name[0] == '-' {
		h, m, ok := strings.Cut(name[1:], ":")
		hh, err1 := strconv.Atoi(h)
		mm, err2 := strconv.Atoi(m)
		if ok && err1 == nil && err2 == nil && hh <= 14 && mm < 60 {
			off := hh*3600 + mm*60
			if name[0] == '-' {
				off = -off
			}
			return time.FixedZone(name, off), nil
		}
	}
	if loc, err := time.LoadLocation(name); err == nil {
		return loc, nil
	}
	return nil, sqlerr.New(sqlerr.UnknownTimeZone, "Unknown or incorrect time zone: '%s'", name)
}

// setText sets a system variable from text, for Options and flags.
func (s *settings) setText(name, value string) error {
	if d := settingIndex[name]; d != nil && d.start {
		s.values[name] = value
		return nil
	}
	v := str(value)
	return s.set(name, &v)
}

func (x *execution) use(st *ast.Use) (*Rows, error) {
	if st.Catalog != "" && st.Catalog != "internal" {
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Unknown catalog '%s'", st.Catalog).At(st.Position())
	}
	if err := x.s.Use(st.Database); err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}

func (x *execution) kill(st *ast.Kill) (*Rows, error) {
	if err := x.s.db.Kill(st.ID, st.Query); err != nil {
		return nil, err
	}
	return okRows(x.s, 0, ""), nil
}

// prepareText is PREPARE name FROM 'text' of the text protocol.
func (x *execution) prepareText(ctx context.Context, st *ast.Prepare) (*Rows, error) {
	v, err := bind.Scalar(st.Text, x.env())
	if err != nil {
		return nil, err
	}
	p, err := x.s.Prepare(ctx, v.S)
	if err != nil {
		return nil, err
	}
	x.s.prepared[st.Name] = p
	return okRows(x.s, 0, ""), nil
}

func (x *execution) executePrepared(ctx context.Context, st *ast.Execute) (*Rows, error) {
	p := x.s.prepared[st.Name]
	if p == nil {
		return nil, sqlerr.New(sqlerr.UnknownStatement, "Unknown prepared statement handler (%s) given to EXECUTE", st.Name)
	}
	if len(st.Using) != p.Statement.NumParams() {
		return nil, sqlerr.New(sqlerr.WrongParamCount, "Incorrect arguments to EXECUTE")
	}
	inner := x.s.newExecution(p.Statement, nil)
	for _, name := range st.Using {
		inner.params = append(inner.params, x.s.userVariable(name))
	}
	return inner.run(ctx, p.Statement.parsed.Statement)
}
