package basalt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/outfile"
	"github.com/basaltdb/basalt/storage/table"
	"github.com/basaltdb/basalt/storage/text"
)

// takeOutfile separates a query from its INTO OUTFILE; nil when there is none.
func takeOutfile(q ast.Query) (ast.Query, *ast.IntoOutfile) {
	switch q := q.(type) {
	case *ast.Select:
		if q.Into != nil {
			rest := *q
			rest.Into = nil
			return &rest, q.Into
		}
	case *ast.With:
		if body, into := takeOutfile(q.Body); into != nil {
			rest := *q
			rest.Body = body
			return &rest, into
		}
	}
	return q, nil
}

// isDorisOutfile tells Doris's INTO OUTFILE, a prefix of file names, from MySQL's, one file.
func isDorisOutfile(into *ast.IntoOutfile) bool {
	return into.Format != "" || into.Properties != nil || strings.Contains(into.Path, "://")
}

// export is one INTO OUTFILE.
type export struct {
	options outfile.Options
	url     string
	// format makes the writer of files of the query's columns.
	format func(cols []storage.Column) (func(f storage.WritableFile) (table.FileWriter, error), error)
	sink   *outfile.Sink
}

// outfileColumns are those of the one row that Doris answers with.
func outfileColumns() []Column {
	return []Column{longCol("FileNumber"), longCol("TotalRows"), longCol("FileSize"), textCol("URL")}
}

// outfile runs a query whose rows go to files.
func (x *execution) outfile(ctx context.Context, q ast.Query, into *ast.IntoOutfile) (*Rows, error) {
	e, err := x.newExport(into)
	if err != nil {
		return nil, sqlerr.From(err).At(into.Position())
	}
	bound, err := x.bindOutfile(q, into, e)
	if err != nil {
		return nil, err
	}
	rows, err := x.runWrite(ctx, bound, "EXPORT", e.sink)
	if err != nil || !isDorisOutfile(into) {
		return rows, err
	}
	r := newResult(outfileColumns())
	r.Add(long(int64(e.sink.Files())), long(e.sink.Rows()), long(e.sink.Bytes()), str(e.url))
	return r.rows(x.s), nil
}

// bindOutfile binds a query that writes to e.
func (x *execution) bindOutfile(q ast.Query, into *ast.IntoOutfile, e *export) (*bind.Bound, error) {
	bound, err := bind.Query(q, x.env())
	if err != nil {
		return nil, err
	}
	x.limitRows(q, bound)
	bound, err = bind.Export(bound, "OUTFILE "+into.Path, func(cols []storage.Column) (storage.Sink, error) {
		e.options.Columns = cols
		if e.options.Writer, err = e.format(cols); err != nil {
			return nil, err
		}
		e.sink = outfile.New(e.options)
		return e.sink, nil
	})
	if err != nil {
		return nil, sqlerr.From(err).At(into.Position())
	}
	return bound, nil
}

func (x *execution) newExport(into *ast.IntoOutfile) (*export, error) {
	path, err := x.filePath(into.Path)
	if err != nil {
		return nil, err
	}
	hi, lo := rand.Uint64(), rand.Uint64()
	e := &export{options: outfile.Options{FS: x.s.db.fs, Unique: fmt.Sprintf("%016x", hi)}}
	if !isDorisOutfile(into) {
		return e, e.mysql(path, into)
	}
	e.options.Parallel = x.s.settings.bool("enable_parallel_outfile")
	return e, e.doris(path, fmt.Sprintf("%016x_%016x_", hi, lo), into)
}

// mysql writes one file at path.
func (e *export) mysql(path string, into *ast.IntoOutfile) error {
	if err := utf8Only(into.Charset); err != nil {
		return err
	}
	o, err := mysqlText(into.Text)
	if err != nil {
		return err
	}
	if err := writableTo(e.options.FS, path); err != nil {
		return err
	}
	e.options.Name = func(int) string { return path }
	e.format = textExport(o)
	return nil
}

// writableTo fails early when a file is there already.
func writableTo(fs storage.FS, path string) error {
	if _, err := fs.Stat(path); err == nil {
		return sqlerr.New(sqlerr.FileExists, "File '%s' already exists", path)
	}
	return nil
}

