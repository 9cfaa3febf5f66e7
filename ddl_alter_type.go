package basalt

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/expr"
	"github.com/basaltdb/basalt/planner/logical"
	"github.com/basaltdb/basalt/storage/widen"
)

// modify is MODIFY COLUMN: the type, NOT NULL to NULL, and the place may change. Every other attribute must be repeated.
func (c *columnChange) modify() error {
	d := &c.act.Columns[0]
	col, err := c.find(d.Name)
	if err != nil {
		return err
	}
	ix, err := c.rollup()
	if err != nil {
		return err
	}
	if ix != nil {
		return sqlerr.Unsupported("ALTER TABLE MODIFY COLUMN … FROM a rollup")
	}
	if err := c.isFixed(col, "modify"); err != nil {
		return err
	}
	cols, err := alteredColumns(c.t, d)
	if err != nil {
		return err
	}
	next := cols[0]
	if err := c.classify(&next, d); err != nil {
		return err
	}
	same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	switch {
	case next.Aggregation != col.Aggregation:
		return sqlerr.Detail("Can not change aggregation type")
	case next.Key && !col.Key:
		return sqlerr.Detail("Can not change value column[%s] to key column", col.Name)
	case col.Key && !next.Key:
		return sqlerr.Detail("Can not change key column[%s] to value column", col.Name).WithHint("Repeat KEY")
	case !next.Nullable && col.Nullable:
		return sqlerr.Detail("Can not change from nullable to non-nullable")
	case !same(next.Default, col.Default) && (next.Default == nil || col.Default == nil || next.DefaultText() != col.DefaultText()):
		return sqlerr.Detail("Can not change default value").WithHint("Repeat the default of column %s", col.Name)
	}
	if seq := c.t.Sequence(); seq != nil && seq.ID == col.ID && !next.Type.Equal(col.Type) {
		return sqlerr.Detail("Can not alter sequence column[%s]", col.Name)
	}
	was := col.Type
	if err := c.retype(col, next.Type); err != nil {
		return err
	}
	if isConversion(was, col.Type) {
		if err := c.x.checkDefault(col); err != nil {
			return err
		}
	}
	if ids := idsOf(c.t, col); ids != nil {
		ids.Nullable = next.Nullable
	}
	if col.Nullable = next.Nullable; next.Comment != "" {
		col.Comment = next.Comment
	}
	c.copyToIndexes(col)
	return c.move(col.ID)
}

// copyToIndexes brings the columns of rollups in line with the table's column that they are.
func (c *columnChange) copyToIndexes(col *catalog.Column) {
	for i := range c.t.Indexes {
		ix := &c.t.Indexes[i]
		if ix.View {
			continue
		}
		ix.Columns = slices.Clone(ix.Columns)
		for k := range ix.Columns {
			x := &ix.Columns[k]
			if x.Base != col.ID {
				continue
			}
			x.Nullable, x.Comment = col.Nullable, col.Comment
			if x.Aggregation == function.SumAggregation && foldsFurther(c.t, ix) {
				continue // widenSums decides
			}
			if x.Key && !widen.Ordered(x.Type, col.Type) || !readsAs(x.Column, *col) {
				c.rebuild[ix.ID] = true
			}
			x.Type, x.Former = col.Type, col.Former
		}
	}
}

// move puts a column where FIRST or AFTER says.
func (c *columnChange) move(id int32) error {
	if !c.act.First && c.act.After == "" {
		return nil
	}
	t := c.t
	from := slices.IndexFunc(t.Columns, func(x catalog.Column) bool { return x.ID == id })
	col := t.Columns[from]
	if strings.EqualFold(c.act.After, col.Name) {
		return sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in '%s'", c.act.After, t.Name)
	}
	t.Columns = slices.Delete(t.Columns, from, from+1)
	at, err := c.place(&col, c.act.After, c.act.First)
	if err != nil {
		return err
	}
	t.Columns = slices.Insert(t.Columns, at, col)
	return nil
}

// retype gives a column a type that its files can be read as, without a loss. Where that changes how keys are ordered, and
// where not every value fits the new type, the table is written anew, as INSERT would write it.
func (c *columnChange) retype(col *catalog.Column, to sqltype.Type) error {
	from := col.Type
	if from.Equal(to) {
		return nil
	}
	if c.t.Kind != catalog.Internal {
		col.Type = to // its files are what they are
		return nil
	}
	converts := isConversion(from, to) && !c.t.Hive && !c.t.InPath() && !isTextTable(c.t)
	if !converts {
		if err := checkRetype(from, to); err != nil {
			return err
		}
		if !widen.Can(from, to) {
			return sqlerr.Detail("Can not change %s to %s", typeText(from), typeText(to))
		}
	}
	if idsOf(c.t, col) != nil && !sameTexts(from, to) {
		return sqlerr.Detail("Can not change %s to %s: column[%s] has a dictionary, whose texts would be others", typeText(from), typeText(to), col.Name)
	}
	if converts || col.Key && !widen.Ordered(from, to) {
		c.rewrite = true
	}
	// What the files have must be readable as the new type, too: lossless steps make a lossless way.
	if converts {
		col.Former = nil
	} else if !slices.Contains(col.Former, from) {
		col.Former = append(slices.Clone(col.Former), from)
	}
	col.Type = to
	id := col.ID
	c.t.Statistics = c.t.Statistics.Without(func(c int32) bool { return c == id })
	return nil
}

