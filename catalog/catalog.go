package catalog

import (
	"maps"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/storage"
)

// OpenSource makes the scan source of a stored table; the owner of the catalog injects it,
// so that the catalog knows no file format.
type OpenSource func(t *Table) (storage.Source, error)

// Catalog is the store of names. Readers take Snapshots without locks; Update runs one
// writer at a time.
type Catalog struct {
	// Clock tells the time that is recorded with changes; nil: time.Now. Set it before the first.
	Clock   func() time.Time
	open    OpenSource
	store   *store // nil: in memory only
	writeMu sync.Mutex
	current atomic.Pointer[state]
	ledger  ledger
}

// state is one version of the catalog. Immutable once published.
type state struct {
	version   int64
	nextID    int64
	databases map[string]*database
	groups    map[string]*ColocateGroup // by qualified name
	recycled  map[int64]*Recycled
	changes   map[int64]*Change
	jobs      map[int64]*AlterJob
}

type database struct {
	id       int64
	name     string
	location string
	tables   map[string]*Table
	views    map[string]*View
}

func (d *database) clone() *database {
	return &database{d.id, d.name, d.location, maps.Clone(d.tables), maps.Clone(d.views)}
}

// Open reads the catalog kept in the file path, making it with the default database when
// there is none; path "" keeps everything in memory. A file that another process has
// open gives sqlerr.DataLocked at once.
func Open(path string, open OpenSource) (*Catalog, error) {
	c := &Catalog{open: open}
	st := &state{nextID: 1, databases: map[string]*database{}}
	if path != "" {
		s, err := openStore(path)
		if err != nil {
			return nil, err
		}
		c.store = s
		if st, err = s.load(&c.ledger); err != nil {
			s.close()
			return nil, err
		}
	}
	c.current.Store(st)
	if err := c.identify(st); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// identify makes the default database, and gives ids to databases that were made before
// they had them.
func (c *Catalog) identify(st *state) error {
	complete := st.databases[DefaultDatabase] != nil
	for _, d := range st.databases {
		complete = complete && d.id != 0
	}
	if complete {
		return nil
	}
	return c.Update(func(tx *Tx) error {
		if tx.st.databases[DefaultDatabase] == nil {
			if err := tx.CreateDatabase(DefaultDatabase, ""); err != nil {
				return err
			}
		}
		for name := range tx.st.databases {
			d, err := tx.database(name)
			if err != nil {
				return err
			}
			if d.id == 0 {
				d.id = tx.NewID()
				tx.ops = append(tx.ops, putDatabase(d))
			}
		}
		return nil
	})
}

// Close releases the store. Snapshots stay readable.
func (c *Catalog) Close() error {
	if c.store == nil {
		return nil
	}
	return c.store.close()
}

// Version grows by one with each committed Update.
func (c *Catalog) Version() int64 { return c.current.Load().version }

// Snapshot is the catalog now.
func (c *Catalog) Snapshot() Snapshot { return &snapshot{c.current.Load(), c.open} }

// Update runs change on a copy of the catalog and, when it returns nil, makes the result
// durable and visible to later Snapshots. Errors leave everything as it was.
func (c *Catalog) Update(change func(tx *Tx) error) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	old := c.current.Load()
	next := &state{version: old.version + 1, nextID: old.nextID, databases: maps.Clone(old.databases), groups: old.groups, recycled: old.recycled,
		changes: old.changes, jobs: old.jobs}
	now := time.Now
	if c.Clock != nil {
		now = c.Clock
	}
	tx := &Tx{catalog: c, st: next, owned: map[string]bool{}, now: now().UTC().Truncate(time.Second)}
	if err := change(tx); err != nil {
		return err
	}
	if c.store != nil {
		if err := c.store.commit(tx); err != nil {
			return err
		}
	}
	c.current.Store(next)
	c.ledger.settle(tx)
	return nil
}

// Tx is a change in progress. It is used by one goroutine, inside Update.
type Tx struct {
	catalog *Catalog
	st      *state
	owned   map[string]bool // databases already cloned
	now     time.Time
	ops     []storeOp     // nil: another took its place
	puts    map[int64]int // which of ops stores a table
	stale   []StaleFile
	// What it does to the ledger.
	recorded, forgotten, cleaned []*Transaction
	// What of st is already a copy of this transaction's own.
	ownsGroups, ownsRecycled, ownsChanges, ownsJobs bool
}

