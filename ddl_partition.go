package basalt

import (
	"regexp"
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/partition"
)

// autoUnits are the units of AUTO PARTITION BY RANGE(date_trunc(col, unit)).
var autoUnits = []string{"year", "quarter", "month", "week", "day", "hour", "minute", "second"}

// definePartitions fills in PARTITION BY and its partitions.
func (x *execution) definePartitions(t *catalog.Table, by *ast.PartitionBy) error {
	if by == nil {
		return nil
	}
	p := &catalog.Partitioning{Auto: by.Auto}
	switch by.Kind {
	case "RANGE":
		p.Kind = storage.RangePartitions
	case "LIST":
		p.Kind = storage.ListPartitions
	default:
		return sqlerr.Unsupported("PARTITION BY without RANGE or LIST").At(by.Position())
	}
	for _, e := range by.Exprs {
		if err := x.partitionColumn(t, p, e); err != nil {
			return sqlerr.From(err).At(e.Position())
		}
	}
	if p.Auto && p.Kind == storage.RangePartitions {
		if p.Unit == "" || len(p.Columns) > 1 {
			return sqlerr.Detail("AUTO PARTITION BY RANGE needs one call date_trunc(column, 'unit')").At(by.Position())
		}
	}
	t.Partitioning = p
	for i := range by.Partitions {
		made, err := x.partitionsOf(t, &by.Partitions[i])
		if err != nil {
			return err
		}
		for _, m := range made {
			if t.PartitionNamed(m.Name, false) != nil {
				return sqlerr.From(catalog.PartitionExists(m.Name)).At(by.Partitions[i].Position())
			}
			t.Partitions = append(t.Partitions, m)
		}
	}
	return nil
}

// partitionColumn adds one expression of PARTITION BY: a column, or date_trunc of one.
func (x *execution) partitionColumn(t *catalog.Table, p *catalog.Partitioning, e ast.Expr) error {
	unit := ""
	if call, ok := e.(*ast.Call); ok && p.Auto && p.Kind == storage.RangePartitions && call.Name == "date_trunc" && len(call.Args) == 2 {
		lit, ok := call.Args[1].(*ast.Literal)
		if !ok || lit.Kind != ast.StringLit || !slices.Contains(autoUnits, strings.ToLower(lit.Text)) {
			return sqlerr.Detail("date_trunc in AUTO PARTITION BY RANGE needs a unit of %s", strings.Join(autoUnits, ", "))
		}
		unit, e = strings.ToLower(lit.Text), call.Args[0]
	}
	col, ok := e.(*ast.Column)
	if !ok || col.Table != "" {
		return sqlerr.Detail("A partition column is expected: %s", ast.Format(e))
	}
	c := t.ColumnNamed(col.Name)
	if c == nil {
		return sqlerr.Detail("Partition column[%s] does not exist", col.Name)
	}
	if slices.Contains(p.Columns, c.ID) {
		return sqlerr.Detail("Duplicated partition column[%s]", col.Name)
	}
	if err := partition.CheckColumn(p.Kind, c.Name, c.Type); err != nil {
		return err
	}
	switch {
	case c.Key || t.Model == catalog.DuplicateKey:
	case t.Model == catalog.AggregateKey:
		return sqlerr.Detail("The partition column could not be aggregated column: %s", c.Name)
	default:
		return sqlerr.Detail("Only key column can be partition column: %s", c.Name)
	}
	if c.Nullable && unit != "" {
		return sqlerr.Detail("AUTO PARTITION BY RANGE does not allow a nullable column: %s must be NOT NULL", c.Name)
	}
	if c.Nullable && !x.s.settings.bool("allow_partition_column_nullable") {
		return sqlerr.Detail("The partition column must be NOT NULL: %s", c.Name)
	}
	if unit != "" && !c.Type.IsTemporal() {
		return sqlerr.Detail("date_trunc in AUTO PARTITION BY RANGE needs a DATE or DATETIME column: %s", c.Name)
	}
	if c.Type.Kind == sqltype.Date && (unit == "hour" || unit == "minute" || unit == "second") {
		return sqlerr.Detail("A DATE column cannot be partitioned by %s: %s", unit, c.Name)
	}
	p.Columns = append(p.Columns, c.ID)
	p.Unit = unit
	return nil
}