func typeText(t sqltype.Type) string { return strings.ToUpper(t.String()) }

// textWidth is the longest text of a number's type; 0: not bounded, or no number.
func textWidth(t sqltype.Type) int32 {
	switch t.Kind {
	case sqltype.TinyInt:
		return 4
	case sqltype.SmallInt:
		return 6
	case sqltype.Int:
		return 11
	case sqltype.BigInt:
		return 20
	case sqltype.LargeInt:
		return 40
	case sqltype.Decimal:
		return int32(t.Precision) + 2
	case sqltype.Float, sqltype.Double:
		return 25
	}
	return 0
}

// wholeDigits is the number of digits that a value of an integer type may have.
func wholeDigits(t sqltype.Type) int {
	return map[sqltype.Kind]int{sqltype.TinyInt: 3, sqltype.SmallInt: 5, sqltype.Int: 10, sqltype.BigInt: 19, sqltype.LargeInt: 39}[t.Kind]
}

// checkRetype allows the changes of types that lose nothing.
func checkRetype(from, to sqltype.Type) error {
	refused := sqlerr.Detail("Can not change %s to %s", typeText(from), typeText(to))
	text := func(t sqltype.Type) bool { return t.IsString() }
	ok := false
	switch {
	case text(from) && text(to):
		// CHAR is padded nowhere: its values are as they were written.
		if to.Kind == sqltype.Char && from.Kind != sqltype.Char {
			return refused
		}
		if to.Kind != sqltype.String && to.Length > 0 && (from.Kind == sqltype.String || from.Length == 0 || to.Length < from.Length) {
			return sqlerr.Detail("Shorten type length is prohibited, srcType=%s, dstType=%s", typeText(from), typeText(to))
		}
		ok = true
	case text(to):
		w := textWidth(from)
		ok = w > 0 && to.Kind != sqltype.Char && (to.Kind == sqltype.String || to.Length == 0 || to.Length >= w)
	case from.IsInteger() && to.IsInteger():
		ok = to.Kind > from.Kind
	case from.IsInteger() && to.Kind == sqltype.Decimal:
		ok = int(to.Precision)-int(to.Scale) >= wholeDigits(from)
	case from.IsInteger() && to.Kind == sqltype.Float:
		ok = from.Kind <= sqltype.SmallInt
	case from.IsInteger() && to.Kind == sqltype.Double:
		ok = from.Kind <= sqltype.Int
	case from.Kind == sqltype.Float:
		ok = to.Kind == sqltype.Double
	case from.Kind == sqltype.Decimal && to.Kind == sqltype.Decimal:
		ok = to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	case from.Kind == sqltype.Date:
		ok = to.Kind == sqltype.DateTime
	case from.Kind == sqltype.DateTime && to.Kind == sqltype.DateTime:
		ok = to.Scale >= from.Scale
	}
	if !ok {
		return refused
	}
	return nil
}

// isConversion reports the changes of types that not every value takes: text to numbers and dates, moments and numbers as
// 20240131 to dates, numbers to text that may be too short. A value that does not fit fails the change.
func isConversion(from, to sqltype.Type) bool {
	switch {
	case from.Kind == sqltype.Char || from.Kind == sqltype.Varchar:
		return to.IsNumeric() || to.Kind == sqltype.Date
	case from.Kind == sqltype.Int || from.Kind == sqltype.DateTime:
		if to.Kind == sqltype.Date {
			return true
		}
	}
	w := textWidth(from)
	return w > 0 && to.Kind == sqltype.Varchar && to.Length > 0 && to.Length < w
}

// readsAs reports whether files with a column as it was can be read as it is: it has the same type, or had it.
func readsAs(was, is catalog.Column) bool {
	return is.Type.Equal(was.Type) || slices.Contains(is.Former, was.Type)
}

