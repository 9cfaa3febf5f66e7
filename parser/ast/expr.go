package ast

// Column is a column reference: [[Database.]Table.]Name. More parts than that, or a
// struct field, come as Field over a Column.
type Column struct {
	Pos
	Database, Table, Name string
}

// LiteralKind is the kind of a literal.
type LiteralKind uint8

// Literal kinds. Text holds the value: for StringLit unescaped, for HexLit and BitLit the bytes.
const (
	NullLit    LiteralKind = iota
	BoolLit                // Text is "true" or "false"
	IntLit                 // digits, no sign; may exceed 64 bits
	DecimalLit             // digits with a point, no exponent
	FloatLit               // with an exponent
	StringLit
	HexLit       // x'4d' or 0x4d
	BitLit       // b'01'
	DateLit      // DATE '…'
	TimestampLit // TIMESTAMP '…'
	TimeLit      // TIME '…'
)

// Literal is a constant as written.
type Literal struct {
	Pos
	Kind LiteralKind
	Text string
}

// Interval is INTERVAL Value Unit; it occurs only as an operand of + and - and as an argument of date functions.
type Interval struct {
	Pos
	Value Expr
	Unit  string // upper case: DAY, MONTH, DAY_HOUR, …
}

// Param is the n-th ? of the statement, from 0.
type Param struct {
	Pos
	Index int
}

// Variable is @@[global.|session.]name or @name.
type Variable struct {
	Pos
	Name   string // lower case
	System bool
	Scope  string // "", "global", "session"
}

// Unary is -x, +x, NOT x, ~x, !x. Op is "-", "+", "NOT", "~".
type Unary struct {
	Pos
	Op string
	X  Expr
}

// Binary is L Op R. Op is one of + - * / DIV % & | ^ << >> = <=> <> < <= > >= AND OR XOR ||
// (|| only under PIPES_AS_CONCAT; otherwise it is OR) and -> ->> (JSON paths).
type Binary struct {
	Pos  // of the operator
	Op   string
	L, R Expr
}

// IsNull is X IS [NOT] NULL.
type IsNull struct {
	Pos
	X   Expr
	Not bool
}

// IsTruth is X IS [NOT] TRUE or FALSE.
type IsTruth struct {
	Pos
	X    Expr
	Not  bool
	True bool
}

// Between is X [NOT] BETWEEN Lo AND Hi.
type Between struct {
	Pos
	X, Lo, Hi Expr
	Not       bool
}

// In is X [NOT] IN (List…) or X [NOT] IN (Query).
type In struct {
	Pos
	X     Expr // a *Row for (a, b) IN …
	List  []Expr
	Query Query // nil when List is used
	Not   bool
}

// Like is X [NOT] LIKE Pattern [ESCAPE e], or REGEXP/RLIKE.
type Like struct {
	Pos
	X, Pattern Expr
	Escape     string // "" is the default backslash
	Regexp     bool
	Not        bool
}

// Exists is [NOT] EXISTS (Query). NOT comes as Unary around it.
type Exists struct {
	Pos
	Query Query
}

// Subquery is a scalar (or row) subquery.
type Subquery struct {
	Pos
	Query Query
}

// Quantified is X Op ANY|ALL (Query). SOME is ANY.
type Quantified struct {
	Pos
	X     Expr
	Op    string
	All   bool
	Query Query
}

// Case is CASE [Operand] WHEN … THEN … [ELSE …] END.
type Case struct {
	Pos
	Operand Expr
	Whens   []When
	Else    Expr
}

// When is one branch of a Case.
type When struct {
	Cond, Then Expr
}

// Cast is CAST(X AS Type), CONVERT(X, Type), x::Type and, with Try, TRY_CAST.
type Cast struct {
	Pos
	X    Expr
	Type *TypeName
	Try  bool
}

// Call is a function, aggregate or window function call. Operators are not calls.
// IF, COALESCE, EXTRACT(u FROM x) (as extract('u', x)), SUBSTRING, TRIM, POSITION, DATE_ADD and the like all are.
type Call struct {
	Pos
	Database string
	Name     string // lower case
	Args     []Expr
	Star     bool // count(*)
	Distinct bool
	OrderBy  []OrderItem // inside aggregates
	// Separator is GROUP_CONCAT's; nil when not written.
	Separator   *string
	Filter      Expr // FILTER (WHERE …)
	Over        *WindowSpec
	IgnoreNulls bool
}

// Row is (a, b, …) with two or more elements.
type Row struct {
	Pos
	Items []Expr
}

// Subscript is X[Index].
type Subscript struct {
	Pos
	X, Index Expr
}

// Field is X.Name on a struct value.
type Field struct {
	Pos
	X    Expr
	Name string
}

// ArrayLit is [a, b] or ARRAY(a, b); MapLit {k: v}; StructLit {f1: v} forms come as Call named_struct.
type ArrayLit struct {
	Pos
	Items []Expr
}

// MapLit is {k: v, …}.
type MapLit struct {
	Pos
	Keys, Values []Expr
}

// Lambda is x -> e or (x, y) -> e.
type Lambda struct {
	Pos
	Params []string
	Body   Expr
}

// Default is the keyword DEFAULT in VALUES and SET.
type Default struct{ Pos }

// TypeName is a type as written: VARCHAR(20), DECIMAL(10,2), ARRAY<INT>, STRUCT<a:INT>.
type TypeName struct {
	Pos
	Name     string // lower case, one word: "int", "bigint", "decimal", "varchar", "array", …
	Args     []int64
	Elems    []*TypeName // ARRAY<T>: 1, MAP<K,V>: 2, STRUCT: one a field
	Fields   []string    // STRUCT field names
	Unsigned bool
}

func (*Column) isExpr()     {}
func (*Literal) isExpr()    {}
func (*Interval) isExpr()   {}
func (*Param) isExpr()      {}
func (*Variable) isExpr()   {}
func (*Unary) isExpr()      {}
func (*Binary) isExpr()     {}
func (*IsNull) isExpr()     {}
func (*IsTruth) isExpr()    {}
func (*Between) isExpr()    {}
func (*In) isExpr()         {}
func (*Like) isExpr()       {}
func (*Exists) isExpr()     {}
func (*Subquery) isExpr()   {}
func (*Quantified) isExpr() {}
func (*Case) isExpr()       {}
func (*Cast) isExpr()       {}
func (*Call) isExpr()       {}
func (*Row) isExpr()        {}
func (*Subscript) isExpr()  {}
func (*Field) isExpr()      {}
func (*ArrayLit) isExpr()   {}
func (*MapLit) isExpr()     {}
func (*Lambda) isExpr()     {}
func (*Default) isExpr()    {}