func (tx *Tx) database(name string) (*database, error) {
	if name == InformationSchema {
		return nil, sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", name)
	}
	d := tx.st.databases[name]
	if d == nil {
		return nil, sqlerr.New(sqlerr.UnknownDatabase, "Unknown database '%s'", name)
	}
	if !tx.owned[name] {
		d = d.clone()
		tx.st.databases[name] = d
		tx.owned[name] = true
	}
	return d, nil
}

// CreateDatabase adds a database.
func (tx *Tx) CreateDatabase(name, location string) error {
	if name == InformationSchema {
		return sqlerr.New(sqlerr.AccessDeniedDB, "Access denied to database '%s'", name)
	}
	if tx.st.databases[name] != nil {
		return sqlerr.New(sqlerr.DatabaseExists, "Can't create database '%s'; database exists", name)
	}
	d := &database{id: tx.NewID(), name: name, location: location, tables: map[string]*Table{}, views: map[string]*View{}}
	tx.st.databases[name] = d
	tx.owned[name] = true
	tx.ops = append(tx.ops, putDatabase(d))
	return nil
}

// DropDatabase removes a database and all it holds for good; the dropped tables are returned so
// that their files can go. Their colocate groups keep those that the caller recycles: see
// LeaveGroups.
func (tx *Tx) DropDatabase(name string) ([]*Table, error) {
	dropped, err := tx.takeDatabase(name)
	for _, t := range dropped {
		tx.ops = append(tx.ops, dropDictionaries(t.ID))
	}
	return dropped, err
}

// takeDatabase is DropDatabase of tables that may come back.
func (tx *Tx) takeDatabase(name string) ([]*Table, error) {
	d, err := tx.database(name)
	if err != nil {
		return nil, err
	}
	if name == DefaultDatabase {
		return nil, sqlerr.New(sqlerr.CannotDropDB, "Can't drop database '%s'; it always exists", name)
	}
	dropped := slices.Collect(maps.Values(d.tables))
	for _, t := range dropped {
		tx.ops = append(tx.ops, dropTable(t))
	}
	for _, v := range d.views {
		tx.ops = append(tx.ops, dropView(v))
	}
	delete(tx.st.databases, name)
	tx.ops = append(tx.ops, dropDatabase(name))
	return dropped, nil
}

func (d *database) checkFree(name string) error {
	if d.tables[name] != nil || d.views[name] != nil {
		return sqlerr.New(sqlerr.TableExists, "Table '%s' already exists", name)
	}
	return nil
}

// CreateTable adds t, giving it, its columns and its partitions ids unless they have them
// already, and the time. t becomes the catalog's.
func (tx *Tx) CreateTable(t *Table) error {
	d, err := tx.database(t.Database)
	if err != nil {
		return err
	}
	if err := d.checkFree(t.Name); err != nil {
		return err
	}
	tx.AssignIDs(t)
	t.Created, t.Modified, t.Version = tx.now, tx.now, 1
	tx.loadNew(t)
	d.tables[t.Name] = t
	tx.putTable(t)
	tx.ops = append(tx.ops, putFiles(t, t.AllFiles()))
	return nil
}

// loadNew counts the files that a new table comes with as its first load.
func (tx *Tx) loadNew(t *Table) {
	if len(t.Files) == 0 {
		return
	}
	t.Version = 2
	all := slices.Clone(t.AllFiles())
	for i := range all {
		all[i].Version, all[i].Seq = t.Version, int32(i)
		if p := t.PartitionByID(all[i].Partition); p != nil {
			p.Version = t.Version
		}
	}
	t.SetAllFiles(all)
}

// putTable stores the record of t at the end of the transaction: only the last of several.
func (tx *Tx) putTable(t *Table) {
	if tx.puts == nil {
		tx.puts = map[int64]int{}
	}
	if i, ok := tx.puts[t.ID]; ok {
		tx.ops[i] = nil
	}
	tx.puts[t.ID] = len(tx.ops)
	tx.ops = append(tx.ops, putTable(t))
}

// NewID is a number that no object of this catalog had before.
func (tx *Tx) NewID() int64 { return tx.NewIDs(1) }

// NewIDs is the first of n consecutive new numbers.
func (tx *Tx) NewIDs(n int) int64 {
	id := tx.st.nextID
	tx.st.nextID += int64(n)
	return id
}

// Table looks up a table as of this transaction; nil when there is none.
func (tx *Tx) Table(database, name string) *Table {
	if d := tx.st.databases[database]; d != nil {
		return d.tables[name]
	}
	return nil
}

// View looks up a view as of this transaction; nil when there is none.
func (tx *Tx) View(database, name string) *View {
	if d := tx.st.databases[database]; d != nil {
		return d.views[name]
	}
	return nil
}

