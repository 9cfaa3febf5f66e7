package formats

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/basaltdb/basalt/bench/tpch"
)

// Case is one comparison: A is ours; B the peer or the other way that we have.
type Case struct {
	Name, A, B string
	RunA, RunB func(ctx context.Context) (Sample, error)
	Bytes      int64 // of text; 0: the claim is a ratio
	// Want is the least MB/s of A where Bytes is set, else the least quotient of B's and A's times.
	Want float64
}

// Result are the medians of a case.
type Result struct {
	Case
	SampleA, SampleB Sample
}

// Rate is A's (or, with b, B's) speed in MB of text a second of one core.
func (r *Result) Rate(b bool) float64 {
	s := r.SampleA
	if b {
		s = r.SampleB
	}
	return float64(r.Bytes) / 1e6 / s.CPU.Seconds()
}

// Ratio is how many times as fast A is as B, in CPU time.
func (r *Result) Ratio() float64 { return float64(r.SampleB.CPU) / float64(r.SampleA.CPU) }

// Good reports whether the claim holds.
func (r *Result) Good() bool {
	if r.Bytes > 0 {
		return r.Rate(false) >= r.Want
	}
	return r.Ratio() >= r.Want
}

// Cases are all comparisons.
func Cases(ctx context.Context, d *Data, p *Peer) ([]Case, error) {
	var list []Case
	for _, text := range []struct {
		ending, function string
		want             float64
	}{{"csv", "read_csv", 300}, {"json", "read_json", 200}} {
		path := d.Text(text.ending)
		st, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		list = append(list, Case{
			Name: strings.ToUpper(text.ending) + ", all columns", A: "Basalt", B: "DuckDB", Bytes: st.Size(), Want: text.want,
			RunA: func(ctx context.Context) (Sample, error) { return d.Query(ctx, allColumns("'"+path+"'")) },
			RunB: func(context.Context) (Sample, error) { return p.Query(allColumns(text.function + "('" + path + "')")) },
		})
	}
	parquet := filepath.Join(d.Tables, "lineitem")
	list = append(list, Case{
		Name: "Parquet, all columns", A: "Basalt", B: "DuckDB", Want: 1,
		RunA: func(ctx context.Context) (Sample, error) { return d.Query(ctx, allColumns("'"+parquet+"'")) },
		RunB: func(context.Context) (Sample, error) { return p.Query(allColumns("'" + parquet + "/*.parquet'")) },
	})
	for _, codec := range []string{"zlib", "zstd"} {
		files, err := filepath.Glob(filepath.Join(d.ORC(codec, "lineitem"), "*.orc"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no ORC file of lineitem: %w", err)
		}
		list = append(list, Case{
			Name: "ORC " + codec + ", scan of all columns", A: "Basalt", B: "pyarrow", Want: 1.5,
			RunA: func(ctx context.Context) (Sample, error) { return d.ScanORC(ctx, codec) },
			RunB: func(context.Context) (sum Sample, err error) {
				for _, f := range files {
					s, err := p.ScanORC(f)
					if err != nil {
						return sum, err
					}
					sum.CPU, sum.Wall = sum.CPU+s.CPU, sum.Wall+s.Wall
				}
				return sum, nil
			},
		})
	}
	all := func(format string) func(ctx context.Context) (Sample, error) {
		return func(ctx context.Context) (sum Sample, err error) {
			for n := 1; n <= tpch.Count; n++ {
				s, err := d.TPCH(ctx, format, n, false)
				if err != nil {
					return sum, fmt.Errorf("%s on %s: %w", tpch.Name(n), format, err)
				}
				sum.CPU, sum.Wall = sum.CPU+s.CPU, sum.Wall+s.Wall
			}
			return sum, nil
		}
	}
	for _, codec := range []string{"zstd", "zlib"} {
		list = append(list, Case{Name: "TPC-H, 22 queries", A: "ORC " + codec, B: "Parquet", Want: 1 / 1.4, RunA: all(codec), RunB: all("parquet")})
	}
	for _, n := range []int{1, 6} {
		for format, what := range map[string]string{"parquet": "Parquet, snappy", "parquet_zstd": "Parquet, zstd", "zlib": "ORC, zlib"} {
			list = append(list, Case{Name: "TPC-H " + tpch.Name(n) + " on " + what, A: "page cache", B: "none", Want: 2,
				RunA: func(ctx context.Context) (Sample, error) { return d.TPCH(ctx, format, n, true) },
				RunB: func(ctx context.Context) (Sample, error) { return d.TPCH(ctx, format, n, false) },
			})
		}
	}
	return list, nil
}

// Run measures a case: twice to warm up, since the page cache takes what is read again, and then runs times, the sides taking turns.
func Run(ctx context.Context, c Case, runs int) (Result, error) {
	var a, b []Sample
	for i := range runs + 2 {
		var x, y Sample
		var errA, errB error
		first := func() { x, errA = c.RunA(ctx) }
		second := func() { y, errB = c.RunB(ctx) }
		if i%2 == 1 {
			first, second = second, first
		}
		first()
		second()
		if err := errors.Join(errA, errB); err != nil {
			return Result{}, fmt.Errorf("%s: %w", c.Name, err)
		}
		if i >= 2 {
			a, b = append(a, x), append(b, y)
		}
	}
	return Result{c, median(a), median(b)}, nil
}

func median(list []Sample) Sample {
	middle := func(of func(s Sample) time.Duration) time.Duration {
		all := make([]time.Duration, len(list))
		for i, s := range list {
			all[i] = of(s)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return Sample{middle(func(s Sample) time.Duration { return s.CPU }), middle(func(s Sample) time.Duration { return s.Wall })}
}

// Table prints results as Markdown.
func Table(list []Result) string {
	var b strings.Builder
	b.WriteString("| what | A | CPU ms | wall ms | B | CPU ms | wall ms | A is faster | wanted |\n|---|---|---:|---:|---|---:|---:|---:|---:|\n")
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d.Microseconds())/1000) }
	for i := range list {
		r := &list[i]
		speed, want := fmt.Sprintf("%.2f", r.Ratio()), fmt.Sprintf("%.2f", r.Want)
		if r.Bytes > 0 {
			speed = fmt.Sprintf("%.2f (%.0f and %.0f MB/s)", r.Ratio(), r.Rate(false), r.Rate(true))
			want = fmt.Sprintf("%.0f MB/s", r.Want)
		}
		if !r.Good() {
			want += ", missed"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.Name, r.A, ms(r.SampleA.CPU), ms(r.SampleA.Wall), r.B, ms(r.SampleB.CPU), ms(r.SampleB.Wall), speed, want)
	}
	return b.String()
}