// partitionTypes are the types of t's partition columns.
func partitionTypes(t *catalog.Table) []sqltype.Type {
	if t.Partitioning == nil {
		return nil
	}
	out := make([]sqltype.Type, len(t.Partitioning.Columns))
	for i, id := range t.Partitioning.Columns {
		out[i] = t.ColumnByID(id).Type
	}
	return out
}

// namedPartitions are the partitions that new ones must not overlap: the temporary or the
// other ones.
func namedPartitions(t *catalog.Table, temporary bool) []partition.Named {
	var out []partition.Named
	for i := range t.Partitions {
		if p := &t.Partitions[i]; p.Temporary == temporary {
			out = append(out, partition.Named{Name: p.Name, Bounds: p.Bounds})
		}
	}
	return out
}

// partitionName is Doris's rule, with letters of any script.
var partitionName = regexp.MustCompile(`^[\p{L}_][-\p{L}\p{N}_]{0,255}$`)

func checkPartitionName(name string) error {
	if !partitionName.MatchString(name) {
		return sqlerr.New(sqlerr.WrongPartitionName, "Incorrect partition name '%s'", name)
	}
	return nil
}

// partitionsOf makes the partitions of one definition: one, or the batch of FROM … TO, which do
// not overlap. They do not overlap those of t.
func (x *execution) partitionsOf(t *catalog.Table, d *ast.PartitionDef) ([]catalog.Partition, error) {
	return x.partitionsBeside(t, d, namedPartitions(t, false))
}

func (x *execution) partitionsBeside(t *catalog.Table, d *ast.PartitionDef, others []partition.Named) ([]catalog.Partition, error) {
	fail := func(err error) ([]catalog.Partition, error) { return nil, sqlerr.From(err).At(d.Position()) }
	if err := x.checkProperties(d.Properties, partitionClause); err != nil {
		return fail(err)
	}
	named, err := x.boundsOf(t, d, others)
	if err != nil {
		return fail(err)
	}
	types := partitionTypes(t)
	var out []catalog.Partition
	for i := range named {
		n := &named[i]
		if err := checkPartitionName(n.Name); err != nil {
			return fail(err)
		}
		if err := partition.CheckFree(t.Partitioning.Kind, types, n.Name, &n.Bounds, others); err != nil {
			return fail(err)
		}
		p := catalog.Partition{Name: n.Name, Bounds: n.Bounds, Buckets: t.Distribution.Buckets}
		for _, kv := range d.Properties {
			if p.Properties == nil {
				p.Properties = map[string]string{}
			}
			p.Properties[kv.Key] = kv.Value
		}
		out = append(out, p)
	}
	return out, nil
}

// boundsOf turns a definition's literals into bounds.
func (x *execution) boundsOf(t *catalog.Table, d *ast.PartitionDef, others []partition.Named) ([]partition.Named, error) {
	isRange := t.Partitioning.Kind == storage.RangePartitions
	one := func(b storage.PartitionBounds) []partition.Named { return []partition.Named{{Name: d.Name, Bounds: b}} }
	switch {
	case d.In != nil && !isRange:
		values, err := x.listValues(t, d.In)
		return one(storage.PartitionBounds{Values: values}), err
	case d.In != nil:
		return nil, sqlerr.Detail("Invalid partition definition: VALUES IN belongs to PARTITION BY LIST")
	case !isRange && (d.LessThan != nil || d.Lower != nil || d.From != nil):
		return nil, sqlerr.Detail("Invalid partition definition: PARTITION BY LIST needs VALUES IN")
	case d.LessThan != nil:
		upper, err := x.bound(t, d.LessThan)
		if err != nil {
			return nil, err
		}
		if partition.CompareBound(upper, partition.MinBound(len(upper))) == 0 {
			return nil, sqlerr.Detail("Partition %s is empty: nothing is less than its bound", d.Name)
		}
		return one(partition.LessThan(others, upper)), nil
	case d.Lower != nil:
		lower, err := x.bound(t, d.Lower)
		if err != nil {
			return nil, err
		}
		upper, err := x.bound(t, d.Upper)
		if err != nil {
			return nil, err
		}
		b, err := partition.Between(partitionTypes(t), lower, upper)
		return one(b), err
	case d.From != nil:
		return x.batch(t, d)
	}
	return nil, sqlerr.Detail("Partition %s needs VALUES", d.Name)
}

