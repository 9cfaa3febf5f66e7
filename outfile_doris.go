package basalt

import (
	"fmt"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage/text"
)

// Limits of max_file_size, as Doris's.
const (
	minOutfileBytes     = 5 << 20
	maxOutfileBytes     = 2 << 30
	defaultOutfileBytes = 1 << 30
)

// doris writes files whose names begin with path.
func (e *export) doris(path, unique string, into *ast.IntoOutfile) error {
	p := outfileProperties{}
	for _, kv := range into.Properties {
		p[strings.ToLower(kv.Key)] = kv.Value
	}
	if err := p.check(); err != nil {
		return err
	}
	e.options.MaxBytes = defaultOutfileBytes
	if v, ok := p["max_file_size"]; ok {
		n, ok := ParseSize(v)
		if !ok || n < minOutfileBytes || n > maxOutfileBytes {
			return sqlerr.Detail("max file size should between 5MB and 2GB but given '%s'", v)
		}
		e.options.MaxBytes = n
	}
	ending, err := e.dorisFormat(into.Format, p)
	if err != nil {
		return err
	}
	if v, ok := p["file_suffix"]; ok {
		ending = "." + strings.TrimPrefix(v, ".")
	}
	if strings.ContainsAny(ending+p["success_file_name"], "/\\\x00") {
		return sqlerr.Detail("a file's name holds no '/'")
	}
	e.options.Name = func(n int) string { return fmt.Sprintf("%s%s%d%s", path, unique, n, ending) }
	e.url = "file://" + path + unique + "*"
	if v := p["success_file_name"]; v != "" {
		e.options.Success = path + v
		return writableTo(e.options.FS, e.options.Success)
	}
	return nil
}

// dorisFormat is FORMAT AS with the properties that belong to it; it answers the ending of file names.
func (e *export) dorisFormat(name string, p outfileProperties) (ending string, err error) {
	switch name {
	case "PARQUET", "ORC":
		t := &catalog.Table{Format: strings.ToLower(name), Properties: map[string]string{compressionProperty: p["compress_type"]}}
		if v := strings.ToUpper(p["compress_type"]); v == "PLAIN" {
			t.Properties[compressionProperty] = "NONE"
		}
		f, err := formatFor(t.Format)
		if err != nil {
			return "", err
		}
		w, err := f.writer(t)
		if err != nil {
			return "", err
		}
		for _, key := range []string{"column_separator", "line_delimiter", "enclose", "escape"} {
			if _, ok := p[key]; ok {
				return "", sqlerr.Detail("%s is only for CSV format", key)
			}
		}
		e.format = tableExport(w)
		return w.Extension(), nil
	case "", "CSV", "CSV_WITH_NAMES", "CSV_WITH_NAMES_AND_TYPES":
		o := text.WriterOptions{Kind: text.CSV, Field: "\t", Line: "\n", Null: `\N`, Names: name != "" && name != "CSV", Types: strings.HasSuffix(name, "TYPES")}
		if err := p.text(&o); err != nil {
			return "", err
		}
		e.format = textExport(o)
		return ".csv" + text.Compressions[o.Compression], nil
	case "JSON":
		o := text.WriterOptions{Kind: text.JSON, Line: "\n"}
		if o.Compression, err = textCodec(map[string]string{compressionProperty: p["compress_type"]}); err != nil {
			return "", err
		}
		e.format = textExport(o)
		return ".json" + text.Compressions[o.Compression], nil
	}
	return "", sqlerr.Unsupported("FORMAT AS " + name).WithHint("Use CSV, CSV_WITH_NAMES, CSV_WITH_NAMES_AND_TYPES, PARQUET, ORC or JSON")
}

// outfileProperties are those of INTO OUTFILE and EXPORT, by lower-case name.
type outfileProperties map[string]string

// check refuses what is not known, by name.
func (p outfileProperties) check() error {
	for key := range p {
		switch key {
		case "column_separator", "line_delimiter", "enclose", "escape", "max_file_size", "success_file_name", "file_suffix", "compress_type":
		case "delete_existing_files":
			if !strings.EqualFold(p[key], "false") {
				return sqlerr.Unsupported(`"delete_existing_files"`)
			}
		default:
			if strings.Contains(key, ".") || key == "schema" || key == "with_bom" {
				return sqlerr.Unsupported(`the property "` + key + `" of INTO OUTFILE`)
			}
			return sqlerr.Detail("Unknown properties: [%s]", key)
		}
	}
	return nil
}

// text reads the properties of CSV. enclose and escape are ours: Doris writes values as they are.
func (p outfileProperties) text(o *text.WriterOptions) (err error) {
	for key, to := range map[string]*string{"column_separator": &o.Field, "line_delimiter": &o.Line} {
		if v, ok := p[key]; ok {
			if *to = string(delimiter(v)); *to == "" {
				return sqlerr.Detail("%s is empty", key)
			}
		}
	}
	for key, to := range map[string]*byte{"enclose": &o.Quote, "escape": &o.Escape} {
		if v, ok := p[key]; ok {
			b := delimiter(v)
			if len(b) != 1 {
				return sqlerr.Detail("%s must be one character", key)
			}
			*to = b[0]
		}
	}
	o.Compression, err = textCodec(map[string]string{compressionProperty: p["compress_type"]})
	return err
}
