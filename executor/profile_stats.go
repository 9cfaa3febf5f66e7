package executor

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/basaltdb/basalt/planner/physical"
	"github.com/basaltdb/basalt/storage"
)

// OperatorStats is what one operator did, as plain data: the text of EXPLAIN ANALYZE and the
// JSON of a query profile are made of it.
type OperatorStats struct {
	RowsIn      int64             `json:"rows_in"`
	Rows        int64             `json:"rows_out"`
	Batches     int64             `json:"batches"`
	Nanos       int64             `json:"time_ns"`
	FinishNanos int64             `json:"finish_ns,omitempty"`
	PeakBytes   int64             `json:"peak_memory_bytes,omitempty"`
	Spilled     *SpillStats       `json:"spill,omitempty"`
	Instances   []DriverCounts    `json:"instances,omitempty"`
	Scan        *ScanStats        `json:"scan,omitempty"`
	Filters     []FilterStats     `json:"runtime_filters,omitempty"`
	Notes       map[string]string `json:"notes,omitempty"`

	notes []string // in order
}

// SpillStats is what went to disk.
type SpillStats struct {
	Bytes     int64 `json:"bytes"`
	Files     int64 `json:"files"`
	ReadBytes int64 `json:"read_bytes"`
}

// ScanStats is what a scan read and what it could pass over.
type ScanStats struct {
	Partitions  Kept  `json:"partitions"`
	Tablets     Kept  `json:"tablets"`
	Files       Kept  `json:"files"`
	RowGroups   Kept  `json:"row_groups"`
	Pages       Kept  `json:"pages"`
	BytesRead   int64 `json:"bytes_read"`
	RowsRead    int64 `json:"rows_read"`
	RowsDropped int64 `json:"rows_filtered"`
}

// Kept is how many of all there are were looked at.
type Kept struct {
	Kept  int64 `json:"kept"`
	Total int64 `json:"total"`
}

// FilterStats is what a runtime filter did: at the join that made it, or at a scan.
type FilterStats struct {
	ID      int    `json:"id"`
	Kind    string `json:"kind"`
	State   string `json:"state"` // READY, or why there is none
	Built   string `json:"built,omitempty"`
	Input   int64  `json:"input_rows"`
	Dropped int64  `json:"filtered_rows"`
	Off     int64  `json:"readers_gave_up,omitempty"`
	Splits  int64  `json:"splits_skipped,omitempty"`
	Nanos   int64  `json:"build_ns,omitempty"`
}

// filterCounters are the live form of FilterStats.
type filterCounters struct {
	id             int
	kind           string
	state, built   atomic.Pointer[string]
	input, dropped atomic.Int64
	off, nanos     atomic.Int64
	splits         atomic.Int64
}

func (c *filterCounters) set(state, built string) {
	if c != nil {
		c.state.Store(&state)
		c.built.Store(&built)
	}
}

func (c *filterCounters) stats() FilterStats {
	f := FilterStats{ID: c.id, Kind: c.kind, State: "NOT_READY", Input: c.input.Load(), Dropped: c.dropped.Load(), Off: c.off.Load(), Splits: c.splits.Load(), Nanos: c.nanos.Load()}
	if p := c.state.Load(); p != nil {
		f.State = *p
	}
	if p := c.built.Load(); p != nil {
		f.Built = *p
	}
	return f
}

// Stats are the counters of a node; ok is false for a node that ran as a part of another
// one (exchanges, the first phase of an aggregation) or not at all.
func (p *Profile) Stats(id physical.NodeID) (s OperatorStats, ok bool) {
	if p == nil {
		return s, false
	}
	p.mu.Lock()
	n := p.nodes[id]
	p.mu.Unlock()
	if n == nil {
		return s, false
	}
	return n.stats()
}

