package basalt

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/hive"
	"github.com/basaltdb/basalt/storage/text"
)

// textOptions is the serde of a text table, by its format and properties.
func textOptions(t *catalog.Table) (text.Options, error) {
	lib := strings.ToLower(t.Properties["serialization.lib"])
	get := func(name string, b *byte) error {
		v, ok := t.Properties[name]
		if !ok {
			return nil
		}
		d := hiveDelimiter(v)
		if len(d) != 1 {
			return sqlerr.Unsupported("a " + name + " of several bytes")
		}
		*b = d[0]
		return nil
	}
	skip, err := lineCount(t, "skip.header.line.count")
	if err != nil {
		return text.Options{}, err
	}
	footer, err := lineCount(t, "skip.footer.line.count")
	if err != nil {
		return text.Options{}, err
	}
	if t.Format == formatJSON || strings.Contains(lib, "json") {
		is := func(name, value string) bool { return strings.EqualFold(t.Properties[name], value) }
		return text.Options{Kind: text.JSON, Serde: true, Skip: skip, Footer: footer, Strict: !is("ignore.malformed.json", "true"),
			Complex: is("json.stringify.complex.fields", "true"), RawBinary: is("json.binary.format", "rawstring")}, nil
	}
	if strings.Contains(lib, "opencsv") {
		o := text.Options{Kind: text.CSV, Field: ',', Quote: '"', Escape: '\\', Line: '\n', Skip: skip, Footer: footer, OneLine: true}
		for name, b := range map[string]*byte{"separatorChar": &o.Field, "quoteChar": &o.Quote, "escapeChar": &o.Escape} {
			if err := get(name, b); err != nil {
				return o, err
			}
		}
		return o, nil
	}
	if lib != "" && !strings.Contains(lib, "lazysimple") {
		return text.Options{}, sqlerr.Unsupported("SERDE '" + t.Properties["serialization.lib"] + "'")
	}
	o := text.Hive()
	o.Skip, o.Footer = skip, footer
	if v, ok := t.Properties["serialization.null.format"]; ok {
		o.Null = v
	}
	o.Rest = strings.EqualFold(t.Properties["serialization.last.column.takes.rest"], "true")
	// The second spelling of collections is that of Hive before version 3.
	for name, b := range map[string]*byte{"field.delim": &o.Field, "escape.delim": &o.Escape, "line.delim": &o.Line, "colelction.delim": &o.Nested[0], "mapkey.delim": &o.Nested[1]} {
		if err := get(name, b); err != nil {
			return o, err
		}
	}
	for name, b := range map[string]*byte{"collection.delim": &o.Nested[0]} {
		if err := get(name, b); err != nil {
			return o, err
		}
	}
	return o, nil
}

// lineCount is a table's property that counts lines, at most 1,000.
func lineCount(t *catalog.Table, name string) (int, error) {
	v := t.Properties[name]
	if v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 1000 {
		return 0, sqlerr.New(sqlerr.WrongArguments, "%s must be a number of lines up to 1000, not '%s'", name, v)
	}
	return n, nil
}

// hiveDelimiter reads a separator as Hive does: a character, an escape such as \001 or \t, or a number of a byte.
func hiveDelimiter(s string) []byte {
	if len(s) == 4 && s[0] == '\\' {
		n := 0
		for _, c := range s[1:] {
			n = n*8 + int(c-'0')
		}
		return []byte{byte(n)}
	}
	if len(s) > 1 && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') {
		n, sign := 0, 1
		digits := s
		if s[0] == '-' {
			sign, digits = -1, s[1:]
		}
		for _, c := range digits {
			if c < '0' || c > '9' {
				return []byte(s)
			}
			n = n*10 + int(c-'0')
		}
		return []byte{byte(sign * n)}
	}
	return delimiter(s)
}

// isTextTable reports tables whose files are text.
func isTextTable(t *catalog.Table) bool { return t.Format == formatText || t.Format == formatJSON }

// openerOf is how the files of a table are opened.
func openerOf(t *catalog.Table) (fileset.Open, error) {
	f, err := formatFor(t.Format)
	if err != nil {
		return nil, err
	}
	return f.open(t)
}

// sampledFiles is how many files of a table are opened to estimate the rows of all.
const sampledFiles = 16

