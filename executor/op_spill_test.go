package executor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/basaltdb/basalt/executor/spill"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// Save implements function.Spillable.
func (s *sumStates) Save(groups []uint32, dst []byte) []byte {
	var x sumStates
	for _, g := range groups {
		x.sum, x.any = append(x.sum, s.sum[g]), append(x.any, s.any[g])
	}
	out, _ := json.Marshal(struct {
		Sum []int64
		Any []bool
	}{x.sum, x.any})
	return append(dst, out...)
}

// Load implements function.Spillable.
func (s *sumStates) Load(src []byte, n int) error {
	var x struct {
		Sum []int64
		Any []bool
	}
	err := json.Unmarshal(src, &x)
	if len(x.Sum) != n {
		return fmt.Errorf("%d states, want %d: %w", len(x.Sum), n, err)
	}
	s.sum, s.any = x.Sum, x.Any
	return err
}

// Save implements function.Spillable.
func (s *concatStates) Save(groups []uint32, dst []byte) []byte {
	var x [][]string
	for _, g := range groups {
		x = append(x, s.parts[g])
	}
	out, _ := json.Marshal(x)
	return append(dst, out...)
}

// Load implements function.Spillable.
func (s *concatStates) Load(src []byte, n int) error { return json.Unmarshal(src, &s.parts) }

// spillDir gives rt a small budget and a place to spill, and checks at the end of the test
// that nothing is left of either.
func spillDir(t testing.TB, rt *Runtime, limit int64, disk storage.FS) {
	dir := t.TempDir()
	if disk == nil {
		disk = storage.OSFS{}
	}
	rt.Spill = spill.NewStore(disk, filepath.Join(dir, "spill")).NewArea()
	rt.Budget = budget.New("query", limit, nil)
	rt.Profile = &Profile{}
	t.Cleanup(func() {
		if err := rt.Spill.Close(); err != nil {
			t.Error(err)
		}
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				t.Errorf("%s is left", path)
			}
			return nil
		})
		if used := rt.Budget.Used(); used != 0 {
			t.Errorf("%d bytes are still claimed", used)
		}
	})
}

// brokenDisk fails its n-th write.
type brokenDisk struct {
	storage.OSFS
	left atomic.Int64
}

type brokenFile struct {
	storage.WritableFile
	disk *brokenDisk
}

var errBroken = errors.New("the disk is on fire")

func (d *brokenDisk) Create(path string) (storage.WritableFile, error) {
	f, err := d.OSFS.Create(path)
	return &brokenFile{f, d}, err
}

func (f *brokenFile) Write(b []byte) (int, error) {
	if f.disk.left.Add(-1) < 0 {
		return 0, errBroken
	}
	return f.WritableFile.Write(b)
}

func TestHashAggregateSpills(t *testing.T) {
	keyTypes := []sqltype.Type{bigint, text, sqltype.T(sqltype.Int), sqltype.T(sqltype.Double), sqltype.T(sqltype.LargeInt), sqltype.T(sqltype.SmallInt)}
	spilled := int64(0)
	for seed := range int64(12) {
		r := rand.New(rand.NewSource(seed))
		keys := make([]sqltype.Type, 1+r.Intn(3))
		distinct := []int{}
		for i := range keys {
			keys[i] = keyTypes[r.Intn(len(keyTypes))]
			distinct = append(distinct, 1+r.Intn(3000))
		}
		distinct = append(distinct, 30, 300)
		types := append(append([]sqltype.Type{}, keys...), bigint, bigint)
		batches := randomBatches(r, types, r.Intn(6000), 1+r.Intn(700), distinct, true)
		var sets [][]int
		if len(keys) > 1 && r.Intn(3) == 0 {
			sets = [][]int{{0, 1}, {0}, {}, {1}, {0}}
		}
		rt := &Runtime{Instances: 1 + r.Intn(4), BatchRows: 1 + r.Intn(1024)}
		spillDir(t, rt, 32<<10+r.Int63n(400<<10), nil)
		got, err := runAggregate(t, testAggregate(keys, sets), rt, batches)
		if err != nil {
			if sqlerr.Is(err, sqlerr.OutOfMemory) {
				continue // one group with a list of all values may be too large
			}
			t.Fatal(err)
		}
		spilled += rt.Profile.Node(0).SpilledBytes.Load()
		want := naiveAggregate(batches, len(keys), sets)
		sameRows(t, fmt.Sprintf("seed %d keys %v sets %v instances %d", seed, keys, sets, rt.Instances), got, want)
	}
	if spilled == 0 {
		t.Fatal("nothing was spilled")
	}
}