// bound is one tuple of VALUES LESS THAN or VALUES [ , ).
func (x *execution) bound(t *catalog.Table, list []ast.Expr) ([]storage.Endpoint, error) {
	n := len(t.Partitioning.Columns)
	if len(list) == 1 {
		if _, ok := list[0].(*ast.MaxValue); ok {
			return partition.MaxBound(n), nil
		}
	}
	if len(list) > n {
		return partition.Complete(make([]storage.Endpoint, len(list)), n)
	}
	var out []storage.Endpoint
	for i, e := range list {
		if _, ok := e.(*ast.MaxValue); ok {
			out = append(out, storage.Endpoint{Max: true})
			continue
		}
		v, err := x.columnValue(e, t.ColumnByID(t.Partitioning.Columns[i]))
		if err != nil {
			return nil, err
		}
		if v.Null {
			return nil, sqlerr.Detail("A range partition cannot have NULL as a bound").At(e.Position())
		}
		out = append(out, partition.EndpointOf(v))
	}
	return partition.Complete(out, n)
}

// listValues are the tuples of VALUES IN.
func (x *execution) listValues(t *catalog.Table, in [][]ast.Expr) ([][]vector.Value, error) {
	n := len(t.Partitioning.Columns)
	out := make([][]vector.Value, 0, len(in))
	for _, tuple := range in {
		if len(tuple) == 1 {
			if row, ok := tuple[0].(*ast.Row); ok {
				tuple = row.Items
			}
		}
		if len(tuple) != n {
			return nil, sqlerr.Detail("The number of values of a list partition must be that of its columns: %d, %d", len(tuple), n)
		}
		vals := make([]vector.Value, n)
		for i, e := range tuple {
			if _, ok := e.(*ast.MaxValue); ok {
				return nil, sqlerr.Detail("MAXVALUE belongs to PARTITION BY RANGE").At(e.Position())
			}
			c := t.ColumnByID(t.Partitioning.Columns[i])
			v, err := x.columnValue(e, c)
			if err != nil {
				return nil, err
			}
			if v.Null && !c.Nullable {
				return nil, sqlerr.Detail("Column %s is NOT NULL and cannot have a partition for NULL", c.Name).At(e.Position())
			}
			vals[i] = v
		}
		out = append(out, vals)
	}
	return out, nil
}

// batch is FROM (lo) TO (hi) INTERVAL n unit.
func (x *execution) batch(t *catalog.Table, d *ast.PartitionDef) ([]partition.Named, error) {
	if len(t.Partitioning.Columns) != 1 || len(d.From) != 1 || len(d.To) != 1 {
		return nil, sqlerr.Detail("FROM … TO … INTERVAL needs one partition column")
	}
	c := t.ColumnByID(t.Partitioning.Columns[0])
	var ends [2]vector.Value
	for i, e := range []ast.Expr{d.From[0], d.To[0]} {
		if _, ok := e.(*ast.MaxValue); ok {
			return nil, sqlerr.Detail("MAXVALUE cannot end a batch of partitions").At(e.Position())
		}
		v, err := x.columnValue(e, c)
		if err != nil {
			return nil, err
		}
		if v.Null {
			return nil, sqlerr.Detail("A range partition cannot have NULL as a bound").At(e.Position())
		}
		ends[i] = v
	}
	n, err := x.columnValue(d.Interval, &catalog.Column{Name: "INTERVAL", Type: sqltype.T(sqltype.BigInt)})
	if err != nil {
		return nil, err
	}
	return partition.Steps(ends[0], ends[1], n.Int64(), strings.ToUpper(d.Unit), int(x.s.settings.int("max_multi_partition_num")))
}

// columnValue computes a constant as a value of a column; what does not fit is an error.
func (x *execution) columnValue(e ast.Expr, c *catalog.Column) (vector.Value, error) {
	v, err := bind.Scalar(e, x.env())
	if err != nil {
		return v, err
	}
	return x.storeValue(v, c, e.Position())
}

func (x *execution) storeValue(v vector.Value, c *catalog.Column, pos int) (vector.Value, error) {
	cast, err := expr.CastWith(expr.Lit(v), c.Type, func(from, to sqltype.Type) (*function.Scalar, error) {
		return function.StoreCast(from, to, c.Name)
	})
	if err == nil {
		cast, err = expr.Fold(cast, x.fc)
	}
	if err != nil {
		return v, sqlerr.From(err).At(pos)
	}
	lit, ok := cast.(*expr.Literal)
	if !ok {
		return v, sqlerr.Detail("A constant is expected for column %s", c.Name).At(pos)
	}
	out := lit.Value
	out.Type = c.Type
	return out, nil
}
