package ast

import "testing"

func col(name string) *Column { return &Column{Name: name} }

func lit(text string) *Literal { return &Literal{Kind: IntLit, Text: text} }

func TestEqual(t *testing.T) {
	check := func(a, b Node, want bool) {
		t.Helper()
		if got := Equal(a, b); got != want {
			t.Errorf("Equal(%s, %s) = %v", Format(a), Format(b), got)
		}
	}
	check(&Column{Pos: 1, Name: "a"}, &Column{Pos: 2, Name: "a"}, true)
	check(col("a"), col("b"), false)
	check(col("a"), lit("1"), false)
	check(nil, nil, true)
	check(nil, col("a"), false)
	check(&Call{Name: "f"}, &Call{Name: "f", Args: []Expr{}}, true)
	check(&Call{Name: "f"}, &Call{Name: "f", Star: true}, false)
	comma, empty := ",", ""
	check(&Call{Name: "f", Separator: &comma}, &Call{Name: "f", Separator: &empty}, false)
	check(&Call{Name: "f", Separator: &empty}, &Call{Name: "f"}, false)
	check(&Select{Items: []SelectItem{{Expr: col("a"), Text: "a"}}}, &Select{Items: []SelectItem{{Expr: col("a"), Text: " a "}}}, true)
	check(&Select{Items: []SelectItem{{Expr: col("a")}}}, &Select{Items: []SelectItem{{Expr: col("a"), Alias: "x"}}}, false)
}

func TestFormatBrackets(t *testing.T) {
	check := func(e Expr, want string) {
		t.Helper()
		if got := Format(e); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	bin := func(op string, l, r Expr) Expr { return &Binary{Op: op, L: l, R: r} }
	a, b, c := col("a"), col("b"), col("c")
	check(bin("-", bin("-", a, b), c), "a - b - c")
	check(bin("-", a, bin("-", b, c)), "a - (b - c)")
	check(bin("*", bin("+", a, b), c), "(a + b) * c")
	check(bin("AND", bin("OR", a, b), c), "(a OR b) AND c")
	check(bin("AND", a, bin("AND", b, c)), "a AND (b AND c)")
	check(bin("=", bin("=", a, b), c), "(a = b) = c")
	check(&Unary{Op: "-", X: &Unary{Op: "-", X: a}}, "-(-a)")
	check(&Unary{Op: "NOT", X: bin("=", a, b)}, "NOT a = b")
	check(bin("=", &Unary{Op: "NOT", X: a}, b), "(NOT a) = b")
	check(&IsNull{X: bin("=", a, b)}, "(a = b) IS NULL")
	check(&Between{X: a, Lo: bin("AND", a, b), Hi: c}, "a BETWEEN (a AND b) AND c")
	check(&Field{X: a, Name: "b"}, "(a).b")
	check(&Subscript{X: &Subscript{X: &Call{Name: "f"}, Index: lit("1")}, Index: lit("2")}, "f()[1][2]")
	check(&MapLit{Keys: []Expr{a}, Values: []Expr{b}}, "{(a): b}")
	check(&Literal{Kind: StringLit, Text: `it's \ "x"`}, `'it''s \\ "x"'`)
	check(&Literal{Kind: BitLit, Text: "\x05"}, "b'00000101'")
	check(&Column{Table: "select", Name: "a`b"}, "`select`.`a``b`")
	check(&Call{Name: "left", Args: []Expr{a}}, "left(a)")
	check(&Call{Name: "case", Args: []Expr{a}}, "`case`(a)")
}
