package orc

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// benchFiles are ORC files of TPC-H's lineitem in BASALT_ORC_BENCH_DATA.
func benchFiles(b *testing.B) []string {
	dir := os.Getenv("BASALT_ORC_BENCH_DATA")
	if dir == "" {
		b.Skip("BASALT_ORC_BENCH_DATA is not set")
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.orc"))
	return paths
}

// BenchmarkScan reads all columns of lineitem.
func BenchmarkScan(b *testing.B) {
	for _, path := range benchFiles(b) {
		s, err := NewSource(storage.OSFS{}, []string{path}, nil)
		if err != nil {
			b.Fatal(err)
		}
		req := &storage.ScanRequest{Limit: -1}
		for i := range s.Columns() {
			req.Columns = append(req.Columns, i)
		}
		b.Run(filepath.Base(path), func(b *testing.B) {
			rows, start := 0, cpuSeconds()
			for range b.N {
				if err := scan(b, s, req, func(batch *vector.Batch) { rows += batch.Len }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((cpuSeconds()-start)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

// BenchmarkForeignScan lets pyarrow read the same files in the same run, with one thread.
func BenchmarkForeignScan(b *testing.B) {
	const script = `
import sys, time, pyarrow as pa, pyarrow.orc as orc
pa.set_cpu_count(1); pa.set_io_thread_count(1)
start = time.process_time()
f = orc.ORCFile(sys.argv[1])
for i in range(f.nstripes): f.read_stripe(i)
print(time.process_time() - start)`
	for _, path := range benchFiles(b) {
		b.Run(filepath.Base(path), func(b *testing.B) {
			total := 0.0
			for range b.N {
				out, err := exec.Command("python3", "-c", script, path).Output()
				if err != nil {
					b.Skip("there is no pyarrow")
				}
				seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					b.Fatal(err)
				}
				total += seconds
			}
			b.ReportMetric(total/float64(b.N), "cpu-s/op")
		})
	}
}

// BenchmarkColumn reads each column of lineitem alone and sums its values.
func BenchmarkColumn(b *testing.B) {
	for _, path := range benchFiles(b) {
		s, err := NewSource(storage.OSFS{}, []string{path}, nil)
		if err != nil {
			b.Fatal(err)
		}
		for i, c := range s.Columns() {
			b.Run(filepath.Base(path)+"/"+c.Name, func(b *testing.B) {
				rows, sum, start := 0, int64(0), cpuSeconds()
				for range b.N {
					if err := scan(b, s, &storage.ScanRequest{Columns: []int{i}, Limit: -1}, func(batch *vector.Batch) {
						rows += batch.Len
						sum += sumVector(batch.Cols[0])
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric((cpuSeconds()-start)/float64(b.N), "cpu-s/op")
				b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}

// cpuSeconds is the time that the process has computed: machines are shared.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func sumVector(v *vector.Vector) (sum int64) {
	if v.Form == vector.Dictionary {
		for _, c := range v.Codes {
			sum += int64(c)
		}
		return sum
	}
	switch v.Type.Physical() {
	case sqltype.PhysInt32:
		for _, x := range vector.Values[int32](v) {
			sum += int64(x)
		}
	case sqltype.PhysInt64:
		for _, x := range vector.Values[int64](v) {
			sum += x
		}
	case sqltype.PhysString:
		for i := range vector.Values[vector.View](v) {
			sum += int64(vector.Values[vector.View](v)[i].Len())
		}
	}
	return sum
}

// BenchmarkWrite writes lineitem, read into memory before.
func BenchmarkWrite(b *testing.B) {
	files := benchFiles(b)
	s, err := NewSource(storage.OSFS{}, files[:1], nil)
	if err != nil {
		b.Fatal(err)
	}
	req := &storage.ScanRequest{Limit: -1}
	for i := range s.Columns() {
		req.Columns = append(req.Columns, i)
	}
	var batches []*vector.Batch
	rows, bytes := 0, int64(0)
	if err := scan(b, s, req, func(batch *vector.Batch) {
		if rows < 1<<20 {
			c := batch.Copy()
			batches = append(batches, c)
			rows += c.Len
			bytes += c.Bytesize()
		}
	}); err != nil {
		b.Fatal(err)
	}
	for _, codec := range codecs {
		b.Run(codec, func(b *testing.B) {
			b.SetBytes(bytes)
			start, size := cpuSeconds(), int64(0)
			for range b.N {
				w, err := NewWriter(io.Discard, s.Columns(), WriterOptions{Codec: codec})
				if err != nil {
					b.Fatal(err)
				}
				for _, batch := range batches {
					if err := w.Write(batch); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				size = w.Bytes()
			}
			b.ReportMetric((cpuSeconds()-start)/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(size)/float64(rows), "B/row")
		})
	}
}
