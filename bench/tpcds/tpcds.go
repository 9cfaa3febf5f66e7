// Package tpcds holds the 99 TPC-DS queries with usual parameters, and the schema of their tables with the
// statistics of scale factor 1. Templates of two parts (14, 23, 24 and 39) are two queries here.
package tpcds

import (
	"embed"
	"fmt"
	"strings"
)

// Count is the number of query templates.
const Count = 99

//go:embed queries/*.sql
var queries embed.FS

// Schema are the tables with the statistics of scale factor 1, in the form that its first lines describe.
//
//go:embed sf1.tsv
var Schema string

// Query is one statement of the workload.
type Query struct {
	Name string // q01 … q99; q14a and q14b for templates of two parts
	SQL  string
}

// Queries lists all queries in order.
func Queries() []Query {
	var out []Query
	for n := 1; n <= Count; n++ {
		name := fmt.Sprintf("q%02d", n)
		text, err := queries.ReadFile("queries/" + name + ".sql")
		if err != nil {
			panic("tpcds: an embedded file is missing: " + err.Error())
		}
		var parts []string
		for _, p := range strings.Split(string(text), ";") {
			if p = strings.TrimSpace(p); p != "" {
				parts = append(parts, p)
			}
		}
		for i, p := range parts {
			q := Query{Name: name, SQL: p}
			if len(parts) > 1 {
				q.Name += string(rune('a' + i))
			}
			out = append(out, q)
		}
	}
	return out
}

// Tables are the names of the 24 tables.
func Tables() []string {
	return []string{"call_center", "catalog_page", "catalog_returns", "catalog_sales", "customer", "customer_address",
		"customer_demographics", "date_dim", "household_demographics", "income_band", "inventory", "item", "promotion", "reason",
		"ship_mode", "store", "store_returns", "store_sales", "time_dim", "warehouse", "web_page", "web_returns", "web_sales", "web_site"}
}
