package sorting

import (
	"bytes"
	"slices"
)

// Merge makes one order of several runs. Its parts can be merged at the same time.
type Merge struct {
	runs []*Run
	cuts [][]int // by part: where it starts in each run; one more for the end
	at   []int   // by part: where it starts in the merged order
}

// NewMerge cuts the runs, all of one Encoder, into at most parts ranges of keys.
func NewMerge(runs []*Run, parts int) *Merge {
	m := &Merge{runs: runs}
	m.agreeOnBase()
	longest := 0
	for i, r := range runs {
		if len(r.Order) > len(runs[longest].Order) {
			longest = i
		}
	}
	first, last := make([]int, len(runs)), make([]int, len(runs))
	for i, r := range runs {
		last[i] = len(r.Order)
	}
	m.cuts = append(m.cuts, first)
	if len(runs) > 1 {
		for p := 1; p < parts; p++ {
			l := runs[longest]
			m.cuts = append(m.cuts, m.cutBefore(l, l.Order[p*len(l.Order)/parts]))
		}
	}
	m.cuts = append(m.cuts, last)
	for _, cut := range m.cuts {
		sum := 0
		for _, c := range cut {
			sum += c
		}
		m.at = append(m.at, sum)
	}
	return m
}

// agreeOnBase makes the words of all runs comparable.
func (m *Merge) agreeOnBase() {
	base, first := 1, -1
	for _, r := range m.runs {
		if len(r.Order) == 0 {
			continue
		}
		if first < 0 {
			first = r.first
		}
		if r.first < 0 || r.first != first {
			base = 0
		}
	}
	for _, r := range m.runs {
		r.rebase(base)
	}
}

// cutBefore is where the rows that do not sort before row x of run l begin.
func (m *Merge) cutBefore(l *Run, x Entry) []int {
	cut := make([]int, len(m.runs))
	for i, r := range m.runs {
		cut[i], _ = slices.BinarySearchFunc(r.Order, x, func(e, x Entry) int {
			return compareEntries(r, e, l, x)
		})
	}
	return cut
}

func compareEntries(ra *Run, a Entry, rb *Run, b Entry) int {
	switch {
	case a.word < b.word:
		return -1
	case a.word > b.word:
		return 1
	}
	if w := ra.Keys.width; w > 0 && w <= ra.base+8 {
		return 0
	}
	return bytes.Compare(ra.Keys.At(int(a.Row)), rb.Keys.At(int(b.Row)))
}

// Len is the number of rows.
func (m *Merge) Len() int { return m.at[len(m.at)-1] }

// Parts is the number of ranges.
func (m *Merge) Parts() int { return len(m.cuts) - 1 }

// MergePart writes the rows of part p to their places of out, which has Len entries: row
// r of run i as bases[i]+r. Different parts may be merged at the same time.
func (m *Merge) MergePart(p int, bases []uint32, out []int32) {
	out = out[m.at[p]:m.at[p+1]]
	lo, hi := slices.Clone(m.cuts[p]), m.cuts[p+1]
	switch live := liveRuns(lo, hi); len(live) {
	case 0:
	case 1:
		i := live[0]
		for j, e := range m.runs[i].Order[lo[i]:hi[i]] {
			out[j] = int32(bases[i] + e.Row)
		}
	default:
		t := newLoserTree(m, live, lo, hi)
		for j := range out {
			i := t.winner()
			out[j] = int32(bases[i] + m.runs[i].Order[lo[i]].Row)
			lo[i]++
			t.replay()
		}
	}
}

func liveRuns(lo, hi []int) []int {
	var live []int
	for i := range lo {
		if lo[i] < hi[i] {
			live = append(live, i)
		}
	}
	return live
}

// loserTree finds the run with the smallest next row: each inner node keeps the loser of
// its match, so that a replay compares once a level.
type loserTree struct {
	m      *Merge
	runs   []int // by leaf
	lo, hi []int // by run: what is left
	node   []int // [0] is the winner, [1:] losers, as leaves
}

func newLoserTree(m *Merge, runs, lo, hi []int) *loserTree {
	t := &loserTree{m: m, runs: runs, lo: lo, hi: hi, node: make([]int, len(runs))}
	for i := range t.node {
		t.node[i] = -1
	}
	for leaf := range runs {
		t.play(leaf)
	}
	return t
}

// winner is the run whose next row comes first.
func (t *loserTree) winner() int { return t.runs[t.node[0]] }

// replay finds the next winner after the row of the last one was taken.
func (t *loserTree) replay() { t.play(t.node[0]) }

func (t *loserTree) play(leaf int) {
	for n := (leaf + len(t.runs)) / 2; n > 0; n /= 2 {
		other := t.node[n]
		if other < 0 { // the first to come waits
			t.node[n] = leaf
			return
		}
		if t.before(other, leaf) {
			t.node[n], leaf = leaf, other
		}
	}
	t.node[0] = leaf
}

// before reports whether leaf a's next row comes before leaf b's; equal rows come in the
// order of runs.
func (t *loserTree) before(a, b int) bool {
	x, y := t.runs[a], t.runs[b]
	switch {
	case t.lo[x] == t.hi[x]:
		return false
	case t.lo[y] == t.hi[y]:
		return true
	}
	c := compareEntries(t.m.runs[x], t.m.runs[x].Order[t.lo[x]], t.m.runs[y], t.m.runs[y].Order[t.lo[y]])
	return c < 0 || c == 0 && x < y
}