// utf8Only refuses character sets that need conversion.
func utf8Only(charset string) error {
	switch strings.ToLower(charset) {
	case "", "utf8", "utf8mb3", "utf8mb4", "binary", "ascii", "us-ascii":
		return nil
	}
	return sqlerr.Unsupported("CHARACTER SET " + charset + " of a text file")
}

// mysqlText is MySQL's form of text files.
func mysqlText(c *ast.TextClauses) (text.WriterOptions, error) {
	o := text.WriterOptions{Kind: text.CSV, Field: "\t", Line: "\n", Escape: '\\'}
	if c == nil {
		c = &ast.TextClauses{}
	}
	one := func(what string, s *string, to *byte) error {
		if s == nil {
			return nil
		}
		if len(*s) > 1 {
			return sqlerr.New(sqlerr.WrongSeparator, "Field separator argument is not what is expected; check the manual").
				WithHint("%s is one character", what)
		}
		*to = 0
		if *s != "" {
			*to = (*s)[0]
		}
		return nil
	}
	if err := one("ESCAPED BY", c.Escaped, &o.Escape); err != nil {
		return o, err
	}
	if err := one("ENCLOSED BY", c.Enclosed, &o.Quote); err != nil {
		return o, err
	}
	for s, to := range map[*string]*string{c.Fields: &o.Field, c.Lines: &o.Line, c.Starting: &o.Starting} {
		if s != nil {
			*to = *s
		}
	}
	if o.Field == "" || o.Line == "" {
		return o, sqlerr.Unsupported("FIELDS or LINES TERMINATED BY ''")
	}
	if o.Quoting = text.QuoteAll; c.Optionally {
		o.Quoting = text.QuoteStrings
	}
	if o.Null = "NULL"; o.Escape != 0 {
		o.Null = string(o.Escape) + "N"
	}
	return o, nil
}

// textExport writes text files.
func textExport(o text.WriterOptions) func(cols []storage.Column) (func(f storage.WritableFile) (table.FileWriter, error), error) {
	return func(cols []storage.Column) (func(f storage.WritableFile) (table.FileWriter, error), error) {
		if _, err := text.NewWriter(nil, cols, o); err != nil { // what cannot be written is refused before the query runs
			return nil, err
		}
		return func(f storage.WritableFile) (table.FileWriter, error) { return text.NewWriter(f, cols, o) }, nil
	}
}

// tableExport writes files as tables have them.
func tableExport(f table.Format) func(cols []storage.Column) (func(f storage.WritableFile) (table.FileWriter, error), error) {
	return func(cols []storage.Column) (func(f storage.WritableFile) (table.FileWriter, error), error) {
		return func(out storage.WritableFile) (table.FileWriter, error) { return f.NewFileWriter(out, cols) }, nil
	}
}

// filePath is where a statement may write or read a file of its user: an absolute path that secure_file_priv allows. Relative
// paths lie in that folder if it is set, else in the process's.
func (x *execution) filePath(path string) (string, error) {
	switch scheme, rest, ok := strings.Cut(path, "://"); {
	case ok && scheme != "file":
		return "", sqlerr.Unsupported("files at " + scheme + "://")
	case ok:
		path = "/" + strings.TrimLeft(rest, "/")
	}
	if path == "" {
		return "", sqlerr.New(sqlerr.WrongArguments, "a path of a file is missing")
	}
	folder := x.s.settings.values["secure_file_priv"]
	prevented := sqlerr.New(sqlerr.OptionPrevents, "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement")
	if strings.EqualFold(folder, "NULL") {
		return "", prevented.WithHint("Start the server with --secure-file-priv DIR, or run the statement with basalt sql")
	}
	if folder != "" && !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	slash := strings.HasSuffix(path, "/")
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", storage.FileError(err, path, "resolve")
	}
	if folder != "" && !within(realPath(abs), realPath(folder)) {
		return "", prevented.WithHint("Files may be read and written in %s alone", folder)
	}
	if slash {
		abs += "/"
	}
	return abs, nil
}

// realPath follows the links of the part of a path that exists.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	dir, name := filepath.Split(filepath.Clean(path))
	if dir == "" || filepath.Clean(dir) == path {
		return path
	}
	return filepath.Join(realPath(filepath.Clean(dir)), name)
}

func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
