package basalt

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// Options configure a DB. The zero value is a good start.
type Options struct {
	// MemoryLimit is what the process may use, in bytes; 0 is three quarters of the machine's
	// memory. An eighth of it (at most 1 GB) is for what nobody counts, PageCache for the page
	// cache, the rest is the working memory of all queries together.
	MemoryLimit int64
	// PageCache bounds the decoded pages that are kept between queries, in bytes; 0 is a quarter of
	// MemoryLimit, negative none.
	PageCache int64
	// Workers is how many drivers compute at a time over all queries; 0 is the number of cores.
	Workers int
	// Logger takes what the engine has to say; nil is slog.Default.
	Logger *slog.Logger
	// SpillDir takes what does not fit into memory; "" is the folder spill of the data folder, or
	// one in the system's folder for temporary files. It is emptied at Open: share it with nobody.
	SpillDir string
	// FS replaces the file system, for tests of failures; nil is the operating system's.
	FS storage.FS
	// Clock is what dynamic partitions and the recycle bin take for now; nil: time.Now.
	Clock func() time.Time
	// Settings are initial values of system variables, by name.
	Settings map[string]string
}

// now is the time as Options.Clock tells it.
func (db *DB) now() time.Time { return db.clock() }

// DB is an open engine. Safe for concurrent use.
type DB struct {
	dir    string // "" in memory
	log    *slog.Logger
	fs     storage.FS
	moved  *storage.MovedFiles // is fs
	cat    *catalog.Catalog
	memory *budget.Budget
	pages  *storage.PageCache // nil: none
	slots  *executor.Slots
	work   int
	clock  func() time.Time

	resources
	functions userFunctions
	garbage   garbage
	profiles  profileStore
	sources   sync.Map // table id -> *openedTable
	listings  sync.Map // id of an external table -> *listedTable
	folders   sync.Map // location of an external table -> *folderState
	indexes   sync.Map // table id -> *tableIndexes
	rowLocks  sync.Map // table id -> writeLock
	// dictionaries are the global dictionaries that are in memory, see dictionary.go.
	dictionaries *dictionary.Cache
	opened       atomic.Int64
	compaction   compactor
	indexing     indexer
	rewrites     rewrites
	analyzed     analyzeJobs
	scheduler    scheduler

	transactions transactions
	pending      sync.Mutex // guards the partitions of tables that CREATE TABLE AS is writing

	mu       sync.Mutex
	global   *settings
	sessions map[uint64]*Session
	dynamics map[int64]dynamicState // by table
	closed   bool
	temp     string // folder for internal tables of an in-memory DB, made on demand
	nextID   atomic.Uint64
	nextTxn  atomic.Int64
	counters Counters
}

// Counters count what a DB did since Open; read them with Load.
type Counters struct {
	Queries, Errors, RowsReturned atomic.Int64
	QueryNanos                    atomic.Int64
	Running                       atomic.Int64
	SlowQueries                   atomic.Int64 // that took longer than long_query_time
}

const (
	catalogFile   = "catalog.bolt"
	warehouseDir  = "warehouse"
	addressFile   = "server.json"
	defaultMemory = 4 << 30
)

// Open opens the data folder dir, making it when it is missing; dir "" is an engine in
// memory that forgets everything at Close. A folder that another process has open gives
// error 1015 with the way to connect to that process.
func Open(dir string, o Options) (*DB, error) {
	db := &DB{dir: dir, log: o.Logger, fs: o.FS, work: o.Workers, clock: o.Clock, global: newSettings(), sessions: map[uint64]*Session{}}
	if db.log == nil {
		db.log = slog.Default()
	}
	if db.fs == nil {
		db.fs = storage.OSFS{}
	}
	db.moved = storage.NewMovedFiles(db.fs)
	db.fs = db.moved
	if db.clock == nil {
		db.clock = time.Now
	}
	if db.work <= 0 {
		db.work = runtime.GOMAXPROCS(0)
	}
	limit := o.MemoryLimit
	if limit <= 0 {
		limit = machineMemory() / 4 * 3
	}
	pages := o.PageCache
	if pages == 0 {
		pages = limit / 4
	}
	if pages > 0 {
		db.pages = storage.NewPageCache(pages, nil)
	}
	db.total = limit
	db.memory = budget.New("process", queryMemory(limit, max(pages, 0)), nil)
	db.slots = executor.NewSlots(db.work)
	for name, value := range o.Settings {
		if err := db.global.setText(name, value); err != nil {
			return nil, err
		}
	}
	db.dictionaries = db.newDictionaries()
	path := ""
	if dir != "" {
		path = filepath.Join(dir, catalogFile)
	}
	cat, err := catalog.Open(path, db.openSource)
	if sqlerr.Is(err, sqlerr.DataLocked) {
		return nil, db.lockedError(err)
	}
	if err != nil {
		return nil, err
	}
	db.cat = cat
	cat.Clock = db.clock
	err = db.sweep()
	if err == nil {
		err = db.endRewrites()
	}
	if err == nil {
		err = db.openResources(o.SpillDir)
	}
	if err != nil {
		_ = cat.Close()
		return nil, err
	}
	db.startScheduler()
	return db, nil
}

