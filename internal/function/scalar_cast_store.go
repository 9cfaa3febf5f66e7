package function

import (
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// StoreCast is the conversion with which INSERT stores into a column: as Cast, but a value
// that does not fit is an error (enable_insert_strict) and not NULL, and text that is longer
// than the column is refused and not cut. nil where nothing is to be done.
func StoreCast(from, to sqltype.Type, column string) (*Scalar, error) {
	plain, err := Cast(from, to)
	if err != nil || plain == nil || from.Kind == sqltype.Null {
		return plain, err
	}
	limit := 0
	if to.Kind == sqltype.Char || to.Kind == sqltype.Varchar {
		limit = int(to.Length)
	}
	s := *plain
	s.Fails = true
	s.New = func(consts []*vector.Value) (Kernel, error) {
		// Text is converted without its limit, so that what is too long shows.
		free := to
		if limit > 0 {
			free = sqltype.T(sqltype.String)
		}
		run := castStep(from, free)
		return func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			run(ctx, args[0], sel, out)
			return checkStored(args[0], sel, out, limit, column)
		}, nil
	}
	return &s, nil
}

// HiveCast is the conversion with which INSERT stores into a column of a table of Hive: as Cast, but CHAR(n) and VARCHAR(n)
// have n characters, not bytes. nil where nothing is to be done.
func HiveCast(from, to sqltype.Type) (*Scalar, error) {
	plain, err := Cast(from, to)
	if err != nil || plain == nil || from.Kind == sqltype.Null || to.Length == 0 || to.Kind != sqltype.Char && to.Kind != sqltype.Varchar {
		return plain, err
	}
	s := *plain
	s.New = func([]*vector.Value) (Kernel, error) {
		run := castStep(from, sqltype.T(sqltype.String))
		return func(ctx *Context, args []*vector.Vector, sel []int32, out *vector.Vector) error {
			run(ctx, args[0], sel, out)
			views, text := vector.Values[vector.View](out), textOf(out)
			for i := range live(out, sel) {
				if views[i].Len() > int(to.Length) {
					views[i] = text.sub(i, 0, len(vector.CutChars(text.at(i), int(to.Length))))
				}
			}
			return nil
		}, nil
	}
	return &s, nil
}

// checkStored fails on the first row that has a value in and none out, or more than limit
// bytes (0: any number).
func checkStored(in *vector.Vector, sel []int32, out *vector.Vector, limit int, column string) error {
	if limit == 0 && out.Valid == nil {
		return nil
	}
	n := out.Len
	if sel != nil {
		n = len(sel)
	}
	for k := range n {
		i := row(sel, k)
		if in.IsNull(i) {
			continue
		}
		if out.IsNull(i) {
			return notStored(in.Value(i), out.Type, column)
		}
		if limit > 0 && vector.Values[vector.View](out)[i].Len() > limit {
			return sqlerr.New(sqlerr.DataTooLong, "Data too long for column '%s': %d bytes, at most %d", column, vector.Values[vector.View](out)[i].Len(), limit)
		}
	}
	return nil
}

// notStored says in MySQL's words why a value does not fit.
func notStored(v vector.Value, to sqltype.Type, column string) error {
	switch {
	case to.IsTemporal() || to.Kind == sqltype.Time:
		return sqlerr.New(sqlerr.WrongValue, "Incorrect %s value: '%s' for column '%s'", to, v.Text(), column)
	case v.Type.IsString():
		return sqlerr.New(sqlerr.IncorrectValue, "Incorrect %s value: '%s' for column '%s'", to, v.Text(), column)
	}
	return sqlerr.New(sqlerr.OutOfRange, "Out of range value for column '%s': %s does not fit %s", column, v.Text(), to)
}
