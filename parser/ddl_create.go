package parser

import "github.com/basaltdb/basalt/parser/ast"

// create reads CREATE TABLE, VIEW and DATABASE; everything else is administrative.
func (p *parser) create() ast.Statement {
	start := p.i
	pos := p.pos()
	p.next()
	orReplace := p.accept("OR", "REPLACE")
	n := &ast.CreateTable{Pos: pos}
	for {
		switch {
		case p.peek().is("TEMPORARY") && !p.at(1).is("FUNCTION") && !p.at(1).is("MACRO"):
			n.Temporary = true
		case p.peek().is("EXTERNAL") && p.at(1).is("TABLE"):
			n.External = true
		case p.peek().is("TRANSACTIONAL"), p.peek().is("MANAGED"):
			p.refuse("CREATE " + p.peek().val + " TABLE")
		case p.accept("TABLE"):
			if orReplace {
				p.refuse("CREATE OR REPLACE TABLE")
			}
			return p.createTable(n)
		case p.peek().is("MATERIALIZED") && p.at(1).is("VIEW") && p.i == start+1:
			p.i = start
			return p.materializedView()
		case p.accept("VIEW"):
			return p.view(&ast.CreateView{Pos: pos, OrReplace: orReplace})
		case (p.peek().is("DATABASE") || p.peek().is("SCHEMA")) && !orReplace:
			p.next()
			return p.createDatabase(pos)
		default:
			p.i = start
			if orReplace && p.at(3).is("ROLE") {
				p.fail("")
			}
			return p.admin()
		}
		p.next()
	}
}

func (p *parser) createDatabase(pos ast.Pos) ast.Statement {
	n := &ast.CreateDatabase{Pos: pos}
	n.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	n.Name = p.databaseName()
	for !p.atEnd() {
		switch {
		case p.accept("COMMENT"):
			n.Comment = p.str()
		case p.accept("LOCATION"), p.accept("MANAGEDLOCATION"):
			n.Location = p.str()
		case p.peek().is("PROPERTIES"):
			n.Properties = p.optionalProperties()
		case p.accept("WITH", "DBPROPERTIES"):
			n.Properties = p.propertyList()
		case p.acceptCharset():
		default:
			p.fail("")
		}
	}
	return n
}

// databaseName reads [catalog.]database; the database is the name's last part.
func (p *parser) databaseName() ast.Name {
	n := p.name()
	if n.Catalog != "" {
		p.i--
		p.fail("a database name has at most two parts")
	}
	n.Catalog, n.Database = n.Database, ""
	return n
}

// acceptCharset passes [DEFAULT] {CHARACTER SET|CHARSET|COLLATE|ENCRYPTION} [=] x.
func (p *parser) acceptCharset() bool {
	start := p.i
	p.accept("DEFAULT")
	if p.accept("CHARACTER", "SET") || p.accept("CHARSET") || p.accept("COLLATE") || p.accept("ENCRYPTION") {
		p.acceptOp("=")
		p.identOrString()
		return true
	}
	p.i = start
	return false
}

