package parser

import "github.com/basaltdb/basalt/parser/ast"

// hiveOption reads one clause of Hive after the columns.
func (p *parser) hiveOption(n *ast.CreateTable) bool {
	t := p.peek()
	h := func() *ast.HiveTable {
		if n.Hive == nil {
			n.Hive = &ast.HiveTable{Pos: ast.Pos(t.start)}
		}
		return n.Hive
	}
	switch {
	case p.accept("PARTITIONED", "BY"):
		p.hivePartitions(h())
	case p.accept("CLUSTERED", "BY"):
		h().ClusteredBy = p.identList()
		if p.accept("SORTED", "BY") {
			p.expectOp("(")
			h().SortedBy = p.orderList()
			p.expectOp(")")
		}
		p.expect("INTO")
		h().Buckets = p.integer()
		p.expect("BUCKETS")
	case p.accept("SKEWED", "BY"):
		p.skewed(h())
	case p.accept("ROW", "FORMAT"):
		h().RowFormat = p.rowFormat()
	case p.accept("STORED", "AS"):
		p.storedAs(h())
	case p.accept("STORED", "BY"):
		h().StoredBy = p.storageHandler()
		if p.accept("WITH", "SERDEPROPERTIES") {
			h().WithSerdeProps = p.hiveProperties()
		}
	case p.accept("WITH", "SERDEPROPERTIES"):
		h().WithSerdeProps = p.hiveProperties()
	case t.is("LOCATION") && p.at(1).kind == tokString:
		p.next()
		h().Location = p.filled()
	case t.is("TBLPROPERTIES"):
		p.next()
		h().TblProperties = append(h().TblProperties, p.hiveProperties()...)
	default:
		return false
	}
	return true
}

// storageHandler reads the class of STORED BY, or a name as of Hive 4: ICEBERG.
func (p *parser) storageHandler() string {
	if p.peek().kind == tokString {
		return p.filled()
	}
	return p.ident()
}

// hiveProperties reads a list that, unlike that of PROPERTIES, is not empty.
func (p *parser) hiveProperties() []ast.Property {
	if p.at(1).isOp(")") {
		p.next()
		p.fail("a property expected")
	}
	return p.propertyList()
}

// hivePartitions reads PARTITIONED BY (p type, …), or names alone before AS SELECT.
func (p *parser) hivePartitions(h *ast.HiveTable) {
	p.expectOp("(")
	for {
		if p.at(1).isOp(",") || p.at(1).isOp(")") {
			h.PartitionedBy = append(h.PartitionedBy, ast.ColumnDef{Pos: p.pos(), Name: p.ident()})
		} else {
			h.PartitionedBy = append(h.PartitionedBy, p.columnDef())
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
}

func (p *parser) skewed(h *ast.HiveTable) {
	h.SkewedBy = p.identList()
	p.expect("ON")
	p.expectOp("(")
	for {
		if p.peek().isOp("(") {
			h.SkewedOn = append(h.SkewedOn, p.bound())
		} else {
			h.SkewedOn = append(h.SkewedOn, []ast.Expr{p.expression()})
		}
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	h.StoredAsDirs = p.accept("STORED", "AS", "DIRECTORIES")
}

func (p *parser) storedAs(h *ast.HiveTable) {
	if p.accept("DIRECTORIES") {
		h.StoredAsDirs = true
		return
	}
	if p.accept("INPUTFORMAT") {
		h.InputFormat = p.filled()
		p.expect("OUTPUTFORMAT")
		h.OutputFormat = p.filled()
		return
	}
	h.StoredAs = upperWord(p.ident())
}

// rowFormat reads DELIMITED with its parts, or SERDE '…' [WITH SERDEPROPERTIES (…)].
func (p *parser) rowFormat() *ast.RowFormat {
	r := &ast.RowFormat{Pos: p.pos()}
	if p.accept("SERDE") {
		r.Serde = p.filled()
		if p.accept("WITH", "SERDEPROPERTIES") {
			r.Properties = p.hiveProperties()
		}
		return r
	}
	p.expect("DELIMITED")
	text := func() *string {
		s := p.str()
		return &s
	}
	for {
		switch {
		case p.accept("FIELDS", "TERMINATED", "BY"):
			r.Fields = text()
			if p.accept("ESCAPED", "BY") {
				r.Escape = text()
			}
		case p.accept("ESCAPED", "BY"):
			r.Escape = text()
		case p.accept("COLLECTION", "ITEMS", "TERMINATED", "BY"):
			r.Collection = text()
		case p.accept("MAP", "KEYS", "TERMINATED", "BY"):
			r.MapKeys = text()
		case p.accept("LINES", "TERMINATED", "BY"):
			r.Lines = text()
		case p.accept("NULL", "DEFINED", "AS"):
			r.NullAs = text()
		default:
			return r
		}
	}
}
