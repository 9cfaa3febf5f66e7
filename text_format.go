package basalt

import (
	"encoding/hex"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/text"
)

// textFormat tells the text format of a file by its name, the ending of a compression left out; "" for other files.
func textFormat(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, wrapped := range []string{".gz", ".gzip", ".bz2", ".zst", ".zstd", ".snappy"} {
		name = strings.TrimSuffix(name, wrapped)
	}
	switch filepath.Ext(name) {
	case ".csv":
		return "csv"
	case ".tsv", ".tab":
		return "tsv"
	case ".json", ".jsonl", ".ndjson":
		return "json"
	case ".txt":
		return "txt"
	}
	return ""
}

// textFiles is FROM 'x.csv' and its like: dialect and types are taken from a sample.
func (db *DB) textFiles(paths []string, format string) (storage.Source, error) {
	return db.textFilesAs(paths, format, nil)
}

// textFilesAs reads the files by a schema; nil infers one.
func (db *DB) textFilesAs(paths []string, format string, cols []storage.Column) (storage.Source, error) {
	o := text.Options{Kind: text.CSV, Quote: '"', Line: '\n', HasNull: true, Strict: true}
	switch format {
	case "json":
		o = text.Options{Kind: text.JSON, Strict: true}
	case "tsv":
		o.Field = '\t'
	}
	if cols != nil && format != "json" { // the dialect of the file is what inference finds
		s, err := text.NewSource(db.fs, paths, nil, o)
		if err != nil {
			return nil, err
		}
		o = s.Options()
		o.Strict = false
	}
	return text.NewSource(db.fs, paths, cols, o)
}

// isTextFormat reports the formats of local() that are text.
func isTextFormat(format string) bool {
	switch strings.ToLower(format) {
	case "csv", "csv_with_names", "csv_with_names_and_types", "json":
		return true
	}
	return false
}

// textFunction is local("format" = "csv", …) as Doris reads it: columns c1, c2, … or the names of
// the first line, all of them STRING unless csv_schema tells more.
func (db *DB) textFunction(paths []string, p map[string]string) (storage.Source, error) {
	format := strings.ToLower(p["format"])
	var cols []storage.Column
	if s := p["csv_schema"]; s != "" {
		var err error
		if cols, err = csvSchema(s); err != nil {
			return nil, err
		}
	}
	if format == "json" {
		return text.NewSource(db.fs, paths, cols, text.Options{Kind: text.JSON})
	}
	o := text.Options{Kind: text.CSV, Field: '\t', Line: '\n', Null: `\N`, HasNull: true, Untyped: true, Header: format != "csv"}
	for name, to := range map[string]*byte{"column_separator": &o.Field, "line_delimiter": &o.Line, "enclose": &o.Quote, "escape": &o.Escape} {
		v, ok := p[name]
		if !ok {
			continue
		}
		b := delimiter(v)
		if len(b) != 1 {
			return nil, sqlerr.Unsupported(`local(): a "` + name + `" of several bytes`)
		}
		*to = b[0]
	}
	if strings.EqualFold(p["trim_double_quotes"], "true") {
		o.Quote = '"'
	}
	if v, ok := p["skip_lines"]; ok {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return nil, sqlerr.New(sqlerr.WrongArguments, `local(): "skip_lines" must be a count of lines, not '%s'`, v)
		}
		o.Skip = n
	}
	if format == "csv_with_names_and_types" {
		o.SkipTypes = true
	}
	return text.NewSource(db.fs, paths, cols, o)
}

// delimiter reads a separator with the escapes \t, \n, \r, \\ and \x01, or several bytes as \x0d0a.
func delimiter(s string) []byte {
	switch {
	case s == `\t`:
		return []byte{'\t'}
	case s == `\n`:
		return []byte{'\n'}
	case s == `\r`:
		return []byte{'\r'}
	case s == `\\`:
		return []byte{'\\'}
	case len(s) >= 4 && s[:2] == `\x`:
		if b, err := hex.DecodeString(s[2:]); err == nil {
			return b
		}
	}
	return []byte(s)
}

// csvSchema reads "k1:int;k2:decimal(9,2)".
func csvSchema(s string) ([]storage.Column, error) {
	wrong := func() error {
		return sqlerr.New(sqlerr.WrongArguments, `"csv_schema" must be like "k1:int;k2:string", not '%s'`, s)
	}
	var cols []storage.Column
	for _, part := range strings.Split(s, ";") {
		name, typ, ok := strings.Cut(part, ":")
		if !ok {
			return nil, wrong()
		}
		st, err := parser.Parse("CREATE TABLE t (c "+typ+")", parser.Options{})
		if err != nil || len(st) != 1 {
			return nil, wrong()
		}
		create, ok := st[0].Statement.(*ast.CreateTable)
		if !ok || len(create.Columns) != 1 {
			return nil, wrong()
		}
		t, err := bind.Type(create.Columns[0].Type)
		if err != nil {
			return nil, err
		}
		cols = append(cols, storage.Column{Name: strings.TrimSpace(name), Type: t, Nullable: true})
	}
	return cols, nil
}
