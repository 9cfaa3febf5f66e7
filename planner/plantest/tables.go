// Package plantest gives planner tests tables without data: a catalog snapshot of the TPC-H tables with the
// statistics of scale factor 1, and of a few small tables for single rules.
package plantest

import (
	"context"
	"fmt"
	"sort"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/storage"
)

// Database is where the tables are.
const Database = "test"

// column is one column with its statistics.
type column struct {
	name     string
	t        sqltype.Type
	min, max any // int64 for integers, dates and unscaled decimals; string; nil: unknown
	avg      float64
	nulls    int64
	nullable bool
	distinct int64 // 0: unknown
}

type table struct {
	name string
	rows int64
	cols []column
}

var (
	tBig     = sqltype.T(sqltype.BigInt)
	tInt     = sqltype.T(sqltype.Int)
	tMoney   = sqltype.DecimalOf(15, 2)
	tDate    = sqltype.T(sqltype.Date)
	tText    = sqltype.T(sqltype.String)
	tDouble  = sqltype.T(sqltype.Double)
	tpchDays = [2]int64{8035, 10591} // 1992-01-01 … 1998-12-31
)

func num(name string, t sqltype.Type, lo, hi int64) column {
	return column{name: name, t: t, min: lo, max: hi, avg: float64(t.Physical().Size())}
}

func text(name, lo, hi string, avg float64) column {
	return column{name: name, t: tText, min: lo, max: hi, avg: avg}
}

func day(name string) column { return num(name, tDate, tpchDays[0], tpchDays[1]) }

func null(c column) column {
	c.nullable = true
	return c
}

var tables = withBuckets([]table{
	{"lineitem", 6_001_215, []column{
		num("l_orderkey", tBig, 1, 6_000_000), num("l_partkey", tBig, 1, 200_000), num("l_suppkey", tBig, 1, 10_000),
		num("l_linenumber", tBig, 1, 7), num("l_quantity", tMoney, 100, 5000), num("l_extendedprice", tMoney, 90_100, 10_494_950),
		num("l_discount", tMoney, 0, 10), num("l_tax", tMoney, 0, 8), text("l_returnflag", "A", "R", 1),
		text("l_linestatus", "F", "O", 1), day("l_shipdate"), day("l_commitdate"), day("l_receiptdate"),
		text("l_shipinstruct", "COLLECT COD", "TAKE BACK RETURN", 12), text("l_shipmode", "AIR", "TRUCK", 4.3),
		text("l_comment", " Tiresias", "zzle", 26.5),
	}},
	{"orders", 1_500_000, []column{
		num("o_orderkey", tBig, 1, 6_000_000), num("o_custkey", tBig, 1, 149_999), text("o_orderstatus", "F", "P", 1),
		num("o_totalprice", tMoney, 85_771, 55_528_516), day("o_orderdate"), text("o_orderpriority", "1-URGENT", "5-LOW", 8.4),
		text("o_clerk", "Clerk#000000001", "Clerk#000001000", 15), num("o_shippriority", tInt, 0, 0),
		text("o_comment", " Tiresias", "zzle", 48.5),
	}},
	{"partsupp", 800_000, []column{
		num("ps_partkey", tBig, 1, 200_000), num("ps_suppkey", tBig, 1, 10_000), num("ps_availqty", tBig, 1, 9999),
		num("ps_supplycost", tMoney, 100, 100_000), text("ps_comment", " Tiresias", "zzle", 123.7),
	}},
	{"part", 200_000, []column{
		num("p_partkey", tBig, 1, 200_000), text("p_name", "almond", "yellow", 32.8), text("p_mfgr", "Manufacturer#1", "Manufacturer#5", 14),
		text("p_brand", "Brand#11", "Brand#55", 8), text("p_type", "ECONOMY ANODIZED BRASS", "STANDARD POLISHED TIN", 20.6),
		num("p_size", tInt, 1, 50), text("p_container", "JUMBO BAG", "WRAP PKG", 7.6), num("p_retailprice", tMoney, 90_100, 209_899),
		text("p_comment", " beans", "zzle", 13.5),
	}},
	{"customer", 150_000, []column{
		num("c_custkey", tBig, 1, 150_000), text("c_name", "Customer#000000001", "Customer#000150000", 18),
		text("c_address", " 2uZwVhQvwA", "zzxGktzXTMKS1BxZlgQ9nqQ", 25), num("c_nationkey", tInt, 0, 24),
		text("c_phone", "10-100-106-1617", "34-999-618-6881", 15), num("c_acctbal", tMoney, -99_999, 999_999),
		text("c_mktsegment", "AUTOMOBILE", "MACHINERY", 9), text("c_comment", " Tiresias", "zzle", 72.7),
	}},
	{"supplier", 10_000, []column{
		num("s_suppkey", tBig, 1, 10_000), text("s_name", "Supplier#000000001", "Supplier#000010000", 18),
		text("s_address", " 0W7IPdkpWycUbQ9Adp6B", "zzfDhdtZcvmVzA8rNFU,Yctj1zBN", 25), num("s_nationkey", tInt, 0, 24),
		text("s_phone", "10-102-116-6785", "34-998-900-4911", 15), num("s_acctbal", tMoney, -99_822, 999_993),
		text("s_comment", " about", "zzle", 62.6),
	}},
	{"nation", 25, []column{
		num("n_nationkey", tInt, 0, 24), text("n_name", "ALGERIA", "VIETNAM", 7.1), num("n_regionkey", tInt, 0, 4),
		text("n_comment", " haggle", "y above", 74.3),
	}},
	{"region", 5, []column{
		num("r_regionkey", tInt, 0, 4), text("r_name", "AFRICA", "MIDDLE EAST", 6.8), text("r_comment", "ges", "uickly", 66),
	}},
	{"t", 1000, []column{
		num("a", tInt, 1, 1000), null(num("b", tInt, 1, 100)), null(text("c", "a", "z", 10)), num("d", tDate, 10_000, 11_000), null(num("e", tMoney, 0, 9999)),
	}},
	{"u", 10_000, []column{
		num("a", tInt, 1, 1000), null(num("b", tInt, 1, 100)), null(text("c", "a", "z", 10)), num("k", tBig, 1, 10_000),
	}},
	{"v", 100, []column{
		num("a", tInt, 1, 100), null(num("x", tBig, 1, 100)), null(column{name: "f", t: tDouble, avg: 8}),
	}},
})

