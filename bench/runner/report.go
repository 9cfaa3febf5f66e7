package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Context is what a reader must know to judge the numbers of a report.
type Context struct {
	Title   string // of the run in file names, such as "tpch_sf1"
	Heading string // of its section, such as "TPC-H, scale factor 1"
	Threads int
	Runs    int
	Machine string
	Commit  string
	Date    time.Time
	Notes   []string // a sentence each
}

const resultsHeader = `# Benchmark results

Every section is written by ` + "`go run ./bench/cmd/bench`" + ` and gives the medians of one run in which the
engines took turns on the same files. Compare the ratios: absolute times vary between machines and days.
`

// Write puts the picture into dir and the report's section into dir/RESULTS.md, in place
// of the section with the same title from an earlier run.
func Write(dir string, r *Report, c Context) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	picture := c.Title + ".svg"
	if err := os.WriteFile(filepath.Join(dir, picture), []byte(Chart(r, c)), 0o666); err != nil {
		return fmt.Errorf("runner: writing the picture: %w", err)
	}
	path := filepath.Join(dir, "RESULTS.md")
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("runner: reading earlier results: %w", err)
	}
	text := string(old)
	if text == "" {
		text = resultsHeader
	}
	text = replaceSection(text, c.Title, Section(r, c, picture))
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		return fmt.Errorf("runner: writing the results: %w", err)
	}
	return nil
}

// replaceSection puts body between the section's markers, at the end if there are none.
func replaceSection(text, title, body string) string {
	begin, end := "<!-- begin "+title+" -->\n", "<!-- end "+title+" -->\n"
	section := begin + body + end
	if before, rest, ok := strings.Cut(text, begin); ok {
		if _, after, ok := strings.Cut(rest, end); ok {
			return before + section + after
		}
	}
	return strings.TrimRight(text, "\n") + "\n\n" + section
}

// Section is the Markdown of one run.
func Section(r *Report, c Context, picture string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s, %d threads\n\n", c.Heading, c.Threads)
	fmt.Fprintf(&b, "%s, commit %s, medians of %d runs after a warm-up, on %s.\n", c.Date.Format(time.DateOnly), c.Commit, c.Runs, c.Machine)
	for _, e := range r.Engines {
		fmt.Fprintf(&b, "%s %s, peak memory %s.\n", e.Name, e.Version, megabytes(e.PeakMemory))
	}
	for _, n := range c.Notes {
		fmt.Fprintln(&b, n)
	}
	b.WriteString("\n")
	writeTable(&b, r)
	if mean, n := r.GeometricMean(); n > 0 {
		fmt.Fprintf(&b, "\nGeometric mean of the ratios over %d queries: **%.2f** (below 1, %s is faster).\n", n, mean, r.Engines[0].Name)
	}
	writeFailures(&b, r)
	fmt.Fprintf(&b, "\n![Times of the queries](%s)\n", picture)
	return b.String()
}

func writeTable(b *strings.Builder, r *Report) {
	compared := len(r.Engines) > 1
	b.WriteString("| query |")
	for _, e := range r.Engines {
		fmt.Fprintf(b, " %s ms |", e.Name)
	}
	if compared {
		b.WriteString(" ratio |")
	}
	wanted := slices.ContainsFunc(r.Queries, func(q QueryReport) bool { return q.Wanted > 0 })
	columns := len(r.Engines) + 1
	if compared {
		columns++
	}
	if wanted {
		b.WriteString(" wanted ms |")
		columns++
	}
	b.WriteString(" rows |\n|---|" + strings.Repeat("---:|", columns))
	b.WriteString("\n")
	totals := make([]time.Duration, len(r.Engines))
	for _, q := range r.Queries {
		fmt.Fprintf(b, "| %s |", q.Query)
		complete := true
		for _, m := range q.Engines {
			complete = complete && m.Err == nil
		}
		for e, m := range q.Engines {
			if m.Err != nil {
				b.WriteString(" failed |")
				continue
			}
			if complete {
				totals[e] += m.Median()
			}
			fmt.Fprintf(b, " %.1f |", millis(m.Median()))
		}
		if compared {
			if f := q.Ratio(); f > 0 {
				fmt.Fprintf(b, " %.2f |", f)
			} else {
				b.WriteString(" |")
			}
		}
		switch {
		case wanted && q.Wanted > 0:
			fmt.Fprintf(b, " %.0f |", millis(q.Wanted))
		case wanted:
			b.WriteString(" |")
		}
		fmt.Fprintf(b, " %d |\n", q.Engines[len(q.Engines)-1].Rows)
	}
	b.WriteString("| sum |")
	for _, t := range totals {
		fmt.Fprintf(b, " %.1f |", millis(t))
	}
	if compared {
		if totals[0] > 0 && totals[len(totals)-1] > 0 {
			fmt.Fprintf(b, " %.2f |", float64(totals[0])/float64(totals[len(totals)-1]))
		} else {
			b.WriteString(" |")
		}
	}
	if wanted {
		b.WriteString(" |")
	}
	b.WriteString(" |\n")
}

func writeFailures(b *strings.Builder, r *Report) {
	first := true
	for _, q := range r.Queries {
		for e, m := range q.Engines {
			if m.Err == nil {
				continue
			}
			if first {
				b.WriteString("\nFailures (not part of the sums and the mean):\n\n")
				first = false
			}
			reason, _, _ := strings.Cut(m.Err.Error(), "\n")
			fmt.Fprintf(b, "- %s on %s: %s\n", q.Query, r.Engines[e].Name, reason)
		}
	}
}

func megabytes(n int64) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d MB", n>>20)
}
