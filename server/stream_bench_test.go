package server

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/server/mysql"
)

// streamRows is how many rows of four columns a round of BenchmarkStream sends.
const streamRows = 5_000_000

// BenchmarkStream sends rows over loopback to a client that only counts packets. The rows
// are dropped where they arrive, so that the client costs little of the machine's cores.
func BenchmarkStream(b *testing.B) {
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Listen(db, Options{Address: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Serve() }()
	defer db.Close()
	defer s.Shutdown(context.Background())
	// A wire needs a *testing.T only to fail, which a benchmark's login does not.
	t := &testing.T{}
	c := login(t, s)
	in := bufio.NewReaderSize(c.nc, 256<<10)
	query := "SELECT number, number * 3, cast(number AS decimal(15,2)), 'some text' FROM numbers('number' = '" + strconv.Itoa(streamRows) + "')"
	before := residentMB()
	peak := before
	b.ResetTimer()
	for range b.N {
		c.send(gomysql.COM_QUERY, query)
		r := mysql.NewReader(in, 1<<30)
		r.Seq = 1
		rows := -1 - 4 - 1 // the count, the columns, EOF
		for {
			p, err := r.Next()
			if err != nil {
				b.Fatal(err)
			}
			if rows > 0 && p[0] == gomysql.ERR_HEADER {
				b.Fatalf("%q", p)
			}
			if rows >= 0 && p[0] == gomysql.EOF_HEADER && len(p) < 9 {
				break
			}
			if rows++; rows%1_000_000 == 0 {
				peak = max(peak, residentMB())
			}
		}
		if rows != streamRows {
			b.Fatalf("%d rows", rows)
		}
	}
	b.ReportMetric(float64(b.N)*streamRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(peak-before), "MB-grown")
}

// residentMB is the process's resident memory, 0 where it cannot be read.
func residentMB() int {
	if runtime.GOOS != "linux" {
		return 0
	}
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() >> 20
}
