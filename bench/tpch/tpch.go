// Package tpch holds the 22 TPC-H queries with the parameters of the specification's
// validation run, and answers to compare with.
//
// The texts are in the MySQL and Doris dialect and run unchanged on DuckDB. Two differ
// in form from the specification, both in ways it approves: Q13 names its columns
// inside the derived table, Q15 uses a common table expression in place of a view.
package tpch

import (
	"embed"
	"fmt"

	"github.com/basaltdb/basalt/bench/result"
)

// Count is the number of queries.
const Count = 22

//go:embed queries/*.sql
var queries embed.FS

//go:embed answers
var answers embed.FS

// Query returns the text of query n, 1 to 22.
func Query(n int) string {
	return mustRead(queries, "queries/"+Name(n)+".sql")
}

// Name returns "q01" to "q22".
func Name(n int) string {
	if n < 1 || n > Count {
		panic(fmt.Sprintf("tpch: there is no query %d", n))
	}
	return fmt.Sprintf("q%02d", n)
}

// Answer returns the rows of query n at scale factor 0.01 as DuckDB gives them, in the
// form that package result reads. The data set is that of package tpchgen.
func Answer(n int) string {
	return mustRead(answers, "answers/sf001/"+Name(n)+".txt")
}

func mustRead(fs embed.FS, path string) string {
	text, err := fs.ReadFile(path)
	if err != nil {
		panic("tpch: an embedded file is missing: " + err.Error())
	}
	return string(text)
}

// Rules returns how two answers of query n compare.
func Rules(n int) result.Rules {
	return result.Rules{Inexact: Inexact(n), OrderBy: OrderBy(n)}
}

// Inexact returns the columns of query n whose type differs between engines: averages
// and quotients of decimals are doubles in some and decimals of some scale in others.
// All other columns must agree exactly.
func Inexact(n int) []string {
	switch n {
	case 1:
		return []string{"avg_qty", "avg_price", "avg_disc"}
	case 8:
		return []string{"mkt_share"}
	case 14:
		return []string{"promo_revenue"}
	case 17:
		return []string{"avg_yearly"}
	}
	return nil
}

// OrderBy returns the columns that query n orders its rows by. Rows that agree in them
// may come in any order.
func OrderBy(n int) []string {
	return map[int][]string{
		1:  {"l_returnflag", "l_linestatus"},
		2:  {"s_acctbal", "n_name", "s_name", "p_partkey"},
		3:  {"revenue", "o_orderdate"},
		4:  {"o_orderpriority"},
		5:  {"revenue"},
		7:  {"supp_nation", "cust_nation", "l_year"},
		8:  {"o_year"},
		9:  {"nation", "o_year"},
		10: {"revenue"},
		11: {"value"},
		12: {"l_shipmode"},
		13: {"custdist", "c_count"},
		15: {"s_suppkey"},
		16: {"supplier_cnt", "p_brand", "p_type", "p_size"},
		18: {"o_totalprice", "o_orderdate"},
		20: {"s_name"},
		21: {"numwait", "s_name"},
		22: {"cntrycode"},
	}[n]
}
