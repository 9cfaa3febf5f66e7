package basalt

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestWaitingForRowsGivesSlotBack takes the only CPU slot while another goroutine, which held it, waits for the rows of a table.
func TestWaitingForRowsGivesSlotBack(t *testing.T) {
	db, err := Open("", Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	unlock, err := db.lockRows(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	holding := make(chan struct{})
	group.Go(func() error {
		ctx, release, err := db.slots.Hold(ctx)
		if err != nil {
			return err
		}
		defer release()
		close(holding)
		unlock, err := db.lockRows(ctx, 1)
		if err == nil {
			unlock()
		}
		return err
	})
	<-holding
	if err := db.slots.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	db.slots.Release()
	unlock()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestWritersOfOneTable changes the rows of one table from several sessions on one core, and compacts it meanwhile.
func TestWritersOfOneTable(t *testing.T) {
	db, err := Open(t.TempDir(), Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.NewSession(SessionOptions{})
	defer s.Close()
	mustExec(t, s, "CREATE TABLE u (k INT, v INT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 2")
	mustExec(t, s, "INSERT INTO u SELECT number, 0 FROM numbers('number' = '100')")
	var group errgroup.Group
	for w, sql := range []string{
		"INSERT INTO u SELECT number, %d FROM numbers('number' = '100')", "INSERT INTO u VALUES (%d, 1), (1000, 2)",
		"UPDATE u SET v = v + 1 WHERE k < 50 + %d", "DELETE FROM u WHERE k = 500 + %d", "ALTER TABLE u CONCATENATE -- %d",
	} {
		group.Go(func() error {
			s := db.NewSession(SessionOptions{})
			defer s.Close()
			for i := range 8 {
				if _, err := s.Exec(context.Background(), fmt.Sprintf(sql, i)); err != nil {
					return fmt.Errorf("writer %d: %w", w, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := textOf(t, s, "SELECT count(*), count(DISTINCT k) FROM u WHERE k < 100 OR k = 1000"); got != "101|101|\n" {
		t.Errorf("got %q", got)
	}
}
