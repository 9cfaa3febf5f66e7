package hive

import (
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// settleTime is how much older than a listing a folder's time of change must be for the listing to be kept: clocks
// of file systems tick as slowly as once a second, so that a later change may leave the time as it is.
const settleTime = 2 * time.Second

// Lister lists the folders of one table again and again: a folder whose time of change is that of its last
// listing is not read anew. A folder that is listed tells of files that came and went, not of files that were
// written over in place; those of no bytes are looked at again, for somebody may be about to write them. One goroutine
// at a time uses it.
type Lister struct {
	fs   storage.FS
	dirs map[string]*listing
	used int64 // number of the current walk
}

type listing struct {
	changed time.Time
	settled bool
	absent  bool // there was no such folder
	used    int64
	entries []storage.FileInfo
}

// NewLister makes a Lister that knows nothing yet.
func NewLister(fs storage.FS) *Lister { return &Lister{fs: fs, dirs: map[string]*listing{}} }

// Fresh reports whether all folders that were listed since Begin are as they were.
func (l *Lister) Fresh() bool {
	if len(l.dirs) == 0 {
		return false
	}
	for dir, known := range l.dirs {
		if !known.settled {
			return false
		}
		st, err := l.fs.Stat(dir)
		if known.absent != sqlerr.Is(err, sqlerr.FileNotFound) || !known.absent && (err != nil || !st.ModTime.Equal(known.changed)) {
			return false
		}
	}
	return true
}

// Begin starts a walk: folders that it does not meet are forgotten by End.
func (l *Lister) Begin() { l.used++ }

// End ends a walk.
func (l *Lister) End() {
	for dir, known := range l.dirs {
		if known.used != l.used {
			delete(l.dirs, dir)
		}
	}
}

// Discover is Discover.
func (l *Lister) Discover(root string, names []string) ([]Partition, error) {
	return discover(l.List, root, names)
}

// List is the content of a folder, by name. It belongs to the Lister.
func (l *Lister) List(dir string) ([]storage.FileInfo, error) {
	known := l.dirs[dir]
	if known != nil && known.used == l.used && !known.absent {
		return known.entries, nil
	}
	st, err := l.fs.Stat(dir)
	if err != nil {
		if sqlerr.Is(err, sqlerr.FileNotFound) {
			l.dirs[dir] = &listing{absent: true, settled: true, used: l.used}
		}
		return nil, err
	}
	if known == nil || known.absent || !known.settled || !known.changed.Equal(st.ModTime) {
		now := time.Now() // before the folder is read
		known = &listing{changed: st.ModTime, settled: now.Sub(st.ModTime) > settleTime}
		if known.entries, err = l.fs.List(dir); err != nil {
			return nil, err
		}
		for i := range known.entries {
			if e := &known.entries[i]; !e.IsDir && e.Size == 0 {
				known.settled = false
			}
		}
		l.dirs[dir] = known
	}
	known.used = l.used
	return known.entries, nil
}

// Files are the data files of a folder.
func (l *Lister) Files(dir string) ([]storage.FileInfo, error) {
	entries, err := l.List(dir)
	var out []storage.FileInfo
	for _, e := range entries {
		if !e.IsDir && !Hidden(e.Name) && e.Size > 0 {
			out = append(out, e)
		}
	}
	return out, err
}
