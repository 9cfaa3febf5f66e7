// Package result holds query results as text and compares them between engines.
package result

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value is one field of a row: its text, or NULL. Decimals carry all their digits,
// doubles ten significant ones or more, dates are in the ISO form.
type Value struct {
	Text string
	Null bool
}

// Set is a result: column names and rows of as many values each.
type Set struct {
	Columns []string
	Rows    [][]Value
}

// Rules say how two sets compare. Columns are named; names compare without case.
type Rules struct {
	Inexact []string // compared to 1e-9 of the value, or to the last digit of the shorter
	OrderBy []string // the columns that give the order; none: any order
}

const relativeTolerance = 1e-9

// Parse reads the form that Format writes.
func Parse(text string) (Set, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	s := Set{Columns: strings.Split(lines[0], "\t")}
	for n, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != len(s.Columns) {
			return Set{}, fmt.Errorf("line %d has %d fields, the first line %d", n+2, len(fields), len(s.Columns))
		}
		row := make([]Value, len(fields))
		for i, f := range fields {
			if f == `\N` {
				row[i].Null = true
			} else {
				row[i].Text = unescape.Replace(f)
			}
		}
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

// Read takes all rows of a MySQL text result. The caller closes rows.
func Read(rows *sql.Rows) (Set, error) {
	var s Set
	var err error
	if s.Columns, err = rows.Columns(); err != nil {
		return Set{}, err
	}
	raw := make([]sql.RawBytes, len(s.Columns))
	targets := make([]any, len(raw))
	for i := range raw {
		targets[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return Set{}, err
		}
		row := make([]Value, len(raw))
		for i, b := range raw {
			row[i] = Value{Text: string(b), Null: b == nil}
		}
		s.Rows = append(s.Rows, row)
	}
	return s, rows.Err()
}

var (
	escape   = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)
	unescape = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n")
)

// Format writes a set as text: a line of column names, then a line a row, fields
// separated by tabs, NULL as \N.
func Format(s Set) string {
	var b strings.Builder
	b.WriteString(strings.Join(s.Columns, "\t"))
	b.WriteByte('\n')
	for _, row := range s.Rows {
		for i, v := range row {
			if i > 0 {
				b.WriteByte('\t')
			}
			if v.Null {
				b.WriteString(`\N`)
			} else {
				b.WriteString(escape.Replace(v.Text))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Compare returns nil when got and want hold the same rows by the rules, or an error
// that names the first difference. Numbers compare by value: 1.50 equals 1.5.
func Compare(got, want Set, r Rules) error {
	if err := sameColumns(got.Columns, want.Columns); err != nil {
		return err
	}
	if len(got.Rows) != len(want.Rows) {
		return fmt.Errorf("%d rows, want %d", len(got.Rows), len(want.Rows))
	}
	inexact, err := indexes(want.Columns, r.Inexact)
	if err != nil {
		return err
	}
	order, err := indexes(want.Columns, r.OrderBy)
	if err != nil {
		return err
	}
	for i := range want.Rows {
		for _, c := range order {
			if g, w := got.Rows[i][c], want.Rows[i][c]; !equal(g, w, slices.Contains(inexact, c)) {
				return fmt.Errorf("row %d is out of order: %s is %s, want %s", i+1, want.Columns[c], show(g), show(w))
			}
		}
	}
	g, w := sorted(got, inexact), sorted(want, inexact)
	for i := range w {
		for c := range w[i] {
			if !equal(g[i][c], w[i][c], slices.Contains(inexact, c)) {
				return fmt.Errorf("%s is %s, want %s, in row %s; want row %s",
					want.Columns[c], show(g[i][c]), show(w[i][c]), showRow(g[i]), showRow(w[i]))
			}
		}
	}
	return nil
}

func sameColumns(got, want []string) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d columns, want %d", len(got), len(want))
	}
	for i := range want {
		if !strings.EqualFold(got[i], want[i]) {
			return fmt.Errorf("column %d is named %s, want %s", i+1, got[i], want[i])
		}
	}
	return nil
}

func indexes(columns, names []string) ([]int, error) {
	var out []int
	for _, name := range names {
		i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
		if i < 0 {
			return nil, errors.New("there is no column " + name)
		}
		out = append(out, i)
	}
	return out, nil
}

// sorted returns the rows in an order that does not depend on how numbers are written:
// by the exact columns, then by the inexact ones as numbers.
func sorted(s Set, inexact []int) [][]Value {
	rows := slices.Clone(s.Rows)
	var columns []int
	for c := range s.Columns {
		if !slices.Contains(inexact, c) {
			columns = append(columns, c)
		}
	}
	columns = append(columns, inexact...)
	slices.SortStableFunc(rows, func(a, b []Value) int {
		for _, c := range columns {
			if o := compareValues(a[c], b[c]); o != 0 {
				return o
			}
		}
		return 0
	})
	return rows
}

func compareValues(a, b Value) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return -1
	case b.Null:
		return 1
	}
	x, y := canonical(a.Text), canonical(b.Text)
	fx, errX := strconv.ParseFloat(x, 64)
	fy, errY := strconv.ParseFloat(y, 64)
	if errX == nil && errY == nil && fx != fy {
		if fx < fy {
			return -1
		}
		return 1
	}
	return strings.Compare(x, y)
}

func equal(got, want Value, inexact bool) bool {
	if got.Null || want.Null {
		return got.Null == want.Null
	}
	if got.Text == want.Text || canonical(got.Text) == canonical(want.Text) {
		return true
	}
	if !inexact {
		return false
	}
	g, errG := strconv.ParseFloat(got.Text, 64)
	w, errW := strconv.ParseFloat(want.Text, 64)
	if errG != nil || errW != nil {
		return false
	}
	tolerance := relativeTolerance * math.Abs(w)
	if digits := min(fraction(got.Text), fraction(want.Text)); digits >= 4 && fraction(got.Text) != fraction(want.Text) {
		// One side is a decimal that ends there, rounded or cut.
		tolerance = max(tolerance, math.Pow10(-digits))
	}
	return math.Abs(g-w) <= tolerance
}

// canonical removes what does not change a decimal number: zeros after the last digit
// of the fraction and the sign of zero. Other texts are returned as they are.
func canonical(s string) string {
	dot := -1
	for i, c := range []byte(s) {
		switch {
		case c == '.' && dot < 0:
			dot = i
		case c >= '0' && c <= '9', c == '-' && i == 0 && len(s) > 1:
		default:
			return s
		}
	}
	if dot >= 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" || s == "" || s == "-" {
		return "0"
	}
	return s
}

// fraction is the number of digits after the point.
func fraction(s string) int {
	_, f, _ := strings.Cut(s, ".")
	return len(f)
}

func show(v Value) string {
	if v.Null {
		return "NULL"
	}
	return strconv.Quote(v.Text)
}

func showRow(row []Value) string {
	var out []string
	for _, v := range row {
		out = append(out, show(v))
	}
	return "(" + strings.Join(out, ", ") + ")"
}
