package parser

import (
	"strings"

	"github.com/basaltdb/basalt/parser/ast"
)

// shows lists what SHOW can show, longest forms first among those that share words.
// object tells that the name after FROM or IN is the object and not its database.
var shows = []struct {
	words  string
	what   string // when it differs from words
	object bool
}{
	{"ALTER TABLE COLUMN", "", false}, {"ALTER TABLE ROLLUP", "", false}, {"ALTER TABLE MATERIALIZED VIEW", "", false},
	{"CREATE TABLE", "", true}, {"CREATE VIEW", "", true}, {"CREATE DATABASE", "", true}, {"CREATE SCHEMA", "CREATE DATABASE", true},
	{"CREATE MATERIALIZED VIEW", "", true}, {"CREATE CATALOG", "", true}, {"CREATE FUNCTION", "", true}, {"CREATE GLOBAL FUNCTION", "", true},
	{"CREATE LOAD", "", true}, {"CREATE ROUTINE LOAD", "", true}, {"CREATE REPOSITORY", "", true}, {"CREATE STORAGE POLICY", "", true},
	{"CREATE USER", "", true}, {"CREATE PROCEDURE", "", true}, {"CREATE EVENT", "", true}, {"CREATE TRIGGER", "", true}, {"CREATE WORKLOAD GROUP", "", true},
	{"CREATE STORAGE VAULT", "", true}, {"CREATE JOB", "", true},
	{"DATABASE ID", "", false}, {"DATABASES", "", false}, {"SCHEMAS", "DATABASES", false},
	{"TABLES", "", false}, {"OPEN TABLES", "", false}, {"TABLE STATUS", "", false}, {"TABLE EXTENDED", "", false}, {"TABLE ID", "", false},
	{"TABLE STATS", "", true}, {"TABLE CREATION", "", false}, {"TABLETS", "", true}, {"TABLET DIAGNOSIS", "", true}, {"TABLET STORAGE FORMAT", "", false}, {"TABLETS BELONG", "", true}, {"TABLET", "", true},
	{"VIEWS", "", false}, {"VIEW", "", true}, {"MATERIALIZED VIEWS", "", false},
	{"COLUMNS", "", true}, {"FIELDS", "COLUMNS", true}, {"COLUMN STATS", "", true}, {"COLUMN CACHED STATS", "", true}, {"COLUMN HISTOGRAM", "", true},
	{"INDEX STATS", "", true}, {"INDEX", "", true}, {"INDEXES", "INDEX", true}, {"KEYS", "INDEX", true},
	{"GLOBAL VARIABLES", "", false}, {"VARIABLES", "", false}, {"STATUS", "", false}, {"PROCESSLIST", "", false},
	{"WARNINGS", "", false}, {"ERRORS", "", false}, {"ENGINES", "", false}, {"STORAGE ENGINES", "ENGINES", false}, {"PLUGINS", "", false},
	{"CHARSET", "", false}, {"CHARACTER SET", "CHARSET", false}, {"COLLATION", "", false},
	{"TRIGGERS", "", false}, {"EVENTS", "", false}, {"PROCEDURE STATUS", "", false}, {"FUNCTION STATUS", "", false}, {"FUNCTIONS", "", false},
	{"GRANTS", "", false}, {"PRIVILEGES", "", false}, {"ROLES", "", false}, {"ROLE GRANT", "", false}, {"USERS", "", false},
	{"PARTITIONS", "", true}, {"PARTITION ID", "", false}, {"PARTITION", "", false}, {"TEMPORARY PARTITIONS", "", true},
	{"DATA SKEW", "", true}, {"DATA TYPES", "", false}, {"DATA", "", true}, {"DYNAMIC PARTITION TABLES", "", false},
	{"ANALYZE TASK STATUS", "", false}, {"ANALYZE", "", true}, {"AUTO ANALYZE", "", true}, {"QUEUED ANALYZE JOBS", "", true}, {"AUTHORS", "", false}, {"BACKENDS", "", false}, {"FRONTENDS", "", false},
	{"FRONTEND CONFIG", "", false}, {"BACKEND CONFIG", "", false}, {"CONFIG", "", false}, {"COMPUTE GROUPS", "", false}, {"CLUSTERS", "", false},
	{"BACKUP", "", false}, {"RESTORE", "", false}, {"SNAPSHOT", "", false}, {"REPOSITORIES", "", false}, {"BROKER", "", false}, {"BUILD INDEX", "", false},
	{"CATALOG RECYCLE BIN", "", false}, {"CATALOGS", "", false}, {"CATALOG", "", true}, {"DELETE", "", false}, {"ENCRYPTKEYS", "", false},
	{"EXPORT", "", false}, {"FILE", "", false}, {"SMALL FILES", "FILE", false}, {"LAST INSERT", "", false}, {"LOAD WARNINGS", "", false}, {"LOAD PROFILE", "", false}, {"LOAD", "", false},
	{"ROW POLICY", "", false}, {"STORAGE POLICY USING", "", false}, {"STORAGE POLICY", "", false}, {"POLICY", "", false}, {"STORAGE VAULTS", "", false}, {"STORAGE VAULT", "", false},
	{"PROC", "", false}, {"PROPERTY", "", false}, {"PROPERTIES", "PROPERTY", false}, {"QUERY PROFILE", "", false}, {"QUERY STATS", "", false}, {"PROFILES", "", false}, {"PROFILE", "", false},
	{"REPLICA DISTRIBUTION", "", true}, {"REPLICA STATUS", "", true}, {"RESOURCES", "", false}, {"ROLLUP", "", true},
	{"ROUTINE LOAD TASK", "", false}, {"ROUTINE LOAD", "", false}, {"STREAM LOAD", "", false}, {"SYNC JOB", "", false}, {"SQL_BLOCK_RULE", "", false},
	{"STAGES", "", false}, {"TRANSACTIONS", "", false}, {"TRANSACTION", "", false}, {"TRASH", "", false}, {"TYPECAST", "", false}, {"WHITELIST", "", false},
	{"WORKLOAD GROUPS", "", false}, {"WORKLOAD POLICY", "", false}, {"WARM UP JOB", "", false}, {"CACHE HOTSPOT", "", false}, {"JOBS", "", false}, {"CONSTRAINTS", "", true},
	{"TBLPROPERTIES", "", true}, {"LOCKS", "", true}, {"COMPACTIONS", "", false}, {"CONF", "", false}, {"CURRENT ROLES", "", false},
	{"MASTER STATUS", "", false}, {"BINARY LOGS", "", false}, {"REPLICAS", "", false}, {"SLAVE STATUS", "", false}, {"BINLOG EVENTS", "", false},
}

