package bind

import (
	"slices"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
)

// wholeOnly refuses INDEX, PARTITION, TABLET and TABLESAMPLE of what has none.
func wholeOnly(t *ast.TableName, what string) error {
	if len(t.Partitions)+len(t.Tablets) == 0 && t.Index == "" && t.Sample == nil {
		return nil
	}
	return sqlerr.New(sqlerr.WrongArguments, "INDEX, PARTITION, TABLET and TABLESAMPLE are for tables: '%s' is a %s", t.Name.Name, what).At(t.Position())
}

// restricted is the part of a source that PARTITION (…) and TABLET (…) name; sel is nil where they
// name nothing. An empty part is a part: the optimizer makes no rows of it.
func restricted(src storage.Source, t *ast.TableName) (_ storage.Source, sel *storage.Selection, err error) {
	if len(t.Partitions)+len(t.Tablets) == 0 {
		return src, nil, nil
	}
	p, ok := src.(storage.Partitioned)
	if !ok {
		if len(t.Partitions) > 0 {
			return nil, nil, unknownPartition(t.Partitions[0], t)
		}
		return nil, nil, unknownTablet(t.Tablets[0], t)
	}
	l := p.Layout()
	sel = p.Selection()
	if len(t.Partitions) > 0 {
		if sel, err = namedPartitions(l, t); err != nil {
			return nil, nil, err
		}
	}
	if len(t.Tablets) > 0 {
		if sel, err = tabletsOf(l, sel, t); err != nil {
			return nil, nil, err
		}
	}
	return p.Restrict(sel), sel, nil
}

func unknownPartition(name string, t *ast.TableName) error {
	return sqlerr.New(sqlerr.UnknownPartition, "Unknown partition '%s' in table '%s'", name, t.Name.Name).At(t.Position())
}

func unknownTablet(id int64, t *ast.TableName) error {
	return sqlerr.Detail("Unknown tablet %d in table '%s'", id, t.Name.Name)
}

// namedPartitions selects partitions by their names, without case.
func namedPartitions(l *storage.Layout, t *ast.TableName) (*storage.Selection, error) {
	sel := &storage.Selection{}
	for _, name := range t.Partitions {
		at := slices.IndexFunc(l.Partitions, func(p storage.PartitionInfo) bool { return equalName(p.Name, name) })
		if at < 0 {
			return nil, unknownPartition(name, t)
		}
		sel.Partitions = append(sel.Partitions, at)
	}
	slices.Sort(sel.Partitions)
	sel.Partitions = slices.Compact(sel.Partitions)
	return sel, nil
}

// tabletsOf is the part of sel in the tablets; each must be one of the table's.
func tabletsOf(l *storage.Layout, sel *storage.Selection, t *ast.TableName) (*storage.Selection, error) {
	buckets := make([][]int32, len(l.Partitions))
	for _, id := range t.Tablets {
		at := slices.IndexFunc(l.Partitions, func(p storage.PartitionInfo) bool {
			return id >= p.FirstTablet && id < p.FirstTablet+int64(max(p.Buckets, 1))
		})
		if at < 0 {
			return nil, unknownTablet(id, t)
		}
		buckets[at] = append(buckets[at], int32(id-l.Partitions[at].FirstTablet))
	}
	out := &storage.Selection{}
	for _, at := range sel.Partitions {
		if len(buckets[at]) == 0 {
			continue
		}
		slices.Sort(buckets[at])
		out.Partitions = append(out.Partitions, at)
		out.Buckets = append(out.Buckets, slices.Compact(buckets[at]))
	}
	return out, nil
}
