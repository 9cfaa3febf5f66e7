package table

import (
	"path/filepath"
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// Sweep removes from a table's folder what no commit lists: staging folders, data files whose
// names (relative to dir) are not in keep, and folders of partitions that this leaves empty.
// It is for internal tables only, at start, before anything is written.
func Sweep(fs storage.FS, dir string, keep map[string]bool, ext ...string) error {
	_, err := sweepFolder(fs, dir, "", keep, ext)
	return err
}

// sweepFolder sweeps one folder below dir and tells whether it is empty now.
func sweepFolder(fs storage.FS, dir, folder string, keep map[string]bool, ext []string) (empty bool, err error) {
	entries, err := fs.List(filepath.Join(dir, folder))
	if sqlerr.Is(err, sqlerr.FileNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	left := 0
	for _, e := range entries {
		name := filepath.Join(folder, e.Name)
		path := filepath.Join(dir, name)
		switch {
		case e.IsDir && folder == "" && strings.HasPrefix(e.Name, stagingPrefix):
			err = fs.RemoveAll(path)
		case e.IsDir:
			var gone bool
			if gone, err = sweepFolder(fs, dir, name, keep, ext); err == nil && gone {
				err = fs.Remove(path)
			} else {
				left++
			}
		case !keep[name] && dataFile(e.Name, ext):
			err = fs.Remove(path)
		default:
			left++
		}
		if err != nil {
			return false, err
		}
	}
	return left == 0, nil
}

func dataFile(name string, ext []string) bool {
	for _, x := range ext {
		if strings.HasSuffix(name, x) {
			return true
		}
	}
	return false
}
