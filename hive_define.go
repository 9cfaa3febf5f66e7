package basalt

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/bucket"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
)

// isHive tells a table definition of Hive from one of MySQL, and from one of Doris that only names a file format.
func isHive(st *ast.CreateTable) bool { return st.Hive != nil && !isDoris(st) }

// defineHive fills in what Hive's clauses say: partition columns, which come last, buckets and the row
// format. Partition columns without a type, those of CREATE TABLE AS, are columns of t already.
func (x *execution) defineHive(t *catalog.Table, h *ast.HiveTable) error {
	if len(h.SkewedBy) > 0 || h.StoredBy != "" {
		return sqlerr.Unsupported("SKEWED BY and STORED BY").At(h.Position())
	}
	t.Hive = true
	if len(h.PartitionedBy) > 0 {
		if err := definePathPartitions(t, h.PartitionedBy); err != nil {
			return err
		}
	}
	if h.RowFormat != nil {
		rowFormatProperties(t, h)
	}
	return defineHiveBuckets(t, h)
}

// definePathPartitions is PARTITIONED BY.
func definePathPartitions(t *catalog.Table, defs []ast.ColumnDef) error {
	p := &catalog.Partitioning{Kind: storage.PathPartitions}
	for i := range defs {
		d := &defs[i]
		var c catalog.Column
		if d.Type == nil {
			at := slices.IndexFunc(t.Columns, func(c catalog.Column) bool { return strings.EqualFold(c.Name, d.Name) })
			if at < 0 {
				return sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in PARTITIONED BY", d.Name).At(d.Position())
			}
			c = t.Columns[at]
			t.Columns = slices.Delete(slices.Clone(t.Columns), at, at+1)
		} else {
			if t.ColumnNamed(d.Name) != nil {
				return sqlerr.New(sqlerr.DuplicateColumn, "Column repeated in partitioning columns: %s", d.Name).At(d.Position())
			}
			cols, err := tableColumns(defs[i:i+1], true)
			if err != nil {
				return err
			}
			c = cols[0]
			for i := range t.Columns {
				c.ID = max(c.ID, t.Columns[i].ID+1)
			}
		}
		if c.Type.IsNested() || c.Type.Kind == sqltype.Binary {
			return sqlerr.New(sqlerr.WrongDefinition, "Partition columns must be of primitive types: %s is %s", c.Name, c.Type).At(d.Position())
		}
		c.Nullable = true // NULL is the default partition
		p.Columns = append(p.Columns, c.ID)
		t.Columns = append(t.Columns, c)
	}
	if len(p.Columns) == len(t.Columns) {
		return sqlerr.New(sqlerr.WrongDefinition, "A table must have at least one column that is no partition column").At(defs[0].Position())
	}
	t.Partitioning = p
	return nil
}

// defineHiveBuckets is CLUSTERED BY and SORTED BY: the hash is that of the properties, see hiveHash.
func defineHiveBuckets(t *catalog.Table, h *ast.HiveTable) error {
	if len(h.ClusteredBy) == 0 {
		return nil
	}
	d := catalog.Distribution{Kind: catalog.HashDistributed, Buckets: int(h.Buckets)}
	var err error
	if d.Hash, err = hiveHash(t); err != nil {
		return sqlerr.From(err).At(h.Position())
	}
	column := func(name, clause string) (*catalog.Column, error) {
		c := t.ColumnNamed(name)
		if c == nil {
			return nil, sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in %s", name, clause).At(h.Position())
		}
		if t.Partitioning != nil && slices.Contains(t.Partitioning.Columns, c.ID) {
			return nil, sqlerr.New(sqlerr.WrongDefinition, "The partition column %s cannot be in %s", c.Name, clause).At(h.Position())
		}
		return c, nil
	}
	for _, name := range h.ClusteredBy {
		c, err := column(name, "CLUSTERED BY")
		if err != nil {
			return err
		}
		d.Columns = append(d.Columns, c.ID)
	}
	for i := range h.SortedBy {
		item := &h.SortedBy[i]
		ref, ok := item.Expr.(*ast.Column)
		if !ok || item.Nulls == ast.NullsFirst && item.Desc || item.Nulls == ast.NullsLast && !item.Desc {
			return sqlerr.Unsupported("SORTED BY anything but columns in Hive's order of NULLs").At(item.Position())
		}
		c, err := column(ref.Name, "SORTED BY")
		if err != nil {
			return err
		}
		if c.Type.IsNested() {
			return sqlerr.New(sqlerr.WrongDefinition, "Rows cannot be ordered by %s of type %s", c.Name, c.Type).At(item.Position())
		}
		d.Sorted, d.Descending = append(d.Sorted, c.ID), append(d.Descending, item.Desc)
	}
	if d.Buckets <= 0 {
		return sqlerr.New(sqlerr.WrongArguments, "the number of buckets must be positive").At(h.Position())
	}
	if d.Buckets > maxBuckets {
		return sqlerr.New(sqlerr.WrongArguments, "The number of buckets should not exceed %d: %d", maxBuckets, d.Buckets).At(h.Position())
	}
	t.Distribution = d
	return nil
}

