// Package hive finds the partitions and bucket files of tables that Hive, Spark and Trino lay
// out as folders: key=value/key=value/file.
package hive

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// DefaultPartition is the folder value of NULL and of the empty text.
const DefaultPartition = "__HIVE_DEFAULT_PARTITION__"

// Partition is one leaf folder with its files.
type Partition struct {
	Path  string // below the table's folder, slash separated; "" for the table's folder itself
	Keys  []Key
	Files []storage.FileInfo // by name; Name is the file's own
}

// Key is one key=value of a path, unescaped. Keys are lower case, as Hive compares them.
type Key struct {
	Name  string
	Value string
	Null  bool
}

// Limits of a walk: hostile or wrong trees end with an error.
const (
	maxDepth = 32
	maxFiles = 10_000_000
)

// Discover lists the partitions below root in the order of their paths. names are the
// partition columns that the table declares, outermost first; nil takes them from the first partition found.
// Keys are given in that order, also where the folders have another. A partition with other keys is an error;
// hidden folders, other sub-folders and files beside partition folders are passed over.
func Discover(fs storage.FS, root string, names []string) ([]Partition, error) {
	return discover(fs.List, root, names)
}

func discover(list func(dir string) ([]storage.FileInfo, error), root string, names []string) ([]Partition, error) {
	w := &walk{list: list, names: names, declared: names != nil}
	err := w.dir(root, "", nil)
	return w.out, err
}

var transactional = regexp.MustCompile(`^(base|delta|delete_delta)_\d+(_|$)`)

// Transactional tells the folders of Hive's ACID tables, whose files are not the table's rows:
// later deltas change what earlier ones say.
func Transactional(name string) bool { return transactional.MatchString(name) }

type walk struct {
	list     func(dir string) ([]storage.FileInfo, error)
	names    []string
	declared bool
	out      []Partition
	files    int
}

// Hidden tells the names that Hive and its kin ignore.
func Hidden(name string) bool {
	return strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "._COPYING_")
}

func (w *walk) dir(dir, path string, keys []Key) error {
	entries, err := w.list(dir)
	if err != nil {
		return err
	}
	p := Partition{Path: path, Keys: slices.Clone(keys)}
	folders := false
	for _, e := range entries {
		if Hidden(e.Name) && !strings.HasPrefix(e.Name, "_") && e.IsDir || Hidden(e.Name) && !strings.Contains(e.Name, "=") {
			continue
		}
		if !e.IsDir {
			if e.Size > 0 {
				p.Files = append(p.Files, e)
			}
			continue
		}
		name, value, ok := strings.Cut(e.Name, "=")
		if !ok && Transactional(e.Name) {
			return sqlerr.Unsupported("a transactional table of Hive (" + filepath.Join(dir, e.Name) + ")")
		}
		if !ok {
			continue // sub-folders are not read, as by Hive
		}
		folders = true
		if len(keys) >= maxDepth {
			return sqlerr.New(sqlerr.CorruptFile, "the folder %s is nested too deeply", dir)
		}
		key := Key{Name: strings.ToLower(Unescape(name)), Value: Unescape(value)}
		key.Null = key.Value == DefaultPartition
		if err := w.dir(filepath.Join(dir, e.Name), strings.TrimPrefix(path+"/"+e.Name, "/"), append(keys, key)); err != nil {
			return err
		}
	}
	if w.files += len(p.Files); w.files > maxFiles {
		return sqlerr.New(sqlerr.NotSupported, "a table of more than %d files", maxFiles)
	}
	if folders && len(p.Files) == 0 || len(keys) == 0 && (folders || w.declared && len(w.names) > 0) {
		return nil // an inner level; files beside partition folders belong to no partition
	}
	if len(p.Files) == 0 && len(keys) < len(w.names) {
		return nil // an inner level whose partitions are gone
	}
	if w.names == nil {
		for _, k := range keys {
			w.names = append(w.names, k.Name)
		}
	}
	if err := w.order(dir, &p); err != nil {
		return err
	}
	w.out = append(w.out, p)
	return nil
}

// order brings a partition's keys into the order of the table's columns, whatever that of the folders is.
func (w *walk) order(dir string, p *Partition) error {
	keys := p.Keys
	p.Keys = make([]Key, len(w.names))
	for i, name := range w.names {
		at := slices.IndexFunc(keys, func(k Key) bool { return strings.EqualFold(k.Name, name) })
		if at < 0 || len(keys) != len(w.names) {
			return sqlerr.New(sqlerr.CorruptFile, "the folder %s is no partition of the table, which is partitioned by (%s)", dir, strings.Join(w.names, ", "))
		}
		p.Keys[i] = keys[at]
	}
	return nil
}

// Unescape turns %XX into bytes; what is no escape stays.
func Unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Path is the folder of a partition, slash separated.
func Path(keys []Key) string {
	var b strings.Builder
	for i, k := range keys {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(Escape(k.Name))
		b.WriteByte('=')
		if k.Null {
			b.WriteString(DefaultPartition)
		} else {
			b.WriteString(Escape(k.Value))
		}
	}
	return b.String()
}

// Escape writes a key or value as a folder name has it.
func Escape(s string) string {
	if s == "" {
		return DefaultPartition
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				b.WriteString(s[i : i+n])
				i += n - 1
				continue
			}
		}
		if c < 0x20 || c >= 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Bucket is the bucket number that a file's name tells: 000003_0, 000003_0_copy_1,
// bucket_00003, or Spark's part-…_00003.c000.…; ok is false for other names.
func Bucket(name string) (n int, ok bool) {
	if rest, found := strings.CutPrefix(name, "bucket_"); found {
		return leading(rest)
	}
	if strings.HasPrefix(name, "part-") {
		stem, _, _ := strings.Cut(name, ".")
		if at := strings.LastIndexByte(stem, '_'); at >= 0 && len(stem)-at == 6 {
			return leading(stem[at+1:])
		}
		return 0, false
	}
	if n, ok = leading(name); ok {
		digits := 0
		for digits < len(name) && name[digits] >= '0' && name[digits] <= '9' {
			digits++
		}
		ok = digits < len(name) && name[digits] == '_'
	}
	return n, ok
}

func leading(s string) (int, bool) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	return n, err == nil
}