// estimateRows fills in the rows of files by the bytes a row of some of them takes.
func (db *DB) estimateRows(files []fileset.File, open fileset.Open) {
	var rows, bytes int64
	step := max(1, len(files)/sampledFiles)
	for i := 0; i < len(files); i += step {
		src, err := open(db.fs, []string{files[i].Path}, nil)
		if err != nil {
			continue // the scan tells it
		}
		if st := src.Stats(); st.Rows > 0 {
			rows, bytes = rows+st.Rows, bytes+files[i].Bytes
		}
	}
	if rows == 0 {
		return
	}
	for i := range files {
		files[i].Rows = max(1, int64(float64(files[i].Bytes)*float64(rows)/float64(bytes)))
	}
}

// pathValue is the value of a key of a path; text that is none of the type reads as NULL, as in Hive.
func pathValue(k hive.Key, typ sqltype.Type) (vector.Value, error) {
	if k.Null {
		return vector.NullOf(typ), nil
	}
	e, err := expr.CastWith(expr.Lit(vector.StringValue(sqltype.T(sqltype.String), k.Value)), typ, function.Cast)
	if err != nil {
		return vector.Value{}, err
	}
	if e, err = expr.Fold(e, &function.Context{}); err != nil {
		return vector.Value{}, err
	}
	if lit, ok := e.(*expr.Literal); ok {
		return lit.Value, nil
	}
	return vector.NullOf(typ), nil
}

// folderColumns are the partition columns of a folder of key=value folders whose types are
// taken from the texts: INT or BIGINT, DATE, else STRING.
func folderColumns(parts []hive.Partition) []storage.Column {
	var out []storage.Column
	for k := range parts[0].Keys {
		typ := sqltype.T(sqltype.BigInt)
		for _, try := range []sqltype.Type{typ, sqltype.T(sqltype.Date), sqltype.T(sqltype.String)} {
			typ = try
			fits := true
			for i := range parts {
				key := parts[i].Keys[k]
				if key.Null || try.IsString() {
					continue
				}
				v, err := pathValue(key, try)
				fits = fits && err == nil && !v.Null && v.Text() == key.Value
			}
			if fits {
				break
			}
		}
		out = append(out, storage.Column{Name: parts[0].Keys[k].Name, Type: typ, Nullable: true})
	}
	return out
}

// folderTable is FROM 'folder' where the folder has key=value folders: the files' columns, then those of the path.
func (db *DB) folderTable(root, format string) (storage.Source, error) {
	parts, err := hive.Discover(db.fs, root, nil)
	if err != nil {
		return nil, err
	}
	first := ""
	for i := range parts {
		if len(parts[i].Files) > 0 {
			first = filepath.Join(root, filepath.FromSlash(parts[i].Path), parts[i].Files[0].Name)
			break
		}
	}
	if first == "" {
		return nil, sqlerr.New(sqlerr.FileNotFound, "the folder %s has no data files", root)
	}
	open := fileset.Open(func(_ storage.FS, paths []string, cols []storage.Column) (storage.Source, error) {
		return db.textFilesAs(paths, textFormat(first), cols)
	})
	if format != "" || textFormat(first) == "" {
		if format == "" {
			format = db.formatAt(first)
		}
		if open, err = openerOf(&catalog.Table{Format: format}); err != nil {
			return nil, err
		}
	}
	src, err := open(db.fs, []string{first}, nil)
	if err != nil {
		return nil, err
	}
	t := &catalog.Table{Location: root, Partitioning: &catalog.Partitioning{Kind: storage.PathPartitions}}
	keys := folderColumns(parts)
	isKey := func(name string) bool {
		for _, k := range keys {
			if strings.EqualFold(k.Name, name) {
				return true
			}
		}
		return false
	}
	for _, c := range src.Columns() {
		if !isKey(c.Name) { // the path wins over a column of the files
			t.Columns = append(t.Columns, catalog.Column{ID: int32(len(t.Columns) + 1), Name: c.Name, Type: c.Type, Nullable: true})
		}
	}
	for _, c := range keys {
		id := int32(len(t.Columns) + 1)
		t.Columns = append(t.Columns, catalog.Column{ID: id, Name: c.Name, Type: c.Type, Nullable: true})
		t.Partitioning.Columns = append(t.Partitioning.Columns, id)
	}
	return db.hiveSource(t, open)
}

// hasPartitionFolders reports a folder that holds a key=value folder.
func (db *DB) hasPartitionFolders(path string) bool {
	if strings.ContainsAny(path, "*?[{") {
		return false
	}
	if st, err := db.fs.Stat(path); err != nil || !st.IsDir {
		return false
	}
	entries, err := db.fs.List(path)
	if err != nil {
		return false // listing it again tells the error
	}
	for _, e := range entries {
		if e.IsDir && strings.Contains(e.Name, "=") && !hidden(e.Name) {
			return true
		}
	}
	return false
}