// Snapshot holds the tables, in Database.
func Snapshot() catalog.Snapshot { return snapshot{tables: tables} }

type snapshot struct {
	tables []table
	bare   bool // sources know nothing of themselves
}

func (snapshot) Databases() []string                             { return []string{Database} }
func (snapshot) HasDatabase(name string) bool                    { return name == Database }
func (snapshot) Views(string) []*catalog.View                    { return nil }
func (snapshot) View(string, string) *catalog.View               { return nil }
func (snapshot) Source(t *catalog.Table) (storage.Source, error) { return t.Source, nil }

func (s snapshot) Tables(database string) []*catalog.Table {
	var out []*catalog.Table
	for _, t := range s.tables {
		out = append(out, s.Table(database, t.name))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func (s snapshot) Table(database, name string) *catalog.Table {
	if database != Database {
		return nil
	}
	for i := range s.tables {
		if s.tables[i].name != name {
			continue
		}
		src := newSource(&s.tables[i])
		if s.bare {
			src.stats = storage.Stats{Rows: -1, Bytes: -1}
		}
		t := &catalog.Table{ID: int64(i + 1), Database: database, Name: name, Format: "parquet", Source: src}
		if l := layoutOf(name); l != nil {
			b := &bucketed{src, l, l.Full()}
			if t.Source = b; merges(t.Name) {
				t.Source = &merging{b, false}
			}
		}
		for k, c := range src.cols {
			t.Columns = append(t.Columns, catalog.Column{ID: int32(k), Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		}
		return t
	}
	return nil
}

// source has a schema and statistics and no rows.
type source struct {
	name  string
	cols  []storage.Column
	stats storage.Stats
}

func newSource(t *table) *source {
	s := &source{name: t.name, stats: storage.Stats{Rows: t.rows, Bytes: -1}}
	for _, c := range t.cols {
		s.cols = append(s.cols, storage.Column{Name: c.name, Type: c.t, Nullable: c.nullable})
		s.stats.Columns = append(s.stats.Columns, storage.ColumnStats{
			Min: bound(c.t, c.min), Max: bound(c.t, c.max), Nulls: c.nulls, Distinct: distinctOf(c), AvgBytes: c.avg,
		})
	}
	return s
}

func distinctOf(c column) int64 {
	if c.distinct == 0 {
		return -1
	}
	return c.distinct
}

func bound(t sqltype.Type, x any) *vector.Value {
	var v vector.Value
	switch x := x.(type) {
	case int64:
		v = vector.IntValue(t, x)
	case string:
		v = vector.StringValue(t, x)
	default:
		return nil
	}
	return &v
}

func (s *source) Columns() []storage.Column { return s.cols }
func (s *source) Stats() *storage.Stats     { return &s.stats }

func (s *source) Splits(context.Context, *storage.ScanRequest) ([]storage.Split, error) {
	return nil, fmt.Errorf("table %s of plantest has no data", s.name)
}

func (s *source) Open(context.Context, storage.Split, *storage.ScanRequest) (storage.Reader, error) {
	return nil, fmt.Errorf("table %s of plantest has no data", s.name)
}
