package basalt

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/text"
)

// load is LOAD DATA.
func (x *execution) load(ctx context.Context, st *ast.LoadData) (*Rows, error) {
	if st.Hive {
		return x.loadPath(ctx, st)
	}
	return x.loadFile(ctx, st)
}

// loadFile is MySQL's LOAD DATA [LOCAL] INFILE: an INSERT of what a text.Loader reads.
func (x *execution) loadFile(ctx context.Context, st *ast.LoadData) (*Rows, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	if err := utf8Only(st.Charset); err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	if st.Duplicates == "IGNORE" && t.Model == catalog.UniqueKey {
		return nil, sqlerr.Unsupported("LOAD DATA … IGNORE into a UNIQUE KEY table").At(st.Position())
	}
	o, err := loadOptions(st)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	insert := &ast.Insert{Pos: st.Pos, Name: st.Name, Partitions: st.Partitions}
	if o.Columns, insert.Query, err = loadColumns(t, st, &insert.Columns); err != nil {
		return nil, err
	}
	path, done, err := x.loadedPath(ctx, st)
	if err != nil {
		return nil, err
	}
	defer done()
	problems := &loadProblems{x: x, lenient: st.Local || st.Duplicates == "IGNORE" || !x.s.settings.bool("enable_insert_strict")}
	o.Report = problems.report
	loader, err := text.NewLoader(x.s.db.fs, path, o)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	x.given = loader
	rows, err := x.insert(ctx, insert)
	if err != nil {
		return nil, err
	}
	rows.info = fmt.Sprintf("Records: %d  Deleted: 0  Skipped: 0  Warnings: %d", loader.Rows, problems.count)
	rows.warnings = problems.count
	return rows, nil
}

// loadOptions are the FIELDS and LINES of a load.
func loadOptions(st *ast.LoadData) (text.LoadOptions, error) {
	w, err := mysqlText(st.Text)
	return text.LoadOptions{Field: w.Field, Line: w.Line, Starting: w.Starting, Quote: w.Quote, Escape: w.Escape, Skip: st.SkipLines}, err
}

// loadColumns are where the fields of a line go; the query makes of them what is inserted into columns.
func loadColumns(t *catalog.Table, st *ast.LoadData, columns *[]string) ([]text.LoadColumn, ast.Query, error) {
	list := st.Columns
	if len(list) == 0 {
		for _, c := range t.Visible() {
			list = append(list, ast.LoadColumn{Pos: st.Pos, Name: c.Name})
		}
	}
	q := &ast.Select{Pos: st.Pos, From: []ast.TableExpr{givenTable(st.Pos)}}
	computed := func(name string) bool {
		return slices.ContainsFunc(st.Set, func(a ast.Assignment) bool { return strings.EqualFold(a.Column, name) })
	}
	var out []text.LoadColumn
	for _, l := range list {
		if l.Variable {
			out = append(out, text.LoadColumn{Column: storage.Column{Name: "@" + l.Name, Type: sqltype.T(sqltype.String), Nullable: true}})
			out[len(out)-1].Default.Null = true
			continue
		}
		c := t.ColumnNamed(l.Name)
		if c == nil {
			return nil, nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in 'field list'", l.Name).At(l.Position())
		}
		lc := text.LoadColumn{Column: storage.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable}, Default: constantDefault(c)}
		if c.Type.Kind == sqltype.Bitmap || c.Type.Kind == sqltype.HLL {
			return nil, nil, sqlerr.Unsupported("LOAD DATA into a column of type "+c.Type.String()).At(l.Position()).
				WithHint("Read the field into a user variable and SET %s", c.Name)
		}
		out = append(out, lc)
		if !computed(c.Name) {
			*columns = append(*columns, c.Name)
			q.Items = append(q.Items, ast.SelectItem{Pos: l.Pos, Expr: &ast.Column{Pos: l.Pos, Name: c.Name}})
		}
	}
	for _, a := range st.Set {
		if _, ok := a.Value.(*ast.Default); ok {
			continue
		}
		*columns = append(*columns, a.Column)
		q.Items = append(q.Items, ast.SelectItem{Pos: a.Pos, Expr: a.Value})
	}
	return out, q, nil
}

