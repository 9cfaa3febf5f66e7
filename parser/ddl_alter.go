package parser

import (
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// alter reads ALTER TABLE and ALTER VIEW … AS; everything else is administrative.
func (p *parser) alter() ast.Statement {
	start := p.i
	pos := p.pos()
	switch {
	case p.accept("ALTER", "VIEW"):
		p.name()
		isQuery := p.peek().is("AS") || p.peek().isOp("(") || p.peek().is("COMMENT")
		p.i = start + 2
		if isQuery {
			return p.view(&ast.CreateView{Pos: pos, Alter: true})
		}
		p.i = start
		return p.admin()
	case p.accept("ALTER", "TABLE"):
	default:
		return p.admin()
	}
	n := &ast.AlterTable{Pos: pos, Name: p.name()}
	for {
		from := p.i
		a := ast.AlterAction{Pos: p.pos()}
		p.alterAction(&a)
		a.Rest = p.textOf(from, p.i)
		n.Actions = append(n.Actions, a)
		if !p.acceptOp(",") {
			return n
		}
	}
}

// alterAction reads one clause of ALTER TABLE.
func (p *parser) alterAction(a *ast.AlterAction) {
	if p.peek().is("PARTITION") && p.at(1).isOp("(") { // Hive: PARTITION (spec) clause
		p.next()
		a.Specs = append(a.Specs, p.partitionSpec())
		if p.accept("RENAME", "TO", "PARTITION") {
			a.Kind = "RENAME PARTITION"
			a.Specs = append(a.Specs, p.partitionSpec())
			return
		}
	}
	t := p.peek()
	switch {
	case t.is("ADD"):
		p.alterAdd(a)
	case t.is("DROP"):
		p.alterDrop(a)
	case t.is("MODIFY"):
		p.alterModify(a)
	case t.is("CHANGE"):
		p.next()
		p.accept("COLUMN")
		a.Kind = "CHANGE COLUMN"
		a.Name = p.ident()
		a.Columns = []ast.ColumnDef{p.columnDef()}
		a.NewName = a.Columns[0].Name
		p.alterPlace(a)
	case t.is("RENAME"):
		p.alterRename(a)
	case t.is("SET"):
		p.alterSet(a)
	case t.is("REPLACE") && p.at(1).is("COLUMNS"):
		p.skip(2)
		a.Kind = "REPLACE COLUMNS"
		a.Columns = p.columnList()
		_ = p.accept("CASCADE") || p.accept("RESTRICT")
	case t.is("REPLACE") && p.at(1).is("WITH"):
		p.next()
		p.expect("WITH", "TABLE")
		a.Kind = "REPLACE WITH TABLE"
		a.Name = p.ident()
		a.Properties = p.optionalProperties()
	case t.is("REPLACE") && p.at(1).is("PARTITION"):
		p.replacePartition(a)
	case t.is("ORDER") && p.at(1).is("BY") && p.at(2).isOp("("):
		p.skip(2)
		a.Kind = "ORDER BY"
		a.Order = p.identList()
		p.alterPlace(a)
	case t.is("CONCATENATE"):
		p.next()
		a.Kind = t.val
	default:
		p.alterOther(a)
	}
}

// renameTable reads MySQL's RENAME TABLE a TO b [, …].
func (p *parser) renameTable() ast.Statement {
	n := &ast.RenameTable{Pos: p.pos()}
	p.skip(2)
	for {
		n.From = append(n.From, p.name())
		p.expect("TO")
		n.To = append(n.To, p.name())
		if !p.acceptOp(",") {
			return n
		}
	}
}

// alterPlace reads [FIRST|AFTER c] [TO r|FROM r] [CASCADE|RESTRICT] [PROPERTIES].
func (p *parser) alterPlace(a *ast.AlterAction) {
	for {
		switch {
		case p.accept("FIRST"):
			a.First = true
		case p.accept("AFTER"):
			a.After = p.ident()
		case p.accept("TO"), p.accept("FROM"), p.accept("IN"):
			a.Rollup = p.ident()
		case p.accept("CASCADE"), p.accept("RESTRICT"):
		case p.peek().is("PROPERTIES"):
			a.Properties = p.optionalProperties()
		default:
			return
		}
	}
}

func (p *parser) columnList() []ast.ColumnDef {
	p.expectOp("(")
	var list []ast.ColumnDef
	for {
		list = append(list, p.columnDef())
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	return list
}

func (p *parser) alterAdd(a *ast.AlterAction) {
	after := p.at(1)
	switch {
	case after.is("PARTITION"), after.is("PARTITIONS"), after.is("TEMPORARY") && p.at(2).is("PARTITION"), after.is("IF") && p.at(4).is("PARTITION"):
		p.next()
		p.addPartition(a)
	case after.is("ROLLUP"):
		p.skip(2)
		a.Kind = "ADD ROLLUP"
		for {
			a.Rollups = append(a.Rollups, p.rollup())
			if !p.peek().isOp(",") || !p.at(1).isName() || !p.at(2).isOp("(") {
				return
			}
			p.next()
		}
	case after.is("INDEX"), after.is("CONSTRAINT"), after.is("PRIMARY"), after.is("UNIQUE"), after.is("FOREIGN"):
		p.alterOther(a)
	case after.is("COLUMNS") && p.at(2).isOp("("):
		p.skip(2)
		a.Kind = "ADD COLUMNS"
		a.Columns = p.columnList()
		p.alterPlace(a)
	default:
		p.next()
		p.accept("COLUMN")
		a.Kind = "ADD COLUMN"
		if p.peek().isOp("(") {
			a.Columns = p.columnList()
		} else {
			a.IfExists = p.accept("IF", "NOT", "EXISTS")
			a.Columns = []ast.ColumnDef{p.columnDef()}
		}
		p.alterPlace(a)
	}
}

// addPartition reads Doris's ADD PARTITION p VALUES …, and Hive's list of specs with locations.
func (p *parser) addPartition(a *ast.AlterAction) {
	a.Kind = "ADD PARTITION"
	if p.accept("TEMPORARY") {
		a.Kind = "ADD TEMPORARY PARTITION"
	}
	start := p.i
	ifNotExists := p.accept("IF", "NOT", "EXISTS")
	_ = p.accept("PARTITION") || p.accept("PARTITIONS")
	ifNotExists = p.accept("IF", "NOT", "EXISTS") || ifNotExists
	if !p.peek().isOp("(") {
		p.i = start
		d := p.partitionDef()
		a.Partition = &d
		a.Name, a.IfExists = d.Name, d.IfNotExists || ifNotExists
		if p.peek().is("DISTRIBUTED") {
			a.Distribution = p.distribution()
		}
		a.Properties = p.optionalProperties()
		return
	}
	a.IfExists = ifNotExists
	for {
		a.Specs = append(a.Specs, p.partitionSpec())
		location := ""
		if p.accept("LOCATION") {
			location = p.str()
		}
		a.Locations = append(a.Locations, location)
		p.acceptOp(",")
		if !p.peek().is("PARTITION") {
			return
		}
		p.next()
	}
}

func (p *parser) alterDrop(a *ast.AlterAction) {
	i := p.i + 1
	temporary := p.toks[i].is("TEMPORARY")
	if temporary {
		i++
	}
	if p.toks[i].is("IF") {
		i += 2
	}
	if i >= len(p.toks) {
		p.fail("")
	}
	switch t := &p.toks[i]; {
	case t.is("PARTITION"), t.is("PARTITIONS"):
		p.i = i + 1
		a.Kind = "DROP PARTITION"
		if temporary {
			a.Kind = "DROP TEMPORARY PARTITION"
		}
		p.dropPartition(a, p.toks[i-1].is("EXISTS"))
	case t.is("ROLLUP"):
		p.i = i + 1
		a.Kind = "DROP ROLLUP"
		for {
			a.Rollups = append(a.Rollups, ast.RollupDef{Pos: p.pos(), Name: p.ident()})
			if !p.peek().isOp(",") || !p.at(1).isName() || p.at(1).is("DROP") || p.at(1).is("ADD") {
				return
			}
			p.next()
		}
	case t.is("INDEX"), t.is("CONSTRAINT"), t.is("PRIMARY"), t.is("FOREIGN"):
		p.alterOther(a)
	default:
		p.next()
		p.accept("COLUMN")
		a.IfExists = p.accept("IF", "EXISTS")
		a.Kind = "DROP COLUMN"
		a.Name = p.ident()
		p.alterPlace(a)
	}
}

func (p *parser) dropPartition(a *ast.AlterAction, ifExists bool) {
	a.IfExists = p.accept("IF", "EXISTS") || ifExists
	if p.peek().isOp("(") && p.at(1).isName() && (p.at(2).isOp(",") || p.at(2).isOp(")")) {
		names := p.identList()
		a.Name = strings.Join(names, ",")
	} else if p.peek().isOp("(") {
		for {
			a.Specs = append(a.Specs, p.partitionSpec())
			if !p.peek().isOp(",") || !p.at(1).is("PARTITION") {
				break
			}
			p.skip(2)
		}
	} else {
		a.Name = p.ident()
	}
	for {
		if p.accept("FORCE") || p.accept("PURGE") {
			a.Force = true
		} else if !p.accept("IGNORE", "PROTECTION") && !p.accept("CASCADE") {
			break
		}
	}
	if p.accept("FROM", "INDEX") {
		p.ident()
	}
}

func (p *parser) alterModify(a *ast.AlterAction) {
	after := p.at(1)
	switch {
	case after.is("PARTITION"):
		p.modifyPartition(a)
	case after.is("DISTRIBUTION"):
		p.skip(2)
		a.Kind = "MODIFY DISTRIBUTION"
		if !p.peek().is("DISTRIBUTED") {
			p.fail("DISTRIBUTED BY expected")
		}
		a.Distribution = p.distribution()
	case after.is("ENGINE"):
		p.alterOther(a)
	case after.is("COMMENT") && p.at(2).kind == tokString:
		p.skip(2)
		a.Kind = "MODIFY COMMENT"
		a.NewName = p.str()
	default:
		p.next()
		p.accept("COLUMN")
		if p.at(1).is("COMMENT") && p.at(2).kind == tokString {
			a.Kind = "MODIFY COLUMN COMMENT"
			a.Name = p.ident()
			p.next()
			a.NewName = p.str()
			return
		}
		if p.at(1).is("SET") && p.at(2).is("STATS") {
			a.Kind = "MODIFY COLUMN SET STATS"
			a.Name = p.ident()
			p.skip(2)
			a.Properties = p.propertyList()
			return
		}
		a.Kind = "MODIFY COLUMN"
		a.Columns = []ast.ColumnDef{p.columnDef()}
		a.Name = a.Columns[0].Name
		p.alterPlace(a)
	}
}

func (p *parser) alterRename(a *ast.AlterAction) {
	p.next()
	a.Kind = "RENAME"
	if t := p.peek(); (t.is("COLUMN") || t.is("PARTITION") || t.is("ROLLUP")) && p.at(1).isName() {
		p.next()
		a.Kind = "RENAME " + t.val
		a.Name = p.ident()
	}
	_ = p.accept("TO") || p.accept("AS")
	a.NewName = strings.Join(p.dotted(), ".")
}

// alterSet reads SET (…), SET TBLPROPERTIES, SET LOCATION, SET FILEFORMAT and Hive's other SETs.
func (p *parser) alterSet(a *ast.AlterAction) {
	after := p.at(1)
	switch {
	case after.isOp("("):
		p.next()
		a.Kind = "SET"
		a.Properties = p.propertyList()
	case after.is("TBLPROPERTIES"), after.is("SERDEPROPERTIES"):
		p.skip(2)
		a.Kind = "SET " + after.val
		a.Properties = p.propertyList()
	case after.is("LOCATION") && p.at(2).kind == tokString:
		p.skip(2)
		a.Kind = "SET LOCATION"
		a.NewName = p.str()
	case after.is("FILEFORMAT") && p.at(2).isName():
		p.skip(2)
		a.Kind = "SET FILEFORMAT"
		if p.peek().is("INPUTFORMAT") {
			p.skipAction()
			return
		}
		a.NewName = upperWord(p.ident())
	default:
		p.alterOther(a)
	}
}

// alterKinds names the clauses that are kept as text.
var alterKinds = []string{
	"ADD INDEX", "ADD CONSTRAINT", "ADD PRIMARY KEY", "ADD UNIQUE", "ADD FOREIGN KEY", "DROP INDEX", "DROP CONSTRAINT", "DROP PRIMARY KEY", "DROP FOREIGN KEY",
	"MODIFY ENGINE", "ORDER BY", "ENABLE FEATURE", "ENABLE", "DISABLE",
	"EXCHANGE PARTITION", "ARCHIVE PARTITION", "UNARCHIVE PARTITION", "TOUCH", "COMPACT", "RECOVER PARTITIONS", "UPDATE COLUMNS", "UPDATE STATISTICS",
	"UNSET TBLPROPERTIES", "UNSET SERDEPROPERTIES", "CLUSTERED BY", "NOT CLUSTERED", "NOT SORTED", "NOT SKEWED", "NOT STORED AS DIRECTORIES", "SKEWED BY", "INTO", "PARTITION COLUMN",
	"SET SERDE", "SET SKEWED LOCATION", "SET OWNER", "SET STATS", "CONVERT TO", "CREATE BRANCH", "CREATE TAG", "DROP BRANCH", "DROP TAG", "EXECUTE", "MERGE", "ADD GENERATED", "ENGINE",
}

func (p *parser) alterOther(a *ast.AlterAction) {
	best := 0
	for _, kind := range alterKinds {
		ws := strings.Fields(kind)
		if len(ws) > best && p.isWords(ws...) {
			best, a.Kind = len(ws), kind
		}
	}
	if best == 0 {
		p.fail("")
	}
	p.skipAction()
}

// skipAction passes tokens up to the comma before the next action.
func (p *parser) skipAction() {
	for !p.atEnd() && !p.peek().isOp(",") {
		if p.peek().isOp("(") {
			p.i = p.closing(p.i)
		}
		p.next()
	}
}
