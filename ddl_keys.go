package basalt

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
)

// Doris's limits of the keys that it chooses itself.
const (
	autoKeyColumns = 3
	autoKeyBytes   = 36
)

// defineKeys sets the model and marks the key columns: those written, or the prefix that Doris chooses. Rows are
// sorted by them inside each file. Hidden columns of the model are added.
func defineKeys(t *catalog.Table, st *ast.CreateTable) error {
	keys, model := st.Keys, st.KeysType
	if model == "" {
		for i := range t.Columns { // a KEY after the type
			if t.Columns[i].Key {
				keys = append(keys, t.Columns[i].Name)
			}
		}
		if at := slices.IndexFunc(st.Columns, func(c ast.ColumnDef) bool { return aggregationOf(&c) != function.NoAggregation }); at >= 0 {
			model = "AGGREGATE"
			if len(keys) == 0 { // what has no aggregation is a key
				for i := range st.Columns {
					if aggregationOf(&st.Columns[i]) == function.NoAggregation {
						keys = append(keys, st.Columns[i].Name)
					}
				}
			}
		}
	}
	switch model {
	case "AGGREGATE":
		t.Model = catalog.AggregateKey
	case "UNIQUE":
		t.Model = catalog.UniqueKey
	}
	var err error
	switch {
	case model != "" || len(keys) > 0:
		err = markKeys(t, keys)
	case isDoris(st) && t.Properties["enable_duplicate_without_keys_by_default"] != "true":
		err = chooseKeys(t)
	}
	if err == nil {
		err = defineValues(t, st.Columns)
	}
	if err != nil {
		return sqlerr.From(err).At(st.Position())
	}
	t.Distribution.Sorted = nil
	for i := range t.Columns {
		if t.Columns[i].Key {
			t.Distribution.Sorted = append(t.Distribution.Sorted, t.Columns[i].ID)
		}
	}
	return nil
}

// aggregationOf is the aggregation that a definition names; Doris lets REPLACE stand in UNIQUE tables and NONE
// everywhere.
func aggregationOf(d *ast.ColumnDef) function.Aggregation {
	a, _ := function.AggregationNamed(d.AggType)
	return a
}

// defineValues checks the aggregations that were written against the model and stores them. CREATE TABLE AS
// has no definitions.
func defineValues(t *catalog.Table, defs []ast.ColumnDef) error {
	short := [...]string{catalog.DuplicateKey: "DUP_KEYS", catalog.AggregateKey: "AGG_KEYS", catalog.UniqueKey: "UNIQUE_KEYS"}[t.Model]
	for i := range t.Columns {
		c := &t.Columns[i]
		var a function.Aggregation
		if i < len(defs) {
			a = aggregationOf(&defs[i])
			if kind := defs[i].AggType; a == function.NoAggregation && kind != "" && kind != "NONE" {
				return sqlerr.Unsupported("the aggregate type " + kind).At(defs[i].Position())
			}
		}
		var err error
		switch {
		case c.Key && a != function.NoAggregation:
			err = sqlerr.Detail("Key column[%s] should not specify aggregate type.", c.Name)
		case c.Key:
		case t.Model == catalog.AggregateKey && a == function.NoAggregation:
			err = sqlerr.Detail("%s table should specify aggregate type for non-key column[%s]", short, c.Name)
		case t.Model == catalog.UniqueKey && a == function.ReplaceAggregation:
			a = function.NoAggregation // it is what the model does
		case t.Model != catalog.AggregateKey && a != function.NoAggregation:
			err = sqlerr.Detail("%s table should not specify aggregate type for non-key column[%s]", short, c.Name)
		case a != function.NoAggregation && !a.Allows(c.Type):
			err = sqlerr.Detail("Aggregate type %s is not compatible with primitive type %s", a, strings.ToUpper(c.Type.String()))
		}
		if err != nil {
			if i < len(defs) {
				return sqlerr.From(err).At(defs[i].Position())
			}
			return err
		}
		c.Aggregation = a
	}
	if t.Model == catalog.UniqueKey {
		return addHidden(t)
	}
	return nil
}

// Properties of the sequence column.
const (
	sequenceColumn = "function_column.sequence_col"
	sequenceType   = "function_column.sequence_type"
)