func (n *NodeProfile) stats() (s OperatorStats, ok bool) {
	s = OperatorStats{
		RowsIn: n.RowsIn.Load(), Rows: n.Rows.Load(), Batches: n.Batches.Load(),
		Nanos: n.Nanos.Load(), FinishNanos: n.FinishNanos.Load(), PeakBytes: n.PeakBytes.Load(),
	}
	if b := n.SpilledBytes.Load(); b > 0 {
		s.Spilled = &SpillStats{b, n.SpillFiles.Load(), n.SpillReadBytes.Load()}
	}
	n.eachNote(func(k, v string) {
		if s.Notes == nil {
			s.Notes = map[string]string{}
		}
		s.Notes[k] = v
		s.notes = append(s.notes, k+"="+v)
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	s.Instances = append(s.Instances, n.drivers...)
	for _, f := range n.filters {
		s.Filters = append(s.Filters, f.stats())
	}
	if n.scan != nil {
		s.Scan = scanStats(n.scan)
		s.RowsIn = s.Scan.RowsRead
	}
	return s, s.Batches > 0 || s.Nanos > 0 || s.Scan != nil
}

func scanStats(c *storage.ScanCounters) *ScanStats {
	kept := func(total, pruned *atomic.Int64) Kept {
		t := total.Load()
		return Kept{t - pruned.Load(), t}
	}
	s := &ScanStats{
		Partitions: kept(&c.PartitionsTotal, &c.PartitionsPruned), Tablets: kept(&c.TabletsTotal, &c.TabletsPruned),
		Files: kept(&c.FilesTotal, &c.FilesPruned), RowGroups: kept(&c.RowGroupsTotal, &c.RowGroupsPruned),
		BytesRead: c.BytesRead.Load(), RowsRead: c.RowsRead.Load(), RowsDropped: c.RowsFiltered.Load(),
	}
	read := c.PagesRead.Load()
	s.Pages = Kept{read, read + c.PagesSkipped.Load()}
	return s
}

// Text is the operator's lines of EXPLAIN ANALYZE; estimated is the planner's guess of Rows,
// -1 for none.
func (s *OperatorStats) Text(estimated float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "actual: rows in=%d, out=%d", s.RowsIn, s.Rows)
	if estimated >= 0 {
		fmt.Fprintf(&b, ", estimated=%.0f%s", estimated, offBy(estimated, float64(s.Rows)))
	}
	fmt.Fprintf(&b, ", batches=%d\n", s.Batches)
	fmt.Fprintf(&b, "time: %s", millis(s.Nanos))
	if s.FinishNanos > 0 {
		fmt.Fprintf(&b, " (of it between input and output %s)", millis(s.FinishNanos))
	}
	if s.PeakBytes > 0 {
		fmt.Fprintf(&b, ", peak memory: %s", size(s.PeakBytes))
	}
	if x := s.Spilled; x != nil {
		fmt.Fprintf(&b, ", spilled: %s in %d files, read back %s", size(x.Bytes), x.Files, size(x.ReadBytes))
	}
	b.WriteByte('\n')
	s.skew(&b)
	if s.Scan != nil {
		s.Scan.text(&b)
	}
	for i := range s.Filters {
		s.Filters[i].text(&b)
	}
	if len(s.notes) > 0 {
		fmt.Fprintf(&b, "%s\n", strings.Join(s.notes, ", "))
	}
	return b.String()
}

// offBy says by which factor an estimate was wrong, when it matters.
func offBy(estimated, actual float64) string {
	const fine = 2
	a, e := max(actual, 1), max(estimated, 1)
	switch {
	case a > e*fine:
		return fmt.Sprintf(" (%.1f times too few)", a/e)
	case e > a*fine:
		return fmt.Sprintf(" (%.1f times too many)", e/a)
	}
	return ""
}

// skew prints how evenly the instances worked.
func (s *OperatorStats) skew(b *strings.Builder) {
	if len(s.Instances) < 2 {
		return
	}
	low, high, sum := [3]int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}, [3]int64{}, [3]int64{}
	for _, d := range s.Instances {
		for i, x := range [3]int64{d.RowsIn, d.Rows, d.Nanos} {
			low[i], high[i], sum[i] = min(low[i], x), max(high[i], x), sum[i]+x
		}
	}
	n := int64(len(s.Instances))
	fmt.Fprintf(b, "instances: %d (min/avg/max)", n)
	if sum[0] > 0 { // a scan counts what it decoded for all together
		fmt.Fprintf(b, ", rows in %d/%d/%d", low[0], sum[0]/n, high[0])
	}
	fmt.Fprintf(b, ", out %d/%d/%d, time %s/%s/%s\n", low[1], sum[1]/n, high[1], millis(low[2]), millis(sum[2]/n), millis(high[2]))
}

func (s *ScanStats) text(b *strings.Builder) {
	var parts []string
	for _, x := range []struct {
		name string
		k    Kept
	}{{"partitions", s.Partitions}, {"tablets", s.Tablets}, {"files", s.Files}, {"row groups", s.RowGroups}, {"pages", s.Pages}} {
		if x.k.Total > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d/%d", x.name, x.k.Kept, x.k.Total))
		}
	}
	if s.BytesRead > 0 {
		parts = append(parts, "read="+size(s.BytesRead))
	}
	if s.RowsDropped > 0 {
		parts = append(parts, fmt.Sprintf("rows filtered=%d/%d", s.RowsDropped, s.RowsRead))
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "scan: %s\n", strings.Join(parts, ", "))
	}
}

func (f *FilterStats) text(b *strings.Builder) {
	fmt.Fprintf(b, "RF%03d[%s]: %s", f.ID, f.Kind, f.State)
	if f.Built != "" {
		fmt.Fprintf(b, ", %s", f.Built)
	}
	if f.Nanos > 0 {
		fmt.Fprintf(b, ", built in %s", millis(f.Nanos))
	}
	if f.Input > 0 {
		fmt.Fprintf(b, ", filtered=%d/%d", f.Dropped, f.Input)
	}
	if f.Splits > 0 {
		fmt.Fprintf(b, ", splits skipped=%d", f.Splits)
	}
	if f.Off > 0 {
		fmt.Fprintf(b, ", given up by %d readers", f.Off)
	}
	b.WriteByte('\n')
}

func millis(nanos int64) string {
	return fmt.Sprintf("%.2fms", float64(nanos)/float64(time.Millisecond))
}

func size(bytes int64) string {
	const kilo, mega = 1 << 10, 1 << 20
	if bytes < mega {
		return fmt.Sprintf("%.1fKB", float64(bytes)/kilo)
	}
	return fmt.Sprintf("%.1fMB", float64(bytes)/mega)
}