// show reads SHOW. Words that no clause takes go to Args.
func (p *parser) show() ast.Statement {
	start := p.i
	s := &ast.Show{Pos: p.pos()}
	p.next()
	prefix := p.showModifiers(s)
	object := false
	best := 0
	for _, form := range shows {
		ws := strings.Fields(form.words)
		if len(ws) > best && p.isWords(ws...) {
			best, object = len(ws), form.object
			s.What = form.words
			if form.what != "" {
				s.What = form.what
			}
		}
	}
	if best == 0 {
		p.i = start
		return p.admin()
	}
	p.skip(best)
	s.What = prefix + s.What
	p.showTail(s, object)
	return s
}

// showModifiers reads FULL, GLOBAL and SESSION, and returns words that stay in What.
func (p *parser) showModifiers(s *ast.Show) string {
	prefix := ""
	for {
		t := p.peek()
		switch {
		case t.is("FULL"):
			s.Full = true
		case t.is("GLOBAL"), t.is("SESSION"), t.is("LOCAL"):
			s.Scope = t.val
			if s.Scope == "LOCAL" {
				s.Scope = "SESSION"
			}
		case t.is("EXTENDED"):
		case t.is("ALL"), t.is("BUILTIN"):
			prefix = t.val + " "
		case t.is("COUNT") && p.at(1).isOp("(") && p.at(2).isOp("*") && p.at(3).isOp(")"):
			p.skip(3)
			prefix = "COUNT "
		default:
			return prefix
		}
		p.next()
	}
}

func (p *parser) showTail(s *ast.Show, object bool) {
	for !p.atEnd() {
		t := p.peek()
		switch {
		case (t.is("FROM") || t.is("IN")) && p.at(1).isName():
			p.next()
			if object && s.Name.Name == "" {
				s.Name = p.name()
			} else {
				s.From = strings.Join(p.dotted(), ".")
			}
		case t.is("PARTITION") && p.at(1).isOp("(") && (s.What == "PARTITIONS" || s.What == "TABLE EXTENDED") && s.Partition == nil:
			p.next()
			s.Partition = p.partitionSpec()
		case t.is("LIKE") && p.at(1).kind == tokString:
			p.next()
			like := p.str()
			s.Like = &like
		case t.is("WHERE"):
			p.next()
			s.Where = p.expression()
		case p.isWords("ORDER", "BY"):
			p.skip(2)
			s.Order = p.orderList()
		case t.is("LIMIT"):
			s.Limit = p.limitClause()
		case t.isName() && object && s.Name.Name == "" && len(s.Args) == 0 && !t.is("FOR") && !t.is("ON") && !t.is("WITH") && !t.is("IF"):
			s.Name = p.name()
		default:
			p.next()
			s.Args = append(s.Args, p.argText(t))
		}
	}
}

// argText is the value of a token as an argument of an administrative statement.
func (p *parser) argText(t *token) string {
	switch t.kind {
	case tokString, tokQuoted, tokOp:
		return t.val
	}
	return p.raw(t)
}

// orderList reads ORDER BY keys outside of a query.
func (p *parser) orderList() []ast.OrderItem {
	var items []ast.OrderItem
	for {
		item := ast.OrderItem{Pos: p.pos(), Expr: p.expression()}
		p.orderSuffix(&item)
		items = append(items, item)
		if !p.acceptOp(",") {
			return items
		}
	}
}

// limitClause reads LIMIT outside of a query.
func (p *parser) limitClause() *ast.Limit {
	p.next()
	l := &ast.Limit{Pos: p.pos()}
	l.Count = p.limitNumber()
	if p.acceptOp(",") {
		l.Offset, l.Count = l.Count, p.limitNumber()
	} else if p.accept("OFFSET") {
		l.Offset = p.limitNumber()
	}
	return l
}

func (p *parser) limitNumber() ast.Expr {
	t := p.peek()
	switch t.kind {
	case tokInt:
		p.next()
		return &ast.Literal{Pos: ast.Pos(t.start), Kind: ast.IntLit, Text: t.val}
	case tokParam:
		p.next()
		p.params++
		return &ast.Param{Pos: ast.Pos(t.start), Index: p.params - 1}
	}
	p.fail("a number or ? expected")
	return nil
}