// Many groups in little memory take several levels of partitions.
func TestHashAggregateSpillsDeep(t *testing.T) {
	for seed, types := range [][]sqltype.Type{{bigint}, {text}, {bigint, text}} {
		r := rand.New(rand.NewSource(int64(seed)))
		distinct := []int{1_000_000, 4}[:len(types)]
		batches := randomBatches(r, append(append([]sqltype.Type{}, types...), bigint), 60_000, 4096, append(distinct, 10), true)
		n := &physical.Aggregate{Aggs: []*expr.Aggregate{{Fn: sumAggregate()},
			{Fn: sumAggregate(bigint), Args: []expr.Expr{field(len(types), bigint)}}}}
		for i, x := range types {
			n.Groups = append(n.Groups, field(i, x))
		}
		want, err := runAggregate(t, n, &Runtime{Instances: 2}, batches)
		if err != nil {
			t.Fatal(err)
		}
		rt := &Runtime{Instances: 2}
		spillDir(t, rt, 128<<10, nil)
		got, err := runAggregate(t, n, rt, batches)
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, fmt.Sprint(types), got, want)
		if _, ok := rt.Profile.Node(0).Notes.Load("spill levels"); !ok {
			t.Errorf("%v: one level was enough", types)
		}
	}
}

func TestHashAggregateSpillFails(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	batches := randomBatches(r, []sqltype.Type{bigint, bigint, bigint}, 50_000, 4096, []int{1 << 30, 10, 10}, false)
	for _, writes := range []int64{0, 1, 100, 300} {
		disk := &brokenDisk{}
		disk.left.Store(writes)
		rt := &Runtime{Instances: 2}
		spillDir(t, rt, 1<<20, disk)
		_, err := runAggregate(t, testAggregate([]sqltype.Type{bigint}, nil), rt, batches)
		if !sqlerr.Is(err, sqlerr.FileIO) || !errors.Is(err, errBroken) {
			t.Fatalf("%d writes: got %v", writes, err)
		}
	}
}