// loadedPath is the file of a load, and what is to be done when it was read. A client's comes as a copy.
func (x *execution) loadedPath(ctx context.Context, st *ast.LoadData) (path string, done func(), err error) {
	done = func() {}
	if !st.Local {
		path, err = x.filePath(st.Path)
		return path, done, err
	}
	if x.s.localFile == nil {
		path, err = filepath.Abs(strings.TrimPrefix(st.Path, "file://"))
		return path, done, storage.FileError(err, st.Path, "resolve")
	}
	if !x.s.settings.bool("local_infile") {
		return "", done, sqlerr.New(sqlerr.LocalInfile, "Loading local data is disabled; this must be enabled on both the client and server sides")
	}
	if path, err = x.s.db.resources.spill.Path("load"); err != nil {
		return "", done, err
	}
	fs := x.s.db.fs
	f, err := fs.Create(path)
	if err != nil {
		return "", done, err
	}
	done = func() {
		if err := fs.Remove(path); err != nil {
			x.s.db.log.Warn("cannot remove the copy of a loaded file", "path", path, "error", err)
		}
	}
	err = x.s.localFile(ctx, st.Path, f)
	if cerr := f.Close(); err == nil {
		err = storage.FileError(cerr, path, "close")
	}
	if err != nil {
		done()
		return "", func() {}, err
	}
	return path, done, nil
}

// loadProblems turns what was wrong with rows into warnings, or into the statement's error.
type loadProblems struct {
	x       *execution
	lenient bool
	count   int
}

func (p *loadProblems) report(w *text.LoadProblem) error {
	err := loadError(w, p.lenient)
	if !p.lenient {
		return err
	}
	p.count++
	p.x.warn(err)
	return nil
}

// loadError is MySQL's message for a problem.
func loadError(w *text.LoadProblem, lenient bool) *sqlerr.Error {
	code := func(n uint16, state string) sqlerr.Code { return sqlerr.Code{Number: n, SQLState: state} }
	switch w.Kind {
	case text.TooFewFields:
		return sqlerr.New(code(1261, "01000"), "Row %d doesn't contain data for all columns", w.Row)
	case text.TooManyFields:
		return sqlerr.New(code(1262, "01000"), "Row %d was truncated; it contained more data than there were input columns", w.Row)
	case text.OutOfRange:
		return sqlerr.New(sqlerr.OutOfRange, "Out of range value for column '%s' at row %d", w.Column, w.Row)
	case text.UnwantedNull:
		return sqlerr.New(code(1263, "22004"), "Column set to default value; NULL supplied to NOT NULL column '%s' at row %d", w.Column, w.Row)
	case text.WrongValue:
		c, name := sqlerr.IncorrectValue, "integer"
		switch t := w.Type; {
		case t.IsTemporal() || t.Kind == sqltype.Time:
			c, name = sqlerr.WrongValue, plainType(t)
		case t.IsFloat(), t.Kind == sqltype.Decimal, t.IsNested():
			name = plainType(t)
		}
		return sqlerr.New(c, "Incorrect %s value: '%s' for column '%s' at row %d", name, w.Value, w.Column, w.Row)
	case text.TooLong:
		if !lenient {
			return sqlerr.New(sqlerr.DataTooLong, "Data too long for column '%s' at row %d", w.Column, w.Row)
		}
	}
	return sqlerr.New(code(1265, "01000"), "Data truncated for column '%s' at row %d", w.Column, w.Row)
}

// plainType is a type's name without its parameters.
func plainType(t sqltype.Type) string {
	name := strings.ToLower(t.String())
	if at := strings.IndexAny(name, "(<"); at >= 0 {
		name = name[:at]
	}
	return name
}