// addHidden adds the hidden columns of a UNIQUE table.
func addHidden(t *catalog.Table) error {
	canOrder := func(y sqltype.Type) bool {
		return y.IsInteger() || y.Kind == sqltype.Date || y.Kind == sqltype.DateTime
	}
	if name := t.Properties[sequenceColumn]; name != "" {
		c := t.ColumnNamed(name)
		if c == nil {
			return sqlerr.Detail("The specified sequence column[%s] not exists", name)
		}
		if !canOrder(c.Type) {
			return sqlerr.Detail("Sequence type only support integer types and date types")
		}
	} else if text := t.Properties[sequenceType]; text != "" {
		y, ok := sequenceTypes[strings.ToLower(text)]
		if !ok {
			return sqlerr.Detail("sequence type only support integer types and date types: %s", text)
		}
		t.Columns = append(t.Columns, hiddenColumn(t, catalog.SequenceColumn, y, true))
	}
	sign := hiddenColumn(t, catalog.DeleteSign, sqltype.T(sqltype.TinyInt), false)
	zero := "0"
	sign.Default = &zero
	t.Columns = append(t.Columns, sign)
	return nil
}

var sequenceTypes = map[string]sqltype.Type{
	"tinyint": sqltype.T(sqltype.TinyInt), "smallint": sqltype.T(sqltype.SmallInt), "int": sqltype.T(sqltype.Int), "bigint": sqltype.T(sqltype.BigInt),
	"largeint": sqltype.T(sqltype.LargeInt), "date": sqltype.T(sqltype.Date), "datetime": sqltype.DateTimeOf(0),
}

func hiddenColumn(t *catalog.Table, name string, y sqltype.Type, null bool) catalog.Column {
	id := int32(0)
	for i := range t.Columns {
		id = max(id, t.Columns[i].ID)
	}
	return catalog.Column{ID: id + 1, Name: name, Type: y, Nullable: null, Hidden: true}
}

func markKeys(t *catalog.Table, keys []string) error {
	for i := range t.Columns {
		t.Columns[i].Key = false
	}
	if len(keys) > len(t.Columns) {
		return sqlerr.Detail("The number of key columns should be less than the number of columns.")
	}
	for i, name := range keys {
		c := t.ColumnNamed(name)
		if c == nil {
			return sqlerr.Detail("Key column[%s] doesn't exist.", name)
		}
		if c.Key {
			return sqlerr.Detail("Duplicated key column[%s].", name)
		}
		if c != &t.Columns[i] {
			return sqlerr.Detail("Key columns should be a ordered prefix of the schema. KeyColumns[%d] (starts from zero) is %s, but corresponding column is %s in the previous columns declaration.",
				i, name, t.Columns[i].Name)
		}
		switch {
		case c.Type.IsFloat():
			return sqlerr.Detail("Float or double can not used as a key, use decimal instead. Key column[%s]", name)
		case !canBeKey(c.Type):
			return sqlerr.Detail("%s Type should not be used in key column[%s].", typeWord(c.Type), name)
		}
		c.Key = true
	}
	return nil
}

// typeWord is a type's kind for messages: String, Array.
func typeWord(t sqltype.Type) string {
	name, _, _ := strings.Cut(t.String(), "<")
	return strings.ToUpper(name[:1]) + name[1:]
}

// canBeKey reports the types that keys may have.
func canBeKey(t sqltype.Type) bool {
	return t.IsInteger() || t.Kind == sqltype.Boolean || t.Kind == sqltype.Decimal || t.IsTemporal() || t.Kind == sqltype.Char || t.Kind == sqltype.Varchar
}

// chooseKeys takes the leading columns up to three or 36 bytes; a VARCHAR is the last one.
func chooseKeys(t *catalog.Table) error {
	bytes := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		bytes += keyBytes(c.Type)
		if i == autoKeyColumns || !canBeKey(c.Type) || bytes > autoKeyBytes && i > 0 {
			break
		}
		c.Key = true
		if c.Type.Kind == sqltype.Varchar || bytes > autoKeyBytes {
			break
		}
	}
	if !t.Columns[0].Key {
		return sqlerr.Detail("The olap table first column could not be float, double, string or struct, array, map, please use decimal or varchar instead.")
	}
	return nil
}

// keyBytes is what a column takes of Doris's prefix index.
func keyBytes(t sqltype.Type) int {
	switch t.Kind {
	case sqltype.Char:
		return int(t.Length)
	case sqltype.Varchar:
		return 20
	}
	return t.Physical().Size()
}