// Joins that spill, on several levels, have the rows of joins that do not.
func TestHashJoinSpills(t *testing.T) {
	spilled, levels := int64(0), 0
	for _, kind := range allJoinKinds {
		for seed := range int64(6) {
			r := rand.New(rand.NewSource(seed))
			n, _, types := randomJoin(r, kind)
			last := len(types) - 1
			if r.Intn(2) == 0 {
				n.Residual = []expr.Expr{call(t, "<", field(last, bigint), field(len(types)+last, bigint))}
			}
			distinct := make([]int, len(types))
			for i := range distinct {
				distinct[i] = 2 + r.Intn(3000)
			}
			if distinct[0] = 1000 + r.Intn(3000); kind == physical.Single {
				distinct[0] = 1 << 30
			}
			probe := randomBatches(r, types, 1+r.Intn(2000), 1+r.Intn(700), distinct, r.Intn(3) > 0)
			build := randomBatches(r, types, 500+r.Intn(4000), 1+r.Intn(700), distinct, r.Intn(3) > 0)
			name := fmt.Sprintf("kind %d seed %d types %v null-safe %v mark keys %d", kind, seed, types, n.NullSafe, n.MarkKeys)
			want, wantErr := runJoin(t, n, &Runtime{Instances: 2, Functions: &function.Context{}}, nil, probe, build)
			rt := &Runtime{Instances: 1 + r.Intn(4), BatchRows: 1 + r.Intn(1000), Functions: &function.Context{}}
			spillDir(t, rt, 4<<10+r.Int63n(60<<10), nil)
			got, err := runJoin(t, n, rt, nil, probe, build)
			if wantErr != nil {
				if err == nil {
					t.Fatalf("%s: no error, want %v", name, wantErr)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sameRows(t, name, got, want)
			spilled += rt.Profile.Node(0).SpilledBytes.Load()
			if text, ok := rt.Profile.Node(0).Notes.Load("spill levels"); ok && text.(string) > "1" {
				levels++
			}
		}
	}
	if spilled == 0 || levels == 0 && !testing.Short() {
		t.Fatalf("%d bytes spilled, %d times on more than one level", spilled, levels)
	}
}

func TestHashJoinSpillFails(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	n, _, types := randomJoin(r, physical.Full)
	distinct := make([]int, len(types))
	for i := range distinct {
		distinct[i] = 1 << 20
	}
	batches := randomBatches(r, types, 50_000, 4096, distinct, false)
	for _, writes := range []int64{0, 1, 100, 250} {
		disk := &brokenDisk{}
		disk.left.Store(writes)
		rt := &Runtime{Instances: 2}
		spillDir(t, rt, 1<<20, disk)
		_, err := runJoin(t, n, rt, nil, batches, batches)
		if !sqlerr.Is(err, sqlerr.FileIO) || !errors.Is(err, errBroken) {
			t.Fatalf("%d writes: got %v", writes, err)
		}
	}
}

// One key that nearly all build rows have does not divide: its probe rows are read once for each part
// of it that fits, and find each match once.
func TestHashJoinPasses(t *testing.T) {
	passes := map[physical.JoinKind]int{}
	for _, kind := range allJoinKinds {
		if kind == physical.NullAwareAnti {
			continue // TestMarkJoinPasses
		}
		for seed := range seeds(8) {
			r := rand.New(rand.NewSource(seed))
			n, _, types := randomJoin(r, kind)
			n.ProbeKeys, n.BuildKeys, n.NullSafe = n.ProbeKeys[:1], n.BuildKeys[:1], []bool{seed%4 == 0}
			last := len(types) - 1
			if kind == physical.Mark { // as of EXISTS among OR; others are in TestMarkJoinPasses
				n.MarkKeys, n.MarkNullOK = 0, true
			}
			if kind == physical.Semi || kind == physical.Anti || kind == physical.Mark || kind == physical.Single || seed%2 == 0 {
				op := "<"
				if kind == physical.Single {
					op = "=" // with nearly unique values: rarely two matches
				}
				n.Residual = []expr.Expr{call(t, op, field(last, bigint), field(len(types)+last, bigint))}
			}
			distinct := make([]int, len(types))
			for i := range distinct {
				distinct[i] = 50
			}
			distinct[last] = 1 << 40
			probe := randomBatches(r, types, 60, 7, distinct, true)
			distinct[0] = 1
			build := randomBatches(r, types, 6000+r.Intn(3000), 1000, distinct, seed%3 == 0)
			if kind == physical.Single { // matches, in different passes
				probe = append(probe, build[0].View(0, 20), build[len(build)-1].View(0, 20))
			}
			if seed%3 == 1 {
				build = append(build, probe...)
			}
			name := fmt.Sprintf("kind %d seed %d types %v", kind, seed, types)
			want, wantErr := runJoin(t, n, &Runtime{Instances: 2, Functions: &function.Context{}}, nil, probe, build)
			rt := &Runtime{Instances: 1 + r.Intn(2), BatchRows: 1 + r.Intn(1000), Functions: &function.Context{}}
			spillDir(t, rt, 40<<10+r.Int63n(60<<10), nil)
			got, err := runJoin(t, n, rt, nil, probe, build)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%s: got error %v, want %v", name, err, wantErr)
			}
			if err == nil {
				sameRows(t, name, got, want)
			}
			if _, ok := rt.Profile.Node(0).Notes.Load("passes"); ok {
				passes[kind]++
			}
		}
		if passes[kind] == 0 {
			t.Errorf("kind %d was never joined in passes", kind)
		}
	}
}

// IN and NOT IN of several columns, correlated or with further conditions meet rows with NULLs whatever these hash to:
// the build side is not divided, and what a probe row has met is remembered from pass to pass.
func TestMarkJoinPasses(t *testing.T) {
	passes, open := 0, 0
	for _, kind := range []physical.JoinKind{physical.Mark, physical.NullAwareAnti} {
		for seed := range seeds(60) {
			r := rand.New(rand.NewSource(seed))
			n, _, types := randomJoin(r, kind)
			n.MarkNullOK = false
			last := len(types) - 1
			if len(n.ProbeKeys) == 1 || r.Intn(2) == 0 {
				n.Residual = []expr.Expr{call(t, "<", field(last, bigint), field(len(types)+last, bigint))}
			}
			distinct := make([]int, len(types))
			for i := range distinct {
				distinct[i] = 2 + r.Intn(40)
			}
			distinct[n.MarkKeys-1] = 10_000
			probe := randomBatches(r, types, 300, 70, distinct, true)
			build := append(randomBatches(r, types, 500, 100, distinct, true), randomBatches(r, types, 3000, 1000, distinct, false)...)
			if seed%3 == 0 {
				build = append(build, probe...)
			}
			name := fmt.Sprintf("kind %d seed %d types %v null-safe %v mark keys %d", kind, seed, types, n.NullSafe, n.MarkKeys)
			want, err := runJoin(t, n, &Runtime{Instances: 2, Functions: &function.Context{}}, nil, probe, build)
			if err != nil {
				t.Fatal(err)
			}
			rt := &Runtime{Instances: 1 + r.Intn(3), BatchRows: 1 + r.Intn(1000), Functions: &function.Context{}}
			spillDir(t, rt, 16<<10+r.Int63n(60<<10), nil)
			got, err := runJoin(t, n, rt, nil, probe, build)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			sameRows(t, name, got, want)
			if _, ok := rt.Profile.Node(0).Notes.Load("passes"); ok {
				passes++
			}
			for _, row := range want {
				if kind == physical.Mark && strings.HasSuffix(row, "|NULL|") {
					open++
				}
			}
		}
	}
	if passes == 0 || open == 0 {
		t.Fatalf("%d joins in passes, %d rows with an unknown outcome", passes, open)
	}
}

// One key that nearly all build rows have does not divide; kinds that ask only whether there
// is a match keep one row of it.
func TestSemiJoinSpillsWithSkew(t *testing.T) {
	for _, kind := range []physical.JoinKind{physical.Semi, physical.Anti, physical.Mark, physical.NullAwareAnti} {
		r := rand.New(rand.NewSource(7))
		n, _, types := randomJoin(r, kind)
		n.ProbeKeys, n.BuildKeys, n.NullSafe = n.ProbeKeys[:1], n.BuildKeys[:1], []bool{false}
		if n.MarkKeys > 0 {
			n.MarkKeys, n.MarkNullOK = 1, false
		}
		distinct := make([]int, len(types))
		for i := range distinct {
			distinct[i] = 400
		}
		probe := randomBatches(r, types, 500, 100, distinct, kind != physical.NullAwareAnti)
		distinct[0] = 1
		build := randomBatches(r, types, 20_000, 1000, distinct, false)
		distinct[0] = 100
		build = append(build, randomBatches(r, types, 100, 1000, distinct, false)...)
		want, err := runJoin(t, n, &Runtime{Instances: 2}, nil, probe, build)
		if err != nil {
			t.Fatal(err)
		}
		rt := &Runtime{Instances: 2}
		spillDir(t, rt, 64<<10, nil)
		got, err := runJoin(t, n, rt, nil, probe, build)
		if err != nil {
			t.Fatalf("kind %d: %v", kind, err)
		}
		if rt.Profile.Node(0).SpilledBytes.Load() == 0 {
			t.Fatalf("kind %d: nothing was spilled", kind)
		}
		sameRows(t, fmt.Sprintf("kind %d", kind), got, want)
	}
}