// hiveHash is the hash of a table's buckets: the one that the property bucket_hash names; Spark's where the table
// says that Spark made it; else that of bucketing_version. Without it external tables have Hive's
// first, as for Hive, and ours its second, which Hive gives to new tables.
func hiveHash(t *catalog.Table) (bucket.Hash, error) {
	if name := t.Properties["bucket_hash"]; name != "" {
		h, ok := bucket.Parse(strings.ToLower(name))
		if !ok {
			return h, sqlerr.New(sqlerr.WrongArguments, "unknown bucket_hash '%s'", name).WithHint("Use hive_v1, hive_v2, spark or doris_crc32")
		}
		return h, nil
	}
	for k := range t.Properties {
		if strings.HasPrefix(k, "spark.sql.sources.") {
			return bucket.Spark, nil
		}
	}
	switch v := t.Properties["bucketing_version"]; v {
	case "1":
		return bucket.HiveV1, nil
	case "2":
		return bucket.HiveV2, nil
	case "":
		if t.Kind == catalog.External {
			return bucket.HiveV1, nil
		}
		t.Properties["bucketing_version"] = "2"
		return bucket.HiveV2, nil
	default:
		return 0, sqlerr.New(sqlerr.WrongArguments, "bucketing_version must be 1 or 2, not '%s'", v)
	}
}

// rowFormatProperties keeps ROW FORMAT under the names that Hive's metastore has.
func rowFormatProperties(t *catalog.Table, h *ast.HiveTable) {
	r := h.RowFormat
	for _, list := range [][]ast.Property{r.Properties, h.WithSerdeProps} {
		for _, p := range list {
			t.Properties[p.Key] = p.Value
		}
	}
	if r.Serde != "" {
		t.Properties["serialization.lib"] = r.Serde
	}
	for name, v := range map[string]*string{"field.delim": r.Fields, "escape.delim": r.Escape, "collection.delim": r.Collection,
		"mapkey.delim": r.MapKeys, "line.delim": r.Lines, "serialization.null.format": r.NullAs} {
		if v != nil {
			t.Properties[name] = *v
		}
	}
}

// partitionMode reads hive.exec.dynamic.partition.mode.
func partitionMode(text string) string {
	if text = strings.ToLower(strings.TrimSpace(text)); text == "strict" || text == "nonstrict" {
		return text
	}
	return ""
}

// copyHive is CREATE [EXTERNAL] TABLE LIKE a table of Hive [LOCATION]: all of its definition, none of its partitions.
func copyHive(t, src *catalog.Table, st *ast.CreateTable) error {
	if !src.Hive {
		return sqlerr.Unsupported("CREATE EXTERNAL TABLE LIKE a table without Hive's clauses").At(st.Like.Position())
	}
	own, format := t.Properties, t.Format // what the statement says
	t.Columns, t.Properties, t.Comment, t.Format = slices.Clone(src.Columns), maps.Clone(src.Properties), src.Comment, src.Format
	t.Partitioning, t.Distribution, t.Hive = src.Partitioning, src.Distribution, true
	if t.Properties == nil {
		t.Properties = map[string]string{}
	}
	delete(t.Properties, "external.table.purge")
	maps.Copy(t.Properties, own)
	if st.Hive != nil && st.Hive.StoredAs != "" {
		t.Format = format
	}
	location := ""
	if st.Hive != nil {
		location = st.Hive.Location
	}
	switch {
	case !st.External && location != "":
		return sqlerr.Unsupported("LOCATION of a table that is not EXTERNAL").At(st.Position())
	case !st.External:
		f, err := formatFor(t.Format)
		if err == nil {
			_, err = f.writer(t)
		}
		return err
	case location == "":
		return sqlerr.New(sqlerr.Syntax, "CREATE EXTERNAL TABLE needs LOCATION 'path'").At(st.Position())
	}
	t.Kind = catalog.External
	return setLocation(t, location)
}

// setLocation makes a folder, by its path or file:// URL, the place of an external table.
func setLocation(t *catalog.Table, location string) error {
	abs, err := filepath.Abs(strings.TrimPrefix(location, "file://"))
	if err != nil {
		return storage.FileError(err, location, "resolve")
	}
	t.Location = abs
	return nil
}
