package bind_test

import (
	"strings"
	"testing"

	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/plantest"
)

// BenchmarkInsertValues binds 1,000 rows of literals, as bulk loads over the wire send them.
func BenchmarkInsertValues(b *testing.B) {
	sql := "INSERT INTO t VALUES " + strings.TrimSuffix(strings.Repeat("(17, 4, 'some text', '2024-02-29', 12.5),", 1000), ",")
	list, err := parser.Parse(sql, parser.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ins := list[0].Statement.(*ast.Insert)
	e := env()
	target := e.Snapshot.Table(plantest.Database, "t")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bind.Insert(bind.Target{Table: target}, ins.Query, nil, e); err != nil {
			b.Fatal(err)
		}
	}
}
