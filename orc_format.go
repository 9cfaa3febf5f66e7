package basalt

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/orc"
	"github.com/basaltdb/basalt/storage/table"
)

// orcFormat writes ORC files of internal tables.
type orcFormat struct {
	codec string
	bloom []int // columns with a bloom filter
}

// orcCodec is the codec that a table's compression property, or Hive's orc.compress, asks for. The default is
// zstd, which reads faster than zlib and is what ORC's own writers take now.
func orcCodec(properties map[string]string) (string, error) {
	v := properties["orc.compress"]
	if p := properties[compressionProperty]; p != "" {
		v = p
	}
	switch v := strings.ToUpper(v); v {
	case "":
		return "zstd", nil
	case "ZSTD", "ZLIB", "SNAPPY", "LZ4":
		return strings.ToLower(v), nil
	case "NO_COMPRESSION", "NONE", "UNCOMPRESSED":
		return "none", nil
	default:
		return "", sqlerr.Unsupported(`"compression" = "` + v + `"`).WithHint("Use ZSTD, ZLIB, SNAPPY, LZ4 or NO_COMPRESSION")
	}
}

// Extension implements table.Format.
func (orcFormat) Extension() string { return ".orc" }

// NewFileWriter implements table.Format.
func (o orcFormat) NewFileWriter(f storage.WritableFile, cols []storage.Column) (table.FileWriter, error) {
	return orc.NewWriter(f, cols, orc.WriterOptions{Codec: o.codec, BloomColumns: o.bloom})
}

// Stats implements table.Format.
func (orcFormat) Stats(fs storage.FS, path string) (*storage.Stats, error) {
	src, err := orc.NewSource(fs, []string{path}, nil)
	if err != nil {
		return nil, err
	}
	return src.Stats(), nil
}
