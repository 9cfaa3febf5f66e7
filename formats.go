package basalt

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/orc"
	"github.com/basaltdb/basalt/storage/parquet"
	"github.com/basaltdb/basalt/storage/table"
)

// The file formats that tables are stored in, as catalog.Table.Format and the endings of data
// files name them.
const (
	formatParquet = "parquet"
	formatORC     = "orc"
	formatText    = "textfile" // the serde is in the table's properties
	formatJSON    = "jsonfile"
)

// fileFormat is how tables of one format are read and written.
type fileFormat struct {
	// open tells how the files of a table are opened; its columns nil takes the schema from them.
	open func(t *catalog.Table) (fileset.Open, error)
	// writer makes the writer of files of a table that is new or gets rows. The properties say how; a table of no
	// columns yet is allowed.
	writer func(t *catalog.Table) (table.Format, error)
}

var formats = map[string]fileFormat{
	formatParquet: {
		open: always(func(fs storage.FS, paths []string, cols []storage.Column) (storage.Source, error) {
			return parquet.NewSource(fs, paths, cols)
		}),
		writer: func(t *catalog.Table) (table.Format, error) {
			codec, err := parquetCodec(t.Properties)
			return parquetFormat{codec: codec, sorted: sortColumns(t), bloom: bloomColumns(t), rows: pageRows(t)}, err
		},
	},
	formatORC: {
		open: always(func(fs storage.FS, paths []string, cols []storage.Column) (storage.Source, error) {
			return orc.NewSource(fs, paths, cols)
		}),
		writer: func(t *catalog.Table) (table.Format, error) {
			codec, err := orcCodec(t.Properties)
			return orcFormat{codec: codec, bloom: bloomColumns(t)}, err
		},
	},
	formatText: {open: openText, writer: newTextFormat},
	formatJSON: {open: openText, writer: newTextFormat},
}

// always is the opener of formats that have no properties.
func always(open fileset.Open) func(*catalog.Table) (fileset.Open, error) {
	return func(*catalog.Table) (fileset.Open, error) { return open, nil }
}

// openersOf opens the data files of an internal table, by what formatOf says of them.
func openersOf(t *catalog.Table) map[string]fileset.Open {
	out := map[string]fileset.Open{}
	for name, f := range formats {
		if open, err := f.open(t); err == nil { // checked when the table was made
			out[name] = open
		}
	}
	return out
}

// formatOf is the format of a data file of t, by its ending.
func formatOf(t *catalog.Table, path string) string {
	switch name := strings.TrimPrefix(filepath.Ext(path), "."); {
	case name == formatParquet || name == formatORC:
		return name
	case isTextTable(t):
		return t.Format
	}
	return formatParquet // reading it tells that it is none
}

// formatFor finds a format by its name, in any case.
func formatFor(name string) (fileFormat, error) {
	if name == "" {
		name = formatParquet
	}
	f, ok := formats[strings.ToLower(name)]
	if !ok {
		return f, sqlerr.Unsupported("the file format " + name)
	}
	return f, nil
}

// formatAt tells the format of a data file by its name, or by its first bytes where the name
// says nothing, as Hive's 000000_0 does.
func (db *DB) formatAt(path string) string {
	if name := strings.ToLower(strings.TrimPrefix(filepath.Ext(path), ".")); name != "" {
		if name == formatParquet || name == formatORC {
			return name
		}
	}
	f, err := db.fs.Open(path)
	if err != nil {
		return formatParquet // reading it tells the error
	}
	defer f.Close()
	var head [3]byte
	if n, _ := f.ReadAt(head[:], 0); string(head[:n]) == "ORC" {
		return formatORC
	}
	return formatParquet
}

// bloomColumns are the columns of t's property bloom_filter_columns, by position, and the last key column of a
// UNIQUE table: a file between whose keys a key falls mostly does not have it.
func bloomColumns(t *catalog.Table) []int {
	var out []int
	if keys := ordinals(t, t.Distribution.Sorted); t.Model == catalog.UniqueKey && checkBloomColumn(t, t.Columns[keys[len(keys)-1]].Name) == nil {
		out = append(out, keys[len(keys)-1])
	}
	for _, name := range strings.Split(t.Properties["bloom_filter_columns"], ",") {
		for i := range t.Columns {
			if strings.EqualFold(t.Columns[i].Name, strings.TrimSpace(name)) && !isPathColumn(t, i) && !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

// nameFormat sets the format that STORED AS or the property "format" asks for, and checks
// that it can be written as the properties say; named is false when neither is there.
func nameFormat(t *catalog.Table, st *ast.CreateTable) (named bool, err error) {
	name := ""
	probe := catalog.Table{Properties: map[string]string{}}
	lists := [][]ast.Property{st.Properties}
	if st.Hive != nil {
		lists = append(lists, st.Hive.TblProperties)
	}
	for _, list := range lists {
		for _, kv := range list {
			probe.Properties[strings.ToLower(kv.Key)] = kv.Value
			if strings.EqualFold(kv.Key, "format") || strings.EqualFold(kv.Key, "write.format") {
				name = kv.Value
			}
		}
	}
	if st.Hive != nil {
		switch input := strings.ToLower(st.Hive.InputFormat); {
		case st.Hive.StoredAs != "":
			name = st.Hive.StoredAs
		case strings.Contains(input, "orc"):
			name = formatORC
		case input != "" && !strings.Contains(input, "parquet"):
			return false, sqlerr.Unsupported("STORED AS INPUTFORMAT '" + st.Hive.InputFormat + "'")
		}
	}
	if name != "" {
		t.Format = strings.ToLower(name)
	}
	if st.External && (isTextTable(t) || name == "" && st.Hive != nil && st.Hive.RowFormat != nil) {
		if name == "" { // ROW FORMAT without STORED AS is text
			t.Format = formatText
		}
		return true, nil
	}
	if !st.External && st.Hive != nil && st.Hive.RowFormat != nil {
		if name != "" && t.Format != formatText {
			return false, sqlerr.Unsupported("ROW FORMAT with STORED AS " + strings.ToUpper(name)).At(st.Position())
		}
		name, t.Format = formatText, formatText
		rowFormatProperties(t, st.Hive)
		maps.Copy(probe.Properties, t.Properties)
	}
	probe.Format = t.Format
	if !st.External && !isHive(st) && t.Format != formatParquet {
		t.Properties["format"] = t.Format // where SHOW CREATE TABLE tells it
	}
	f, err := formatFor(t.Format)
	if err == nil && !st.External {
		_, err = f.writer(&probe)
	}
	return name != "", err
}
