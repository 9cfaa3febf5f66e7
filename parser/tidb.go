package parser

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	tidb "github.com/pingcap/tidb/pkg/parser"
	tast "github.com/pingcap/tidb/pkg/parser/ast"
	"github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // literal nodes of the TiDB parser
)

// pool holds TiDB parsers: one is not safe for two goroutines, and a new one costs
// more than a short statement.
var pool = sync.Pool{New: func() any { return tidb.New() }}

// runTiDB parses one statement. A panic of the TiDB parser becomes an error.
func runTiDB(text string, mode mysql.SQLMode) (stmt tast.StmtNode, err error) {
	tp := pool.Get().(*tidb.Parser)
	defer func() {
		if r := recover(); r != nil {
			stmt, err = nil, fmt.Errorf("%v", r) // this parser is not put back
			return
		}
		pool.Put(tp)
	}()
	tp.SetSQLMode(mode)
	stmts, _, err := tp.ParseSQL(text)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		return nil, fmt.Errorf("%d statements", len(stmts))
	}
	return stmts[0], nil
}

func (o Options) mode() mysql.SQLMode {
	var m mysql.SQLMode
	if o.AnsiQuotes {
		m |= mysql.ModeANSIQuotes
	}
	if o.PipesAsConcat {
		m |= mysql.ModePipesAsConcat
	}
	return m
}

// rewritten joins pieces into one text; offsets[i] is where piece i begins.
func rewritten(out []piece) (text string, offsets []int) {
	var b strings.Builder
	offsets = make([]int, len(out))
	b.Grow(8 * len(out))
	for i, pc := range out {
		offsets[i] = b.Len()
		b.WriteString(pc.text)
		b.WriteByte(' ')
	}
	return b.String(), offsets
}

// parseOut runs the TiDB parser over p.out. A failure is reported where the user
// wrote the token that the TiDB parser stumbled over.
func (p *parser) parseOut() tast.StmtNode {
	text, offsets := rewritten(p.out)
	stmt, err := runTiDB(text, p.o.mode())
	if err == nil {
		return stmt
	}
	at := len(p.src)
	if p.i < len(p.toks) {
		at = p.toks[p.i].start
	}
	if off, ok := errorOffset(err.Error(), len(text)); ok {
		for i := range offsets {
			if offsets[i] >= off {
				at = p.toks[p.out[i].tok].start
				break
			}
		}
	}
	panic(bail{syntaxError(p.src, at, "")})
}

// errorOffset finds the byte offset of the offending token in a message of the TiDB
// parser, which quotes the rest of the text from there, or the start of the rest and
// its length.
func errorOffset(message string, textBytes int) (int, bool) {
	_, near, ok := strings.Cut(message, `near "`)
	if !ok {
		return 0, false
	}
	rest := strings.LastIndexByte(near, '"')
	if _, total, long := strings.Cut(near, "(total length "); long {
		digits, _, _ := strings.Cut(total, ")")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return 0, false
		}
		rest = n
	}
	return textBytes - rest, rest >= 0 && rest <= textBytes
}

// sub collects what fn emits, apart from what is being collected around it.
func (p *parser) sub(fn func()) []piece {
	saved, savedIn := p.out, p.noIn
	p.out, p.noIn = make([]piece, 0, 32), false
	fn()
	out := p.out
	p.out, p.noIn = saved, savedIn
	return out
}

// expression reads one expression at the cursor.
func (p *parser) expression() ast.Expr {
	p.queries++ // a query inside is none of the statement's own
	out := p.sub(p.expr)
	p.queries--
	if len(out) == 1 { // one leaf: no grammar needed
		if _, m := p.markOf(out[0].text); m != nil {
			if e, ok := m.payload.(ast.Expr); ok {
				return e
			}
		}
	}
	saved := p.out
	p.out = append([]piece{{"SELECT", p.i}}, out...)
	stmt := p.parseOut()
	p.out = saved
	sel, ok := stmt.(*tast.SelectStmt)
	if !ok || sel.Fields == nil || len(sel.Fields.Fields) != 1 {
		p.fail("")
	}
	c := converter{p: p}
	e, _ := c.expr(sel.Fields.Fields[0].Expr)
	return e
}

// query reads one query at the cursor.
func (p *parser) query() ast.Query {
	saved, savedQueries := p.out, p.queries
	p.queries = 0
	p.out = append(p.prefix, p.sub(p.queryText)...)
	p.prefix, p.queries = nil, savedQueries
	stmt := p.parseOut()
	p.out = saved
	c := converter{p: p}
	rs, ok := stmt.(tast.ResultSetNode)
	if !ok {
		panic(bail{sqlerr.New(sqlerr.Syntax, "a query expected").At(0)})
	}
	q := c.query(rs)
	if p.into != nil {
		q = withOutfile(q, p.into)
		p.into = nil
	}
	return q
}

// withOutfile puts INTO OUTFILE on the SELECT whose rows it takes; other queries get
// one around them.
func withOutfile(q ast.Query, into *ast.IntoOutfile) ast.Query {
	switch q := q.(type) {
	case *ast.With:
		q.Body = withOutfile(q.Body, into)
		return q
	case *ast.Select:
		q.Into = into
		return q
	}
	pos := ast.Pos(q.Position())
	return &ast.Select{
		Pos: pos, Items: []ast.SelectItem{{Pos: pos, Star: true, Text: "*"}},
		From: []ast.TableExpr{&ast.Derived{Pos: pos, Query: q}}, Into: into,
	}
}
