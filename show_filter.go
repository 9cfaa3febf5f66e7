package basalt

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// filterShow applies what may follow a SHOW: LIKE on the first column, WHERE, ORDER BY, LIMIT.
func (x *execution) filterShow(r *result, st *ast.Show) (*Rows, error) {
	if st.Like == nil && st.Where == nil && len(st.Order) == 0 && st.Limit == nil {
		return r.rows(x.s), nil
	}
	rows, err := x.filteredShow(r, st)
	if err != nil {
		return nil, err
	}
	out := newResult(r.cols)
	for _, row := range rows {
		out.Add(row...)
	}
	return out.rows(x.s), nil
}

// filteredShow are the rows of r that filterShow leaves.
func (x *execution) filteredShow(r *result, st *ast.Show) ([][]vector.Value, error) {
	match, err := x.showMatch(st.Like)
	if err != nil {
		return nil, err
	}
	var rows [][]vector.Value
	for _, b := range r.Batches() {
		for i := range b.Len {
			row := make([]vector.Value, len(b.Cols))
			for c := range b.Cols {
				row[c] = b.Cols[c].Value(i)
			}
			ok := st.Like == nil || match(row[0].Text())
			if ok && st.Where != nil {
				if ok, err = x.showWhere(st.Where, r, row); err != nil {
					return nil, err
				}
			}
			if ok {
				rows = append(rows, row)
			}
		}
	}
	if err := sortShow(rows, r.cols, st.Order); err != nil {
		return nil, err
	}
	return x.limitShow(rows, st.Limit)
}

// sortShow orders rows by columns' names or positions; NULL comes first.
func sortShow(rows [][]vector.Value, cols []Column, order []ast.OrderItem) error {
	keys := make([]int, len(order))
	for i := range order {
		keys[i] = -1
		switch e := order[i].Expr.(type) {
		case *ast.Column:
			keys[i] = slices.IndexFunc(cols, func(c Column) bool { return strings.EqualFold(c.Name, e.Name) })
		case *ast.Literal:
			if n, err := strconv.Atoi(e.Text); err == nil && n >= 1 && n <= len(cols) {
				keys[i] = n - 1
			}
		}
		if keys[i] < 0 {
			return sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in 'order clause'", ast.Format(order[i].Expr)).At(order[i].Position())
		}
	}
	slices.SortStableFunc(rows, func(a, b []vector.Value) int {
		for i, k := range keys {
			c := compareShown(a[k], b[k])
			if order[i].Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	return nil
}

func compareShown(a, b vector.Value) int {
	switch {
	case a.Null || b.Null:
		switch {
		case a.Null && b.Null:
			return 0
		case a.Null:
			return -1
		}
		return 1
	}
	return a.Compare(b)
}

func (x *execution) limitShow(rows [][]vector.Value, l *ast.Limit) ([][]vector.Value, error) {
	if l == nil {
		return rows, nil
	}
	number := func(e ast.Expr) (int, error) {
		lit, ok := e.(*ast.Literal)
		if !ok {
			return 0, sqlerr.Unsupported("a parameter in SHOW … LIMIT").At(e.Position())
		}
		n, err := strconv.ParseUint(lit.Text, 10, 64)
		if err != nil {
			return 0, sqlerr.New(sqlerr.Syntax, "a number expected in LIMIT").At(e.Position())
		}
		return int(min(n, uint64(len(rows)))), nil
	}
	from := 0
	if l.Offset != nil {
		n, err := number(l.Offset)
		if err != nil {
			return nil, err
		}
		from = n
	}
	count, err := number(l.Count)
	if err != nil {
		return nil, err
	}
	return rows[from:min(from+count, len(rows))], nil
}

// showWhere evaluates the conditions that tools write after SHOW … WHERE: comparisons of
// columns with constants, LIKE and IN, combined by AND, OR and NOT.
func (x *execution) showWhere(e ast.Expr, res *result, row []vector.Value) (bool, error) {
	unsupported := sqlerr.Unsupported("this condition in SHOW … WHERE").At(e.Position())
	var unknown error
	value := func(e ast.Expr) (string, bool) {
		switch e := e.(type) {
		case *ast.Column:
			for i := range res.cols {
				if name := res.cols[i].Name; strings.EqualFold(name, e.Name) || name == res.words[strings.ToLower(e.Name)] {
					return row[i].Text(), true
				}
			}
			unknown = sqlerr.New(sqlerr.UnknownColumn, "Unknown column '%s' in 'where clause'", e.Name).At(e.Position())
		case *ast.Literal:
			return e.Text, true
		}
		return "", false
	}
	refuse := func() (bool, error) {
		if unknown != nil {
			return false, unknown
		}
		return false, unsupported
	}
	switch e := e.(type) {
	case *ast.Unary:
		if e.Op != "NOT" {
			return refuse()
		}
		ok, err := x.showWhere(e.X, res, row)
		return !ok, err
	case *ast.Binary:
		if e.Op == "AND" || e.Op == "OR" {
			l, err := x.showWhere(e.L, res, row)
			if err != nil {
				return false, err
			}
			r, err := x.showWhere(e.R, res, row)
			return l && r || e.Op == "OR" && (l || r), err
		}
		l, ok1 := value(e.L)
		r, ok2 := value(e.R)
		if !ok1 || !ok2 {
			return refuse()
		}
		if ok, known := compareTexts(l, e.Op, r); known {
			return ok, nil
		}
	case *ast.Like:
		l, ok1 := value(e.X)
		p, ok2 := value(e.Pattern)
		if !ok1 || !ok2 || e.Regexp {
			return refuse()
		}
		m, err := function.LikeMatcher(p, true)
		if err != nil {
			return false, err
		}
		return m(l) != e.Not, nil
	case *ast.In:
		l, ok := value(e.X)
		if !ok || e.Query != nil {
			return refuse()
		}
		found := slices.ContainsFunc(e.List, func(it ast.Expr) bool { v, ok := value(it); return ok && strings.EqualFold(l, v) })
		return found != e.Not, nil
	}
	return refuse()
}

// compareTexts compares as numbers when both sides are, else as texts without case.
func compareTexts(l, op, r string) (result, known bool) {
	c := strings.Compare(strings.ToLower(l), strings.ToLower(r))
	if a, ok := new(big.Rat).SetString(l); ok {
		if b, ok := new(big.Rat).SetString(r); ok {
			c = a.Cmp(b)
		}
	}
	switch op {
	case "=":
		return c == 0, true
	case "<>":
		return c != 0, true
	case "<":
		return c < 0, true
	case "<=":
		return c <= 0, true
	case ">":
		return c > 0, true
	case ">=":
		return c >= 0, true
	}
	return false, false
}

// showWarnings is SHOW WARNINGS, about the statement before.
func (x *execution) showWarnings(errorsOnly bool) *result {
	r := newResult([]Column{textCol("Level"), longCol("Code"), textCol("Message")})
	for _, w := range x.s.warnings {
		if !errorsOnly {
			r.Add(str(w.level), long(int64(w.code)), str(w.text))
		}
	}
	return r
}
