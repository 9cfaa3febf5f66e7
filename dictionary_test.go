package basalt_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/basaltdb/basalt"
)

// TestDictionaryOfConcurrentLoads: loads of overlapping texts into several partitions at the same time, some of which fail, give
// every text one id, before and after the folder is opened anew.
func TestDictionaryOfConcurrentLoads(t *testing.T) {
	dir := t.TempDir()
	ctx := context.Background()
	db, err := basalt.Open(dir, basalt.Options{Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	s := db.NewSession(basalt.SessionOptions{})
	run(t, s, `CREATE TABLE ev (dt DATE NOT NULL, usr VARCHAR(30), n INT NOT NULL) DUPLICATE KEY(dt)
		PARTITION BY RANGE(dt) (FROM ("2024-01-01") TO ("2024-01-09") INTERVAL 1 DAY) DISTRIBUTED BY HASH(usr) BUCKETS 2 PROPERTIES("bitmap_dict"="usr")`)
	load := func(s *basalt.Session, day, from int) error {
		_, err := s.Exec(ctx, fmt.Sprintf(`INSERT INTO ev SELECT '2024-01-0%d', concat('user ', (number * 7 + %d) %% 5000), number FROM numbers("number" = "3000")`, day, from))
		return err
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := db.NewSession(basalt.SessionOptions{})
			defer s.Close()
			for i := range 6 {
				if err := load(s, 1+(w+i)%8, w*1000+i*500); err != nil {
					t.Error(err)
				}
				if err := load(s, 9, 5000+i*100); err == nil { // no partition
					t.Error("a load without a partition")
				}
			}
		}()
	}
	wg.Wait()
	check := func() {
		t.Helper()
		rows := query(t, s, `SELECT count(*), count(DISTINCT usr), count(DISTINCT bitmap_dict(usr)), sum(bitmap_dict_text('ev.usr', bitmap_dict(usr)) = usr) FROM ev`)
		var n, texts, ids, right int
		if _, err := fmt.Sscan(rows, &n, &texts, &ids, &right); err != nil {
			t.Fatalf("%q: %v", rows, err)
		}
		if n != 4*6*3000 || texts != 5000 || ids != texts || right != n {
			t.Fatalf("%d rows, %d texts, %d ids, %d rows with the right id", n, texts, ids, right)
		}
	}
	check()
	s.Close()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = basalt.Open(dir, basalt.Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s = db.NewSession(basalt.SessionOptions{})
	defer s.Close()
	check()
	if err := load(s, 1, 77); err != nil {
		t.Fatal(err)
	}
	run(t, s, `DELETE FROM ev WHERE dt = '2024-01-01' AND n >= 0`)
	run(t, s, `DROP TABLE ev FORCE`)
	run(t, s, `CREATE TABLE ev (usr VARCHAR(30)) PROPERTIES("bitmap_dict"="usr")`)
	run(t, s, `INSERT INTO ev VALUES ('z')`)
	if got := query(t, s, `SELECT bitmap_dict(usr) FROM ev`); got != "0\n" {
		t.Errorf("the first id of a new table is %s", got)
	}
}
