package basalt

import (
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/parquet"
	"github.com/basaltdb/basalt/storage/table"
)

// parquetFormat writes the files of internal tables. Codec is the table's compression
// property.
type parquetFormat struct{ codec string }

// Extension implements table.Format.
func (parquetFormat) Extension() string { return ".parquet" }

// NewFileWriter implements table.Format.
func (p parquetFormat) NewFileWriter(f storage.WritableFile, cols []storage.Column) (table.FileWriter, error) {
	return parquet.NewWriter(f, cols, parquet.WriterOptions{Codec: p.codec})
}

// Stats implements table.Format.
func (parquetFormat) Stats(fs storage.FS, path string) (*storage.Stats, error) {
	src, err := parquet.NewSource(fs, []string{path}, nil)
	if err != nil {
		return nil, err
	}
	return src.Stats(), nil
}
