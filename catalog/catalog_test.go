package catalog

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage"
)

func noSource(*Table) (storage.Source, error) { return nil, errors.New("no source") }

func open(t *testing.T, path string) *Catalog {
	t.Helper()
	c, err := Open(path, noSource)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func update(t *testing.T, c *Catalog, f func(tx *Tx) error) {
	t.Helper()
	if err := c.Update(f); err != nil {
		t.Fatal(err)
	}
}

func table(db, name string) *Table {
	return &Table{Database: db, Name: name, Format: "parquet", Location: db + ".db/" + name,
		Columns: []Column{{Name: "a", Type: sqltype.T(sqltype.Int)}, {Name: "b", Type: sqltype.DecimalOf(10, 2), Nullable: true}}}
}

// TestReopen checks that everything an Update made is there after the store was closed
// and opened again.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "catalog.bolt")
	c := open(t, path)
	var id int64
	update(t, c, func(tx *Tx) error {
		if err := tx.CreateDatabase("d", ""); err != nil {
			return err
		}
		x := table("d", "x")
		if err := tx.CreateTable(x); err != nil {
			return err
		}
		id = x.ID
		return tx.CreateView(&View{Database: "d", Name: "v", Text: "SELECT 1", Columns: []Column{{Name: "1"}}}, false)
	})
	lo := "1"
	update(t, c, func(tx *Tx) error {
		return tx.SetFiles("d", id, nil, []DataFile{{Path: "f1", Rows: 3, Columns: []FileColumnStats{{ColumnID: 1, Min: &lo}}}, {Path: "f2", Rows: 4}})
	})
	update(t, c, func(tx *Tx) error { return tx.SetFiles("d", id, map[string]bool{"f2": true}, []DataFile{{Path: "f3"}}) })
	version := c.Version()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}

	c = open(t, path)
	defer c.Close()
	if c.Version() != version {
		t.Errorf("version %d, want %d", c.Version(), version)
	}
	x := c.Snapshot().Table("d", "x")
	if x == nil || x.ID != id || len(x.Files) != 2 || x.Files[0].Path != "f1" || x.Files[1].Path != "f3" {
		t.Fatalf("table after reopening: %+v", x)
	}
	if x.Columns[1].Type != sqltype.DecimalOf(10, 2) || x.Columns[0].ID != 1 || *x.Files[0].Columns[0].Min != "1" {
		t.Errorf("columns after reopening: %+v", x.Columns)
	}
	if v := c.Snapshot().View("d", "v"); v == nil || v.Text != "SELECT 1" {
		t.Errorf("view after reopening: %+v", v)
	}
	update(t, c, func(tx *Tx) error {
		if tx.NewID() <= id {
			t.Error("an id was given twice")
		}
		return nil
	})
}

// TestSnapshots checks that a snapshot never changes and that a failed Update leaves nothing.
func TestSnapshots(t *testing.T) {
	c := open(t, "")
	before := c.Snapshot()
	update(t, c, func(tx *Tx) error { return tx.CreateTable(table(DefaultDatabase, "x")) })
	after := c.Snapshot()
	if before.Table(DefaultDatabase, "x") != nil || after.Table(DefaultDatabase, "x") == nil {
		t.Error("a snapshot changed")
	}
	version := c.Version()
	err := c.Update(func(tx *Tx) error {
		if err := tx.CreateTable(table(DefaultDatabase, "y")); err != nil {
			return err
		}
		return errors.New("no")
	})
	if err == nil || c.Snapshot().Table(DefaultDatabase, "y") != nil || c.Version() != version {
		t.Error("a failed update left something")
	}
	update(t, c, func(tx *Tx) error { return tx.RenameTable(DefaultDatabase, "x", "z") })
	if c.Snapshot().Table(DefaultDatabase, "x") != nil || c.Snapshot().Table(DefaultDatabase, "z") == nil || after.Table(DefaultDatabase, "x") == nil {
		t.Error("rename")
	}
	update(t, c, func(tx *Tx) error { _, err := tx.DropTable(DefaultDatabase, "z"); return err })
	if len(c.Snapshot().Tables(DefaultDatabase)) != 0 {
		t.Error("drop")
	}
}

func TestErrors(t *testing.T) {
	c := open(t, "")
	update(t, c, func(tx *Tx) error { return tx.CreateTable(table(DefaultDatabase, "x")) })
	check := func(name string, want sqlerr.Code, f func(tx *Tx) error) {
		t.Helper()
		if err := c.Update(f); !sqlerr.Is(err, want) {
			t.Errorf("%s: %v, want %d", name, err, want.Number)
		}
	}
	check("table twice", sqlerr.TableExists, func(tx *Tx) error { return tx.CreateTable(table(DefaultDatabase, "x")) })
	check("view over table", sqlerr.TableExists, func(tx *Tx) error {
		return tx.CreateView(&View{Database: DefaultDatabase, Name: "x"}, true)
	})
	check("unknown database", sqlerr.UnknownDatabase, func(tx *Tx) error { return tx.CreateTable(table("nope", "x")) })
	check("database twice", sqlerr.DatabaseExists, func(tx *Tx) error { return tx.CreateDatabase(DefaultDatabase, "") })
	check("drop default", sqlerr.CannotDropDB, func(tx *Tx) error { _, err := tx.DropDatabase(DefaultDatabase); return err })
	check("drop unknown", sqlerr.UnknownTableDDL, func(tx *Tx) error { _, err := tx.DropTable(DefaultDatabase, "nope"); return err })
	check("files of a dropped table", sqlerr.UnknownTable, func(tx *Tx) error { return tx.SetFiles(DefaultDatabase, 999, nil, nil) })
	check("metadata database", sqlerr.AccessDeniedDB, func(tx *Tx) error { return tx.CreateDatabase(InformationSchema, "") })
}

// TestLocked checks that a second opener is told at once.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.bolt")
	c := open(t, path)
	defer c.Close()
	if _, err := Open(path, noSource); !sqlerr.Is(err, sqlerr.DataLocked) {
		t.Errorf("second open: %v", err)
	}
}

func TestSystemTablesHaveRows(t *testing.T) {
	c := open(t, "")
	update(t, c, func(tx *Tx) error { return tx.CreateTable(table(DefaultDatabase, "x")) })
	s := c.Snapshot()
	for name, least := range map[string]int{"schemata": 2, "tables": 20, "columns": 100, "engines": 1, "triggers": 0} {
		src, err := s.Source(s.Table(InformationSchema, name))
		if err != nil {
			t.Fatal(err)
		}
		batches, err := src.(*storage.Memory).Fill(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, b := range batches {
			rows += b.NumRows()
		}
		if rows < least {
			t.Errorf("%s has %d rows, want %d or more", name, rows, least)
		}
	}
	if s.Table(InformationSchema, "TABLES") == nil {
		t.Error("names of metadata tables are case-insensitive")
	}
}
