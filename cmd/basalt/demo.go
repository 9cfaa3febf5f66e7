package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/basaltdb/basalt"
	"github.com/basaltdb/basalt/cmd/basalt/shell"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server"
	statushttp "github.com/basaltdb/basalt/server/http"
)

// stop is one halt of the tour.
type stop struct{ about, query string }

var tour = []stop{
	{"A table is a folder of Parquet files. Counting needs their footers only:",
		"SELECT count(*) AS line_items FROM lineitem"},
	{"TPC-H Q1, pricing summary: one pass, eight aggregates:",
		`SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty,
       sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
       avg(l_extendedprice) AS avg_price, count(*) AS count_order
FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day
GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus`},
	{"TPC-H Q5, local supplier volume: six tables joined:",
		`SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM customer, orders, lineitem, supplier, nation, region
WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey
  AND c_nationkey = s_nationkey AND s_nationkey = n_nationkey
  AND n_regionkey = r_regionkey AND r_name = 'ASIA'
  AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1995-01-01'
GROUP BY n_name ORDER BY revenue DESC`},
	{"A plan, in Doris's layout. The filter on customer.c_custkey came over the join, from orders:",
		`EXPLAIN SELECT o_orderpriority, count(*) FROM orders JOIN customer ON o_custkey = c_custkey
WHERE c_mktsegment = 'BUILDING' AND o_custkey < 1000 GROUP BY o_orderpriority`},
	{"The most valuable orders:",
		`SELECT o_orderkey, o_orderdate, c_name, o_totalprice FROM orders
JOIN customer ON o_custkey = c_custkey ORDER BY o_totalprice DESC LIMIT 5`},
	{"A subquery: customers without orders but with money, by country:",
		`SELECT n_name, count(*) AS customers, sum(c_acctbal) AS balance
FROM customer JOIN nation ON c_nationkey = n_nationkey
WHERE c_acctbal > 9000 AND NOT EXISTS (SELECT 1 FROM orders WHERE o_custkey = c_custkey)
GROUP BY n_name ORDER BY customers DESC, n_name LIMIT 5`},
}

const nextSteps = `What to try next
  Keep a server with this data:   basalt serve --demo
    and connect:                  mysql -h 127.0.0.1 -P 9030 -u root tpch
                                  basalt sql -h 127.0.0.1 -D tpch
  Query your own files:           basalt sql -e "SELECT * FROM 'folder/*.parquet' LIMIT 10"
  Keep tables:                    basalt sql --data ./data
  Embed the engine in Go:
    db, err := basalt.Open("", basalt.Options{})
    rows, err := db.NewSession(basalt.SessionOptions{}).Query(ctx, "SELECT count(*) FROM 'folder/*.parquet'")
`

// demo makes data in a temporary folder, serves it on free ports, runs the tour over the
// MySQL protocol and cleans up.
func demo(ctx context.Context, out io.Writer) (err error) {
	started := time.Now()
	dir, err := os.MkdirTemp("", "basalt-demo-")
	if err != nil {
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot make a temporary folder")
	}
	defer os.RemoveAll(dir)
	db, err := basalt.Open("", basalt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMemoryLimit()
	fmt.Fprintf(out, "Basalt %s: a short tour.\n\n", basalt.Version)
	if err := loadTPCH(ctx, db, dir, demoScale, out); err != nil {
		return err
	}
	s, err := server.Listen(db, server.Options{Address: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	web, err := statushttp.Listen("127.0.0.1:0", db, s.Stats)
	if err != nil {
		s.Shutdown(ctx)
		return err
	}
	stop := start(s, web)
	defer stop()
	host, port, _ := net.SplitHostPort(s.Addr().String())
	fmt.Fprintf(out, "Serving it over the MySQL protocol on %s, status on http://%s/metrics\n\n", s.Addr(), web.Addr())
	client, err := shell.Dial(ctx, shell.RemoteOptions{Host: host, Port: port, User: "root", Database: demoDatabase})
	if err != nil {
		return err
	}
	defer client.Close()
	sh := shell.New(client, shell.Options{Footer: true, Out: out, Err: out})
	for i, t := range tour {
		fmt.Fprintf(out, "%d. %s\n\n  %s;\n\n", i+1, t.about, strings.ReplaceAll(t.query, "\n", "\n  "))
		if err := sh.Script(ctx, t.query); err != nil {
			return printedError{err}
		}
	}
	fmt.Fprint(out, nextSteps)
	fmt.Fprintf(out, "\nThe tour took %.1f s; its data is removed.\n", time.Since(started).Seconds())
	return nil
}