// view reads what follows CREATE VIEW and ALTER VIEW.
func (p *parser) view(n *ast.CreateView) ast.Statement {
	n.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	n.Name = p.name()
	if p.acceptOp("(") {
		for {
			c := ast.ColumnDef{Pos: p.pos(), Name: p.ident()}
			if p.accept("COMMENT") {
				c.Comment = p.str()
			}
			n.Columns = append(n.Columns, c)
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	}
	if p.accept("COMMENT") {
		n.Comment = p.str()
	}
	if p.accept("TBLPROPERTIES") {
		p.propertyList()
	}
	p.expect("AS")
	from := p.i
	n.Query = p.query()
	n.Text = p.textOf(from, p.i)
	return n
}

// createTable reads what follows CREATE TABLE.
func (p *parser) createTable(n *ast.CreateTable) ast.Statement {
	n.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	n.Name = p.name()
	switch {
	case p.peek().is("LIKE"):
		p.tableLike(n)
	case p.peek().isOp("(") && p.at(1).is("LIKE"):
		p.next()
		p.tableLike(n)
		p.expectOp(")")
	case p.peek().isOp("(") && !p.queryAt(p.i+1):
		if p.at(1).isName() && (p.at(2).isOp(",") || p.at(2).isOp(")")) {
			n.ColumnNames = p.identList()
		} else {
			p.tableElements(n)
		}
	}
	for !p.atEnd() {
		if !p.tableOption(n) && !p.hiveOption(n) {
			break
		}
	}
	if p.isWords("WITH", "LABEL") && !p.at(2).is("AS") { // of the load that AS makes
		p.skip(2)
		n.LabelDatabase, n.Label = p.label()
	}
	if p.accept("AS") || p.peek().is("SELECT") || p.peek().is("WITH") || p.peek().isOp("(") {
		n.Query = p.query()
	}
	return n
}

func (p *parser) tableLike(n *ast.CreateTable) {
	p.next()
	name := p.name()
	n.Like = &name
	if p.accept("WITH", "ROLLUP") {
		n.LikeRollup = []string{"*"}
		if p.peek().isOp("(") {
			n.LikeRollup = p.identList()
		}
	}
}

// tableElements reads ( column, …, INDEX …, key … ).
func (p *parser) tableElements(n *ast.CreateTable) {
	open := p.i
	p.expectOp("(")
	for {
		switch t := p.peek(); {
		case t.is("INDEX") && (p.at(1).isName() || p.at(1).is("IF")), t.is("KEY") && p.at(2).isOp("("):
			n.Indexes = append(n.Indexes, p.index())
		case t.is("PRIMARY") && p.at(1).is("KEY"), t.is("CONSTRAINT"), t.is("FOREIGN") && p.at(1).is("KEY"), t.is("CHECK") && p.at(1).isOp("("),
			t.is("UNIQUE") && (p.at(1).isOp("(") || p.at(1).is("KEY") || p.at(1).is("INDEX")):
			p.constraint(n)
		default:
			n.Columns = append(n.Columns, p.columnDef())
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	if len(n.Columns) == 0 {
		p.failAt(open, "a table has at least one column")
	}
}

func (p *parser) index() ast.IndexDef {
	x := ast.IndexDef{Pos: p.pos()}
	p.next()
	p.accept("IF", "NOT", "EXISTS")
	x.Name = p.ident()
	x.Columns = p.identList()
	for {
		switch {
		case p.accept("USING"):
			x.Using = upperWord(p.ident())
		case p.accept("COMMENT"):
			x.Comment = p.str()
		case p.peek().is("PROPERTIES"):
			x.Properties = p.optionalProperties()
		default:
			return x
		}
	}
}

// constraint reads a key of MySQL or Hive. A primary key is kept, so that its refusal
// or its use can name it; Hive's other constraints are advice that is never enforced.
func (p *parser) constraint(n *ast.CreateTable) {
	if p.accept("CONSTRAINT") && !p.peek().is("PRIMARY") && !p.peek().is("UNIQUE") && !p.peek().is("FOREIGN") && !p.peek().is("CHECK") {
		p.ident()
	}
	switch {
	case p.accept("PRIMARY", "KEY"):
		n.KeysType, n.Keys = "PRIMARY", p.identList()
	case p.accept("UNIQUE"):
		_ = p.accept("KEY") || p.accept("INDEX")
		if p.peek().isName() {
			p.ident()
		}
		p.identList()
	case p.accept("FOREIGN", "KEY"):
		p.identList()
		p.expect("REFERENCES")
		p.name()
		p.identList()
	case p.accept("CHECK"):
		p.expectOp("(")
		p.expression()
		p.expectOp(")")
	default:
		p.fail("")
	}
	p.constraintState()
}

func (p *parser) constraintState() {
	for p.accept("ENABLE") || p.accept("DISABLE") || p.accept("NOVALIDATE") || p.accept("VALIDATE") || p.accept("RELY") || p.accept("NORELY") ||
		p.accept("ENFORCED") || p.accept("NOT", "ENFORCED") {
	}
}

// aggregateTypes are the words that may follow the type of a value column.
var aggregateTypes = words("SUM", "MIN", "MAX", "REPLACE", "REPLACE_IF_NOT_NULL", "HLL_UNION", "BITMAP_UNION", "QUANTILE_UNION", "GENERIC", "NONE")

// columnDef reads name type attributes; the attributes may stand in any order.
func (p *parser) columnDef() ast.ColumnDef {
	c := ast.ColumnDef{Pos: p.pos(), Name: p.ident()}
	c.Type = p.typeName()
	for p.columnAttribute(&c) {
	}
	return c
}

func (p *parser) columnAttribute(c *ast.ColumnDef) bool {
	t := p.peek()
	switch {
	case t.is("KEY"):
		p.next()
		c.Key = true
	case p.accept("PRIMARY", "KEY"):
		c.Key = true
		p.constraintState()
	case p.accept("UNIQUE"):
		p.accept("KEY")
		p.constraintState()
	case t.kind == tokWord && aggregateTypes.has(t.val):
		p.next()
		c.AggType = t.val
	case p.accept("NOT", "NULL"):
		c.NotNull = true
		p.constraintState()
	case t.is("NULL"):
		p.next()
		c.Null = true
	case t.is("AUTO_INCREMENT"):
		p.next()
		c.AutoIncrement = true
		if p.acceptOp("(") {
			p.integer()
			p.expectOp(")")
		}
	case t.is("DEFAULT"):
		p.next()
		c.Default = p.expression()
		p.constraintState()
	case p.accept("ON", "UPDATE"):
		c.OnUpdate = p.expression()
	case t.is("GENERATED"), t.is("AS") && p.at(1).isOp("("):
		p.accept("GENERATED", "ALWAYS")
		p.expect("AS")
		p.expectOp("(")
		c.Generated = p.expression()
		p.expectOp(")")
		_ = p.accept("STORED") || p.accept("VIRTUAL")
	case t.is("COMMENT") && p.at(1).kind == tokString:
		p.next()
		c.Comment = p.str()
	case t.is("CHECK") && p.at(1).isOp("("):
		p.skip(2)
		p.expression()
		p.expectOp(")")
		p.constraintState()
	case t.is("COLLATE"):
		p.next()
		p.identOrString()
	default:
		return false
	}
	return true
}

// tableOption reads one clause of Doris or MySQL after the columns.
func (p *parser) tableOption(n *ast.CreateTable) bool {
	t := p.peek()
	switch {
	case t.is("ENGINE"):
		p.next()
		p.acceptOp("=")
		n.Engine = upperWord(p.identOrString())
	case (t.is("DUPLICATE") || t.is("UNIQUE") || t.is("AGGREGATE") || t.is("PRIMARY")) && p.at(1).is("KEY"):
		p.skip(2)
		n.KeysType, n.Keys = t.val, p.identList()
		if p.accept("CLUSTER", "BY") {
			n.ClusterKeys = p.identList()
		}
	case p.accept("ORDER", "BY"):
		n.ClusterKeys = p.identList()
	case t.is("COMMENT"):
		p.next()
		p.acceptOp("=")
		n.Comment = p.str()
	case t.is("PARTITION") && p.at(1).is("BY"), t.is("AUTO") && p.at(1).is("PARTITION"):
		n.Partition = p.partitionBy()
	case t.is("DISTRIBUTED") && p.at(1).is("BY"):
		n.Distributed = p.distribution()
	case t.is("ROLLUP") && p.at(1).isOp("("):
		p.next()
		p.expectOp("(")
		for {
			n.Rollups = append(n.Rollups, p.rollup())
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
	case t.is("PROPERTIES"):
		n.Properties = append(n.Properties, p.optionalProperties()...)
	case t.is("AUTO_INCREMENT") && p.at(1).isOp("="):
		p.skip(2)
		p.integer()
	case t.is("ROW_FORMAT") && p.at(1).isOp("="):
		p.skip(2)
		p.ident()
	default:
		return p.acceptCharset()
	}
	return true
}

// rollup reads r (cols) [DUPLICATE KEY (…)] [FROM r0] [PROPERTIES (…)].
func (p *parser) rollup() ast.RollupDef {
	r := ast.RollupDef{Pos: p.pos(), Name: p.ident()}
	r.Columns = p.identList()
	if p.accept("DUPLICATE", "KEY") {
		r.DupKeys = p.identList()
	}
	if p.accept("FROM") {
		r.From = p.ident()
	}
	r.Properties = p.optionalProperties()
	return r
}

// distribution reads DISTRIBUTED BY {HASH(cols)|RANDOM} [BUCKETS {n|AUTO}].
func (p *parser) distribution() *ast.Distribution {
	d := &ast.Distribution{Pos: p.pos()}
	p.skip(2)
	if !p.accept("RANDOM") {
		p.expect("HASH")
		d.Hash = p.identList()
	}
	if p.accept("BUCKETS") {
		if p.accept("AUTO") {
			d.Buckets = -1
		} else if d.Buckets = p.integer(); d.Buckets == 0 {
			p.i--
			p.fail("the number of buckets must be above zero")
		}
	}
	return d
}

// partitionBy reads [AUTO] PARTITION BY {RANGE|LIST} (…) (…).
func (p *parser) partitionBy() *ast.PartitionBy {
	n := &ast.PartitionBy{Pos: p.pos()}
	n.Auto = p.accept("AUTO")
	p.expect("PARTITION", "BY")
	t := p.peek()
	if t.is("RANGE") || t.is("LIST") {
		p.next()
		n.Kind = t.val
		p.accept("COLUMNS")
	} else if !t.isOp("(") {
		p.refuse("PARTITION BY " + t.val)
	}
	p.expectOp("(")
	for {
		n.Exprs = append(n.Exprs, p.expression())
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	if !p.peek().isOp("(") || p.at(1).is("SELECT") || p.at(1).is("WITH") {
		return n
	}
	p.next()
	for !p.acceptOp(")") {
		if len(n.Partitions) > 0 {
			p.expectOp(",")
		}
		n.Partitions = append(n.Partitions, p.partitionDef())
	}
	return n
}

// partitionDef reads one partition of CREATE TABLE or ADD PARTITION.
func (p *parser) partitionDef() ast.PartitionDef {
	d := ast.PartitionDef{Pos: p.pos()}
	if p.accept("FROM") {
		p.partitionSteps(&d)
		return d
	}
	_ = p.accept("PARTITION") || p.accept("PARTITIONS")
	d.IfNotExists = p.accept("IF", "NOT", "EXISTS")
	if p.accept("FROM") {
		p.partitionSteps(&d)
		return d
	}
	d.Name = p.ident()
	if p.accept("VALUES") {
		switch {
		case p.accept("LESS", "THAN"):
			d.LessThan = p.bound()
		case p.acceptOp("["):
			d.Lower = p.bound()
			p.expectOp(",")
			d.Upper = p.bound()
			p.expectOp(")")
		case p.accept("IN"):
			p.partitionValues(&d)
		default:
			p.fail("")
		}
	}
	if p.peek().isOp("(") && p.propertyAt(p.i+1) {
		d.Properties = p.propertyList()
	}
	return d
}

// partitionSteps reads (lo) TO (hi) INTERVAL n unit.
func (p *parser) partitionSteps(d *ast.PartitionDef) {
	d.From = p.bound()
	p.expect("TO")
	d.To = p.bound()
	if !p.peek().is("INTERVAL") {
		p.fail("INTERVAL expected")
	}
	p.next()
	d.Interval = p.expression()
	if p.peek().kind == tokWord && units.has(p.peek().val) {
		d.Unit = p.unit()
	}
}

// bound reads (v, …) or MAXVALUE.
func (p *parser) bound() []ast.Expr {
	if p.peek().is("MAXVALUE") {
		pos := p.pos()
		p.next()
		return []ast.Expr{&ast.MaxValue{Pos: pos}}
	}
	p.expectOp("(")
	var list []ast.Expr
	for {
		list = append(list, p.expression())
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return list
}

// partitionValues reads IN (("a", 1), ("b", 2)) or IN ("a", "b").
func (p *parser) partitionValues(d *ast.PartitionDef) {
	p.expectOp("(")
	for {
		if p.peek().isOp("(") {
			d.In = append(d.In, p.bound())
		} else {
			d.In = append(d.In, []ast.Expr{p.expression()})
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
}

// drop reads DROP TABLE, VIEW and DATABASE, and DROP PREPARE.
func (p *parser) drop() ast.Statement {
	n := &ast.Drop{Pos: p.pos()}
	i := 1
	if p.at(1).is("TEMPORARY") && p.at(2).is("TABLE") {
		i = 2
	}
	switch t := p.at(i); {
	case t.is("PREPARE"):
		return p.deallocate()
	case t.is("STATS") && p.at(2).isName():
		return p.dropStats()
	case t.is("MATERIALIZED") && p.at(2).is("VIEW"):
		return p.dropMaterializedView()
	case t.is("TABLE"), t.is("TABLES"):
	case t.is("VIEW"):
		n.Kind = ast.ViewObject
	case t.is("DATABASE"), t.is("SCHEMA"):
		n.Kind = ast.DatabaseObject
	default:
		return p.admin()
	}
	p.skip(i + 1)
	n.IfExists = p.accept("IF", "EXISTS")
	for {
		if n.Kind == ast.DatabaseObject {
			n.Names = append(n.Names, p.databaseName())
		} else {
			n.Names = append(n.Names, p.name())
		}
		if n.Kind == ast.DatabaseObject || !p.acceptOp(",") {
			break
		}
	}
	switch {
	case p.accept("FORCE"), p.accept("PURGE"), p.accept("CASCADE"):
		n.Force = true
	case p.accept("RESTRICT"):
	}
	return n
}

func (p *parser) truncate() ast.Statement {
	n := &ast.Truncate{Pos: p.pos()}
	p.next()
	p.accept("TABLE")
	n.Name = p.name()
	if p.peek().is("PARTITION") && p.at(1).isOp("(") && p.at(3).isOp("=") { // Hive: PARTITION (dt = '…')
		p.next()
		n.Specs = p.partitionSpec()
	} else {
		p.partitionNames(&n.Partitions)
	}
	n.Force = p.accept("FORCE")
	return n
}
