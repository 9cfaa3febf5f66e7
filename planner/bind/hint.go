package bind

import (
	"strings"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// joinWords are the joins as errors name them.
var joinWords = map[ast.JoinKind]string{
	ast.InnerJoin: "INNER JOIN", ast.CrossJoin: "CROSS JOIN", ast.LeftJoin: "LEFT OUTER JOIN", ast.RightJoin: "RIGHT OUTER JOIN",
	ast.FullJoin: "FULL OUTER JOIN", ast.LeftSemiJoin: "LEFT SEMI JOIN", ast.RightSemiJoin: "RIGHT SEMI JOIN",
	ast.LeftAntiJoin: "LEFT ANTI JOIN", ast.RightAntiJoin: "RIGHT ANTI JOIN",
}

// joinHint is the distribution that JOIN [hint] asks for: "shuffle", "broadcast" or "". A hint that the
// kind of join cannot follow is an error, as a wrong one would go unnoticed.
func joinHint(j *ast.Join) (string, error) {
	if j.Hint == "" {
		return "", nil
	}
	hint := ""
	for _, h := range strings.Split(strings.ToLower(j.Hint), ",") {
		if h != "shuffle" && h != "broadcast" {
			return "", sqlerr.New(sqlerr.WrongUsage, "JOIN hint not recognized: %s", h).At(j.Position()).WithHint("JOIN takes [shuffle] or [broadcast]")
		}
		if hint != "" && hint != h {
			return "", sqlerr.New(sqlerr.WrongUsage, "Conflicting JOIN hint: %s", h).At(j.Position())
		}
		hint = h
	}
	switch j.Kind {
	case ast.CrossJoin:
		if hint == "shuffle" {
			return "", sqlerr.New(sqlerr.WrongUsage, "CROSS JOIN does not support SHUFFLE.").At(j.Position())
		}
	case ast.RightJoin, ast.FullJoin, ast.RightSemiJoin, ast.RightAntiJoin:
		if hint == "broadcast" {
			return "", sqlerr.New(sqlerr.WrongUsage, "%s does not support BROADCAST.", joinWords[j.Kind]).At(j.Position())
		}
	}
	return hint, nil
}