// alteredColumns reads the definition of a column in ALTER TABLE t.
func alteredColumns(t *catalog.Table, d *ast.ColumnDef) ([]catalog.Column, error) {
	for what, bad := range map[string]bool{"AUTO_INCREMENT": d.AutoIncrement, "GENERATED ALWAYS AS": d.Generated != nil, "ON UPDATE": d.OnUpdate != nil} {
		if bad {
			return nil, sqlerr.Unsupported(what).At(d.Position())
		}
	}
	return tableColumns([]ast.ColumnDef{*d}, t.Hive)
}

func isOpaque(c *catalog.Column) bool { return c.Type.IsOpaque() }

// checkDefault evaluates the default of a new column, which must fit its type: old rows have it. One that is no literal
// is kept as of now.
func (x *execution) checkDefault(c *catalog.Column) error {
	if c.Default == nil || strings.EqualFold(*c.Default, "NULL") {
		if c.Default != nil && !c.Nullable {
			return sqlerr.New(sqlerr.InvalidDefault, "Invalid default value for '%s'", c.Name)
		}
		return nil
	}
	q, err := x.parseView("SELECT " + *c.Default)
	if err != nil {
		return sqlerr.New(sqlerr.InvalidDefault, "Invalid default value for '%s'", c.Name)
	}
	bound, err := bind.Query(q, x.env())
	if err != nil {
		return sqlerr.New(sqlerr.InvalidDefault, "Invalid default value for '%s': %s", c.Name, sqlerr.From(err).Message)
	}
	p, ok := bound.Plan.(*logical.Project)
	if !ok || len(p.Exprs) != 1 {
		return sqlerr.New(sqlerr.InvalidDefault, "Invalid default value for '%s'", c.Name)
	}
	e, err := expr.CastWith(p.Exprs[0], c.Type, function.Cast)
	if err == nil {
		e, err = expr.Fold(e, x.env().Functions)
	}
	lit, ok := e.(*expr.Literal)
	if err != nil || !ok || lit.Value.Null {
		return sqlerr.New(sqlerr.InvalidDefault, "Invalid default value for '%s'", c.Name)
	}
	if isOpaque(c) {
		return nil
	}
	if now := constantDefault(c); now.Null {
		text := quoteText(lit.Value.Text())
		c.Initial = &text
	}
	return nil
}

// changeHive is Hive's CHANGE COLUMN: another name, type and place.
func (c *columnChange) changeHive() error {
	d := c.act.Columns[0]
	col, err := c.find(c.act.Name)
	if err != nil {
		return err
	}
	if err := c.isFixed(col, "modify"); err != nil {
		return err
	}
	cols, err := alteredColumns(c.t, &d)
	if err != nil {
		return err
	}
	if err := c.renameTo(col, d.Name); err != nil {
		return err
	}
	if !c.t.Hive && (!cols[0].Nullable && col.Nullable) {
		return sqlerr.Detail("Can not change from nullable to non-nullable")
	}
	if err := c.retype(col, cols[0].Type); err != nil {
		return err
	}
	if cols[0].Comment != "" {
		col.Comment = cols[0].Comment
	}
	c.copyToIndexes(col)
	return c.move(col.ID)
}

// replaceAll is Hive's REPLACE COLUMNS: all columns but those of partitions. One that is there keeps its values.
func (c *columnChange) replaceAll() error {
	t := c.t
	var out []catalog.Column
	kept := map[int32]bool{}
	for i := range c.act.Columns {
		d := &c.act.Columns[i]
		cols, err := alteredColumns(c.t, d)
		if err != nil {
			return err
		}
		next := cols[0]
		if slices.ContainsFunc(out, func(o catalog.Column) bool { return strings.EqualFold(o.Name, next.Name) }) {
			return sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", next.Name).At(d.Position())
		}
		old := t.ColumnNamed(next.Name)
		switch {
		case old != nil && isPathColumn(t, slices.IndexFunc(t.Columns, func(o catalog.Column) bool { return o.ID == old.ID })):
			return sqlerr.New(sqlerr.DuplicateColumn, "Duplicate column name '%s'", next.Name).At(d.Position())
		case old == nil:
			out = append(out, t.NewColumn(next))
			t.Columns = append(t.Columns, out[len(out)-1]) // so that the next one is another
		default:
			if err := c.retype(old, next.Type); err != nil {
				return err
			}
			old.Comment = next.Comment
			kept[old.ID] = true
			out = append(out, *old)
		}
	}
	for _, o := range slices.Clone(t.Columns) {
		at := slices.IndexFunc(t.Columns, func(x catalog.Column) bool { return x.ID == o.ID })
		switch {
		case isPathColumn(t, at):
			out = append(out, o)
		case !kept[o.ID] && !slices.ContainsFunc(out, func(x catalog.Column) bool { return x.ID == o.ID }):
			if err := c.isFixed(&o, "drop"); err != nil {
				return err
			}
			t.RemoveColumn(o.ID)
		}
	}
	t.Columns = out
	return nil
}
