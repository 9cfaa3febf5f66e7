package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/basaltdb/basalt/bench/result"
)

// Variant is a running server as one of several engines: with settings of its own, or other
// words for the same question. Variants share the server and its session and take turns.
type Variant struct {
	*Server
	Label   string
	Before  []string                       // statements before each query, not timed
	Rewrite func(query, sql string) string // nil: as it is
}

// Name is the label.
func (v *Variant) Name() string { return v.Label }

// Close leaves the server to its owner.
func (v *Variant) Close() error { return nil }

// Run implements Engine.
func (v *Variant) Run(ctx context.Context, query, sql string) (result.Set, time.Duration, error) {
	for _, text := range v.Before {
		if _, _, err := v.Server.Run(ctx, "", text); err != nil {
			return result.Set{}, 0, fmt.Errorf("%s: %w", text, err)
		}
	}
	if v.Rewrite != nil {
		sql = v.Rewrite(query, sql)
	}
	return v.Server.Run(ctx, query, sql)
}

var peakOfQuery = regexp.MustCompile(`peak memory ([0-9.]+) MB`)

// QueryMemory is the most memory in MB that the operators of a query held at a time, as EXPLAIN
// ANALYZE tells it.
func (v *Variant) QueryMemory(ctx context.Context, query, sql string) (float64, error) {
	if v.Rewrite != nil {
		sql = v.Rewrite(query, sql)
	}
	w := Variant{Server: v.Server, Before: v.Before}
	set, _, err := w.Run(ctx, query, "EXPLAIN ANALYZE "+sql)
	if err != nil {
		return 0, err
	}
	for _, row := range set.Rows {
		if m := peakOfQuery.FindStringSubmatch(row[0].Text); m != nil {
			return strconv.ParseFloat(m[1], 64)
		}
	}
	return 0, errors.New("runner: EXPLAIN ANALYZE tells no peak memory")
}

// WriteSection puts body into dir/RESULTS.md under title, in place of an earlier one.
func WriteSection(dir, title, body string) error {
	path := filepath.Join(dir, "RESULTS.md")
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("runner: reading earlier results: %w", err)
	}
	if len(text) == 0 {
		text = []byte(resultsHeader)
	}
	if err := os.WriteFile(path, []byte(replaceSection(string(text), title, body)), 0o666); err != nil {
		return fmt.Errorf("runner: writing the results: %w", err)
	}
	return nil
}
