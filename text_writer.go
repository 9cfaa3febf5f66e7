package basalt

import (
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/fileset"
	"github.com/basaltdb/basalt/storage/table"
	"github.com/basaltdb/basalt/storage/text"
)

// textFileFormat writes text and JSON files of tables.
type textFileFormat struct {
	read  text.Options
	write text.WriterOptions
	cols  []storage.Column
}

// openText tells how the text files of a table are opened, by the serde of its properties.
func openText(t *catalog.Table) (fileset.Open, error) {
	o, err := textOptions(t)
	if err != nil {
		return nil, err
	}
	return func(fs storage.FS, paths []string, cols []storage.Column) (storage.Source, error) {
		return text.NewSource(fs, paths, cols, o)
	}, nil
}

// newTextFormat is the writer of files that openText's reader reads.
func newTextFormat(t *catalog.Table) (table.Format, error) {
	o, err := textOptions(t)
	if err != nil {
		return nil, err
	}
	f := textFileFormat{read: o, write: o.WriterOptions()}
	if o.Kind == text.CSV { // as OpenCSVSerde writes
		f.write.Quoting = text.QuoteAll
	}
	f.cols = fileColumns(t)
	f.write.Compression, err = textCodec(t.Properties)
	return f, err
}

// textCodec is the compression that a table's property asks for; by default there is none.
func textCodec(properties map[string]string) (string, error) {
	switch v := strings.ToUpper(properties[compressionProperty]); v {
	case "", "NO_COMPRESSION", "NONE", "UNCOMPRESSED", "PLAIN":
		return "", nil
	case "GZIP", "GZ", "ZLIB":
		return "gzip", nil
	case "ZSTD", "SNAPPY":
		return strings.ToLower(v), nil
	default:
		return "", sqlerr.Unsupported(`"compression" = "` + v + `" of text files`).WithHint("Use GZIP, ZSTD, SNAPPY or NONE")
	}
}

// textEndings are the endings of text files' names, by kind.
var textEndings = map[text.Kind]string{text.Delimited: ".txt", text.CSV: ".csv", text.JSON: ".json"}

// textExtensions are all endings that text files of tables have.
func textExtensions() (out []string) {
	for _, name := range textEndings {
		for _, packed := range text.Compressions {
			out = append(out, name+packed)
		}
	}
	return out
}

// Extension implements table.Format.
func (f textFileFormat) Extension() string {
	return textEndings[f.read.Kind] + text.Compressions[f.write.Compression]
}

// NewFileWriter implements table.Format.
func (f textFileFormat) NewFileWriter(out storage.WritableFile, cols []storage.Column) (table.FileWriter, error) {
	return text.NewWriter(out, cols, f.write)
}

// Stats implements table.Format: of text files nothing is known but that they can be read.
func (f textFileFormat) Stats(fs storage.FS, path string) (*storage.Stats, error) {
	src, err := text.NewSource(fs, []string{path}, f.cols, f.read)
	if err != nil {
		return nil, err
	}
	return src.Stats(), nil
}