// Limits of DISTRIBUTED BY.
const (
	defaultBuckets = 10 // BUCKETS not written
	maxBuckets     = 65535
)

// defineDistribution fills in how rows find their bucket.
func defineDistribution(t *catalog.Table, st *ast.CreateTable) error {
	d := st.Distributed
	if d == nil {
		if t.Model == catalog.UniqueKey {
			return sqlerr.Detail("Create unique keys table should not contain random distribution desc").At(st.Position()).
				WithHint("Write DISTRIBUTED BY HASH(%s)", t.Columns[0].Name)
		}
		if isDoris(st) { // what newer Doris takes; CREATE TABLE AS hashes by its first column
			t.Distribution.Kind, t.Distribution.Auto = catalog.RandomDistributed, true
			t.Distribution.Buckets = autoBuckets(t.Properties)
			if st.Query != nil && canDistribute(t.Columns[0].Type) {
				t.Distribution.Kind, t.Distribution.Columns = catalog.HashDistributed, []int32{t.Columns[0].ID}
			}
		}
		if err := checkRandom(t, &t.Distribution); err != nil {
			return sqlerr.From(err).At(st.Position())
		}
		return nil
	}
	next, err := distributionOf(t, d)
	if err != nil {
		return sqlerr.From(err).At(d.Position())
	}
	next.Sorted = t.Distribution.Sorted
	t.Distribution = next
	return nil
}

// distributionOf checks DISTRIBUTED BY against t's columns.
func distributionOf(t *catalog.Table, d *ast.Distribution) (catalog.Distribution, error) {
	out := catalog.Distribution{Kind: catalog.RandomDistributed, Hash: bucket.DorisCRC32}
	seen := map[int32]bool{}
	for _, name := range d.Hash {
		c := t.ColumnNamed(name)
		switch {
		case c == nil:
			return out, sqlerr.Detail("Distribution column(%s) doesn't exist.", name)
		case seen[c.ID]:
			return out, sqlerr.Detail("Duplicated distribution column[%s].", name)
		case c.Type.IsFloat():
			return out, sqlerr.Detail("Floating point type should not be used in distribution column[%s].", name)
		case !canDistribute(c.Type):
			return out, sqlerr.Detail("%s Type should not be used in distribution column[%s].", typeWord(c.Type), name)
		case t.Model != catalog.DuplicateKey && !c.Key:
			return out, sqlerr.Detail("Distribution column[%s] is not key column", name)
		}
		seen[c.ID] = true
		out.Columns = append(out.Columns, c.ID)
	}
	if len(out.Columns) > 0 {
		out.Kind = catalog.HashDistributed
	}
	switch {
	case d.Buckets < 0:
		out.Auto, out.Buckets = true, autoBuckets(t.Properties)
	case d.Buckets == 0:
		out.Buckets = defaultBuckets
	case d.Buckets > maxBuckets:
		return out, sqlerr.Detail("The number of buckets should not exceed %d: %d", maxBuckets, d.Buckets)
	default:
		out.Buckets = int(d.Buckets)
	}
	return out, checkRandom(t, &out)
}

// checkRandom refuses RANDOM where rows of a key must meet.
func checkRandom(t *catalog.Table, d *catalog.Distribution) error {
	switch {
	case d.Kind != catalog.RandomDistributed:
	case t.Model == catalog.UniqueKey:
		return sqlerr.Detail("Create unique keys table should not contain random distribution desc")
	case slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return c.Aggregation.Replaces() }):
		return sqlerr.Detail("Create aggregate keys table with value columns of which aggregate type is REPLACE should not contain random distribution desc")
	}
	return nil
}

// canDistribute reports the types that bucket columns may have.
func canDistribute(t sqltype.Type) bool { return canBeKey(t) }

// autoBuckets is BUCKETS AUTO's number for a partition: a fifth of its estimated size (10 GB
// without the property) at 1 GB a bucket, one below 100 MB, two below 1 GB, at most 128.
func autoBuckets(properties map[string]string) int {
	size := int64(10 << 30)
	if text := properties["estimate_partition_size"]; text != "" {
		if n, err := parseBytes(text); err == nil {
			size = n
		}
	}
	return bucketsForBytes(size / 5)
}

func bucketsForBytes(size int64) int {
	switch {
	case size < 100<<20:
		return 1
	case size < 1<<30:
		return 2
	}
	return int(min((size+1<<30-1)>>30, 128))
}
