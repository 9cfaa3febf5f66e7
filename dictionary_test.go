package basalt_test

import (
	"context"
	"fmt"
	"runtime"
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

// TestDictionariesAreEvicted: many dictionaries are used by loads and queries at the same time, with room for few of them or
// for none, and are collected at any moment; ids stay what they are.
func TestDictionariesAreEvicted(t *testing.T) {
	const tables, texts = 12, 4000
	for _, limit := range []int{1, 600 << 10} {
		dir := t.TempDir()
		open := func() *basalt.DB {
			db, err := basalt.Open(dir, basalt.Options{Workers: 2, Settings: map[string]string{"dictionary_cache_limit": fmt.Sprint(limit)}})
			if err != nil {
				t.Fatal(err)
			}
			return db
		}
		db := open()
		s := db.NewSession(basalt.SessionOptions{})
		for i := range tables {
			run(t, s, fmt.Sprintf(`CREATE TABLE e%d (n INT NOT NULL, usr VARCHAR(30)) DUPLICATE KEY(n) DISTRIBUTED BY HASH(n) BUCKETS 1 PROPERTIES("bitmap_dict"="usr")`, i))
		}
		check := func(s *basalt.Session, table int, whole bool) {
			rows := query(t, s, fmt.Sprintf(`SELECT count(*), count(DISTINCT usr), count(DISTINCT bitmap_dict(usr)), count(DISTINCT bitmap_dict('e%d.usr', usr)), sum(bitmap_dict_text('e%d.usr', bitmap_dict(usr)) = usr) FROM e%d`, table, table, table))
			var n, names, ids, found int
			var right string // NULL without rows
			if _, err := fmt.Sscan(rows, &n, &names, &ids, &found, &right); err != nil {
				t.Errorf("%q: %v", rows, err)
			}
			if ids != names || found != names || n > 0 && right != fmt.Sprint(n) || whole && names != texts {
				t.Errorf("table %d: %d rows, %d texts, %d ids, %d found, %s rows with the right id", table, n, names, ids, found, right)
			}
			if c := db.DictionaryCacheStats(); c.Bytes > c.Limit || c.Limit != int64(limit) {
				t.Errorf("%+v", c)
			}
		}
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				s := db.NewSession(basalt.SessionOptions{})
				defer s.Close()
				for i := range tables {
					table := (i + w) % tables
					sql := fmt.Sprintf(`INSERT INTO e%d SELECT number, concat('user ', (number * 7 + %d) %% %d) FROM numbers("number" = "%d")`, table, w*1000, texts, texts/2)
					if _, err := s.Exec(context.Background(), sql); err != nil {
						t.Error(err)
					}
					check(s, (i+2*w)%tables, false)
					runtime.GC()
				}
			})
		}
		wg.Wait()
		for i := range tables {
			check(s, i, true)
		}
		if c := db.DictionaryCacheStats(); c.Evicted < tables || limit > 1 && (c.Hits == 0 || c.Entries == 0) {
			t.Errorf("%+v", c)
		}
		s.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open()
		s = db.NewSession(basalt.SessionOptions{})
		for i := range tables {
			check(s, i, true)
		}
		if got := query(t, s, `SHOW STATUS LIKE 'Dictionary_cache_limit'`); got != fmt.Sprintf("Dictionary_cache_limit %d\n", limit) {
			t.Errorf("%q", got)
		}
		s.Close()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