// LeaveGroups takes dropped tables out of their colocate groups.
func (tx *Tx) LeaveGroups(dropped ...*Table) {
	for _, t := range dropped {
		tx.leaveGroup(t)
	}
}

// DropTable removes a table for good and returns it; see LeaveGroups.
func (tx *Tx) DropTable(database, name string) (*Table, error) {
	d, err := tx.database(database)
	if err != nil {
		return nil, err
	}
	t := d.tables[name]
	if t == nil {
		return nil, sqlerr.New(sqlerr.UnknownTableDDL, "Unknown table '%s.%s'", database, name)
	}
	delete(d.tables, name)
	tx.ops = append(tx.ops, dropTable(t), dropDictionaries(t.ID))
	return t, nil
}

// CreateView adds or, with replace, replaces a view.
func (tx *Tx) CreateView(v *View, replace bool) error {
	d, err := tx.database(v.Database)
	if err != nil {
		return err
	}
	if d.tables[v.Name] != nil || d.views[v.Name] != nil && !replace {
		return d.checkFree(v.Name)
	}
	v.Created = tx.now
	d.views[v.Name] = v
	tx.ops = append(tx.ops, putView(v))
	return nil
}

// DropView removes a view.
func (tx *Tx) DropView(database, name string) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	v := d.views[name]
	if v == nil && d.tables[name] != nil {
		return sqlerr.New(sqlerr.NotBaseTable, "'%s.%s' is not VIEW", database, name)
	}
	if v == nil {
		return sqlerr.New(sqlerr.UnknownTableDDL, "Unknown table '%s.%s'", database, name)
	}
	delete(d.views, name)
	tx.ops = append(tx.ops, dropView(v))
	return nil
}

// RenameTable moves a table to a free name of the same database.
func (tx *Tx) RenameTable(database, from, to string) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	t := d.tables[from]
	if t == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", database, from)
	}
	if err := d.checkFree(to); err != nil {
		return err
	}
	next := *t
	next.Name, next.Source = to, nil
	delete(d.tables, from)
	d.tables[to] = &next
	tx.putTable(&next) // files, statistics and dictionaries are stored by the table's id
	return nil
}

// RenameView moves a view to a free name of the same database.
func (tx *Tx) RenameView(database, from, to string) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	v := d.views[from]
	if v == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", database, from)
	}
	if err := d.checkFree(to); err != nil {
		return err
	}
	next := *v
	next.Name = to
	delete(d.views, from)
	d.views[to] = &next
	tx.ops = append(tx.ops, dropView(v), putView(&next))
	return nil
}

// SwapTables exchanges the names of two tables of a database.
func (tx *Tx) SwapTables(database, a, b string) error {
	d, err := tx.database(database)
	if err != nil {
		return err
	}
	x, y := d.tables[a], d.tables[b]
	if x == nil || y == nil {
		return sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' or '%s.%s' doesn't exist", database, a, database, b)
	}
	for _, t := range []*Table{x, y} {
		next := *t
		next.Source, next.Name = nil, a
		if t == x {
			next.Name = b
		}
		d.tables[next.Name] = &next
		tx.putTable(&next)
	}
	return nil
}

type snapshot struct {
	st   *state
	open OpenSource
}

func (s *snapshot) Databases() []string {
	names := make([]string, 0, len(s.st.databases)+1)
	for n := range s.st.databases {
		names = append(names, n)
	}
	names = append(names, InformationSchema)
	sort.Strings(names)
	return names
}

func (s *snapshot) HasDatabase(name string) bool {
	return name == InformationSchema || s.st.databases[name] != nil
}

func sorted[T any](m map[string]*T) []*T {
	out := make([]*T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

func (s *snapshot) Tables(db string) []*Table {
	if db == InformationSchema {
		return systemTables
	}
	if d := s.st.databases[db]; d != nil {
		return sorted(d.tables)
	}
	return nil
}

func (s *snapshot) Views(db string) []*View {
	if d := s.st.databases[db]; d != nil {
		return sorted(d.views)
	}
	return nil
}

func (s *snapshot) Table(db, name string) *Table {
	if db == InformationSchema {
		return systemTable(name)
	}
	if d := s.st.databases[db]; d != nil {
		return d.tables[name]
	}
	return nil
}

func (s *snapshot) View(db, name string) *View {
	if d := s.st.databases[db]; d != nil {
		return d.views[name]
	}
	return nil
}

func (s *snapshot) Source(t *Table) (storage.Source, error) {
	if t.Kind == System {
		return systemSource(s, t), nil
	}
	if t.Source != nil {
		return t.Source, nil
	}
	return s.open(t)
}
