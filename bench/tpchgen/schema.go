package tpchgen

import "slices"

// kind is a column's type, as other generators export it.
type kind uint8

const (
	kindInt32   kind = iota
	kindInt64        // keys that grow with the scale
	kindDecimal      // DECIMAL(15,2), held as hundredths in an int64
	kindDate         // days since 1970-01-01 in an int32
	kindText
)

// column describes one column. dict asks for dictionary encoding: few distinct values
// at every scale.
type column struct {
	name string
	kind kind
	dict bool
}

type table struct {
	name    string
	columns []column
}

// tables are the eight tables, columns in the order of the specification.
var tables = []table{
	{"lineitem", []column{
		{"l_orderkey", kindInt64, false}, {"l_partkey", kindInt64, false}, {"l_suppkey", kindInt64, false},
		{"l_linenumber", kindInt64, true}, {"l_quantity", kindDecimal, true}, {"l_extendedprice", kindDecimal, false},
		{"l_discount", kindDecimal, true}, {"l_tax", kindDecimal, true}, {"l_returnflag", kindText, true},
		{"l_linestatus", kindText, true}, {"l_shipdate", kindDate, true}, {"l_commitdate", kindDate, true},
		{"l_receiptdate", kindDate, true}, {"l_shipinstruct", kindText, true}, {"l_shipmode", kindText, true},
		{"l_comment", kindText, false},
	}},
	{"orders", []column{
		{"o_orderkey", kindInt64, false}, {"o_custkey", kindInt64, false}, {"o_orderstatus", kindText, true},
		{"o_totalprice", kindDecimal, false}, {"o_orderdate", kindDate, true}, {"o_orderpriority", kindText, true},
		{"o_clerk", kindText, true}, {"o_shippriority", kindInt32, true}, {"o_comment", kindText, false},
	}},
	{"partsupp", []column{
		{"ps_partkey", kindInt64, false}, {"ps_suppkey", kindInt64, false}, {"ps_availqty", kindInt64, false},
		{"ps_supplycost", kindDecimal, false}, {"ps_comment", kindText, false},
	}},
	{"part", []column{
		{"p_partkey", kindInt64, false}, {"p_name", kindText, false}, {"p_mfgr", kindText, true},
		{"p_brand", kindText, true}, {"p_type", kindText, true}, {"p_size", kindInt32, true},
		{"p_container", kindText, true}, {"p_retailprice", kindDecimal, false}, {"p_comment", kindText, false},
	}},
	{"customer", []column{
		{"c_custkey", kindInt64, false}, {"c_name", kindText, false}, {"c_address", kindText, false},
		{"c_nationkey", kindInt32, true}, {"c_phone", kindText, false}, {"c_acctbal", kindDecimal, false},
		{"c_mktsegment", kindText, true}, {"c_comment", kindText, false},
	}},
	{"supplier", []column{
		{"s_suppkey", kindInt64, false}, {"s_name", kindText, false}, {"s_address", kindText, false},
		{"s_nationkey", kindInt32, true}, {"s_phone", kindText, false}, {"s_acctbal", kindDecimal, false},
		{"s_comment", kindText, false},
	}},
	{"nation", []column{
		{"n_nationkey", kindInt32, false}, {"n_name", kindText, false}, {"n_regionkey", kindInt32, true},
		{"n_comment", kindText, false},
	}},
	{"region", []column{
		{"r_regionkey", kindInt32, false}, {"r_name", kindText, false}, {"r_comment", kindText, false},
	}},
}

// Tables returns the names of the eight tables, the largest first.
func Tables() []string {
	var names []string
	for _, t := range tables {
		names = append(names, t.name)
	}
	return names
}

func tableNamed(name string) *table {
	i := slices.IndexFunc(tables, func(t table) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return &tables[i]
}

// vector is one column of a chunk. Only the slice of the column's kind is used: i32 for
// kindInt32 and kindDate, i64 for kindInt64 and kindDecimal, text for kindText.
type vector struct {
	i32  []int32
	i64  []int64
	text [][]byte
}

// chunk is a run of rows of one table on its way to the writer. The texts point into
// the text pool, the vocabulary or arena.
type chunk struct {
	rows    int
	columns []vector
	arena   []byte
}

func newChunk(t *table) *chunk { return &chunk{columns: make([]vector, len(t.columns))} }

func (c *chunk) reset() {
	c.rows = 0
	c.arena = c.arena[:0]
	for i := range c.columns {
		v := &c.columns[i]
		v.i32, v.i64, v.text = v.i32[:0], v.i64[:0], v.text[:0]
	}
}

func (c *chunk) int32(col int, v int32) { c.columns[col].i32 = append(c.columns[col].i32, v) }
func (c *chunk) int64(col int, v int64) { c.columns[col].i64 = append(c.columns[col].i64, v) }
func (c *chunk) text(col int, v []byte) { c.columns[col].text = append(c.columns[col].text, v) }

// built appends the text that has been added to the arena since it was mark bytes long.
// A later append may move the arena; the slice then keeps the old one alive.
func (c *chunk) built(col, mark int) {
	c.text(col, c.arena[mark:len(c.arena):len(c.arena)])
}

// appendPadded appends n in decimal with leading zeros up to width digits.
func appendPadded(b []byte, n int64, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for n > 0 || i == len(digits) {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	for len(digits)-i < width {
		i--
		digits[i] = '0'
	}
	return append(b, digits[i:]...)
}