// lockedError adds to err how to reach the process that has the folder.
func (db *DB) lockedError(err error) error {
	e := sqlerr.From(err)
	var a serverAddress
	data, rerr := os.ReadFile(filepath.Join(db.dir, addressFile))
	if rerr == nil && json.Unmarshal(data, &a) == nil && a.MySQL != "" {
		return e.WithHint("Process %d serves it: connect with `mysql -h %s -P %s -u root` or `basalt sql --host %s --port %s`", a.PID, a.Host, a.Port, a.Host, a.Port)
	}
	return e.WithHint("Close the other process first, or start it as a server (basalt serve --data %s) and connect to it", db.dir)
}

type serverAddress struct {
	PID               int
	MySQL, Host, Port string
}

// AnnounceServer records where this process serves the data folder, for the error that
// other processes get. The record goes with Close.
func (db *DB) AnnounceServer(host, port string) error {
	if db.dir == "" {
		return nil
	}
	data, err := json.Marshal(serverAddress{os.Getpid(), host + ":" + port, host, port})
	if err != nil {
		return err
	}
	return storage.FileError(os.WriteFile(filepath.Join(db.dir, addressFile), data, 0o644), addressFile, "write")
}

// Close ends all sessions, waits for their statements and releases the data folder.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	all := make([]*Session, 0, len(db.sessions))
	for _, s := range db.sessions {
		all = append(all, s)
	}
	db.mu.Unlock()
	db.stopScheduler()
	db.stopCompaction()
	db.stopIndexing()
	for _, s := range all {
		s.kill(errShutdown)
	}
	for _, s := range all {
		s.Close()
	}
	db.collectGarbage()
	db.closeResources()
	if db.dir != "" {
		_ = os.Remove(filepath.Join(db.dir, addressFile))
	}
	if db.temp != "" {
		_ = os.RemoveAll(db.temp)
	}
	return db.cat.Close()
}

// Dir is the data folder, "" in memory.
func (db *DB) Dir() string { return db.dir }

// PageCacheStats tells how the page cache does; zero when there is none.
func (db *DB) PageCacheStats() storage.PageCacheStats {
	if db.pages == nil {
		return storage.PageCacheStats{}
	}
	return db.pages.Stats()
}

// Counters are the DB's running totals.
func (db *DB) Counters() *Counters { return &db.counters }

// MemoryUsed is what queries hold now, in bytes.
func (db *DB) MemoryUsed() int64 { return db.memory.Used() }

// Workers is how many drivers compute at a time.
func (db *DB) Workers() int { return db.work }

// SessionOptions say who a session is for.
type SessionOptions struct {
	User     string // "root" when empty
	Host     string // the client's address, for SHOW PROCESSLIST
	Database string // "default" when empty
}

// NewSession starts a session. It holds no locks and few resources; Close it when done.
func (db *DB) NewSession(o SessionOptions) *Session {
	if o.User == "" {
		o.User = "root"
	}
	if o.Database == "" {
		o.Database = catalog.DefaultDatabase
	}
	s := &Session{db: db, id: db.nextID.Add(1), user: o.User, host: o.Host, database: o.Database,
		variables: map[string]variable{}, prepared: map[string]*Prepared{}, since: time.Now()}
	db.mu.Lock()
	s.settings = db.global.clone()
	if db.closed {
		s.killed = errShutdown
	} else {
		db.sessions[s.id] = s
	}
	db.mu.Unlock()
	return s
}

// SessionInfo is one line of SHOW PROCESSLIST.
type SessionInfo struct {
	ID                   uint64
	User, Host, Database string
	Query                string // "" when idle
	Since                time.Time
}

// Sessions lists the open sessions.
func (db *DB) Sessions() []SessionInfo {
	db.mu.Lock()
	all := make([]*Session, 0, len(db.sessions))
	for _, s := range db.sessions {
		all = append(all, s)
	}
	db.mu.Unlock()
	out := make([]SessionInfo, len(all))
	for i, s := range all {
		out[i] = s.info()
	}
	return out
}

// Kill cancels the running statement of a session and, unless queryOnly, ends the session
// itself: its next use fails, and the function given to OnKill is called.
func (db *DB) Kill(id uint64, queryOnly bool) error {
	db.mu.Lock()
	s := db.sessions[id]
	db.mu.Unlock()
	if s == nil {
		return sqlerr.New(sqlerr.UnknownThread, "Unknown thread id: %d", id)
	}
	if queryOnly {
		s.CancelQuery()
	} else {
		s.kill(errKilled)
	}
	return nil
}

var (
	errKilled   = sqlerr.New(sqlerr.Interrupted, "Connection was killed")
	errShutdown = sqlerr.New(sqlerr.Interrupted, "Server shutdown in progress")
)

// Ping reports whether the DB is open.
func (db *DB) Ping(context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return errShutdown
	}
	return nil
}

// warehouse is the folder of internal tables. An in-memory DB uses a temporary one.
func (db *DB) warehouse() (string, error) {
	if db.dir != "" {
		return filepath.Join(db.dir, warehouseDir), nil
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.temp == "" {
		t, err := os.MkdirTemp("", "basalt-")
		if err != nil {
			return "", storage.FileError(err, os.TempDir(), "create folder in")
		}
		db.temp = t
	}
	return filepath.Join(db.temp, warehouseDir), nil
}

// machineMemory is the machine's memory in bytes, or a careful guess.
func machineMemory() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err == nil {
		var kb int64
		if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kb); err == nil && kb > 0 {
			return kb << 10
		}
	}
	return defaultMemory
}
