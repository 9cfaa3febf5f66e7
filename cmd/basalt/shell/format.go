package shell

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Formats are the names that CheckFormat takes.
var Formats = []string{"table", "csv", "tsv", "json", "markdown"}

// CheckFormat refuses names that are no format.
func CheckFormat(name string) error {
	if slices.Contains(Formats, name) {
		return nil
	}
	return sqlerr.New(sqlerr.WrongArguments, "unknown format %q: want one of %s", name, strings.Join(Formats, ", "))
}

// blockRows is how many rows a table's widths are taken from; those that follow are
// printed as they come, so that a large result needs no memory.
const blockRows = 10_000

// write prints a result in a format and returns the number of rows.
func write(w io.Writer, format string, vertical bool, r Result) (int64, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	var n int64
	var err error
	switch {
	case vertical:
		n, err = writeVertical(out, r)
	case format == "csv":
		n, err = writeCSV(out, r)
	case format == "tsv":
		n, err = writeTSV(out, r)
	case format == "json":
		n, err = writeJSON(out, r)
	default:
		n, err = writeTable(out, r, format == "markdown")
	}
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	return n, err
}

// eachRow calls f with every row, which is valid during the call.
func eachRow(r Result, f func(row []Cell) error) (n int64, err error) {
	row := make([]Cell, len(r.Columns))
	for {
		ok, err := r.Next(row)
		if err != nil || !ok {
			return n, err
		}
		if err := f(row); err != nil {
			return n, err
		}
		n++
	}
}

func writeCSV(out io.Writer, r Result) (int64, error) {
	w := csv.NewWriter(out)
	record := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		record[i] = c.Name
	}
	if err := w.Write(record); err != nil {
		return 0, err
	}
	n, err := eachRow(r, func(row []Cell) error {
		for i, c := range row {
			record[i] = c.Text // NULL is an empty field
			if c.Null {
				record[i] = ""
			}
		}
		return w.Write(record)
	})
	w.Flush()
	if err == nil {
		err = w.Error()
	}
	return n, err
}

var tsvEscapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\x00", `\0`)

// writeTSV prints as mysql --batch does.
func writeTSV(out *bufio.Writer, r Result) (int64, error) {
	line := func(n int, cell func(i int) string) error {
		for i := range n {
			if i > 0 {
				_ = out.WriteByte('\t')
			}
			_, _ = tsvEscapes.WriteString(out, cell(i))
		}
		return out.WriteByte('\n')
	}
	if err := line(len(r.Columns), func(i int) string { return r.Columns[i].Name }); err != nil {
		return 0, err
	}
	return eachRow(r, func(row []Cell) error {
		return line(len(row), func(i int) string {
			if row[i].Null {
				return "NULL"
			}
			return row[i].Text
		})
	})
}

// writeJSON prints an array of objects, one a line, with the columns in their order.
func writeJSON(out *bufio.Writer, r Result) (int64, error) {
	names := make([][]byte, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = jsonString(c.Name)
	}
	sep := "[\n"
	n, err := eachRow(r, func(row []Cell) error {
		_, _ = out.WriteString(sep)
		sep = ",\n"
		for i, c := range row {
			_, _ = out.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
			_, _ = out.Write(names[i])
			_ = out.WriteByte(':')
			_, _ = out.Write(jsonCell(c, r.Columns[i].Kind))
		}
		return out.WriteByte('}')
	})
	if err != nil {
		return n, err
	}
	if n == 0 {
		_, err = out.WriteString("[]\n")
	} else {
		_, err = out.WriteString("\n]\n")
	}
	return n, err
}

func jsonCell(c Cell, kind Kind) []byte {
	switch {
	case c.Null:
		return []byte("null")
	case kind == Bool && (c.Text == "0" || c.Text == "1"):
		return []byte(map[string]string{"0": "false", "1": "true"}[c.Text])
	case kind == Number && isJSONNumber(c.Text), kind == JSON && json.Valid([]byte(c.Text)):
		return []byte(c.Text)
	}
	return jsonString(c.Text)
}

// isJSONNumber leaves out nan and inf, which JSON has not.
func isJSONNumber(s string) bool {
	_, ok := new(big.Float).SetString(s)
	return ok && json.Valid([]byte(s))
}

func jsonString(s string) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // strings always encode
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

var cellEscapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`)

// shown is a cell on one line of a table.
func shown(c Cell) string {
	if c.Null {
		return "NULL"
	}
	return cellEscapes.Replace(c.Text)
}

func writeTable(out *bufio.Writer, r Result, markdown bool) (int64, error) {
	t := table{out: out, cols: r.Columns, markdown: markdown, widths: make([]int, len(r.Columns))}
	for i, c := range r.Columns {
		t.widths[i] = max(uniseg.StringWidth(shown(Cell{Text: c.Name})), map[bool]int{true: 3, false: 1}[markdown])
	}
	var block [][]string
	started := false
	n, err := eachRow(r, func(row []Cell) error {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = shown(c)
			if markdown {
				cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
			}
		}
		if started {
			return t.row(cells)
		}
		for i, c := range cells {
			t.widths[i] = max(t.widths[i], uniseg.StringWidth(c))
		}
		block = append(block, cells)
		if len(block) < blockRows {
			return nil
		}
		started = true
		return t.open(block)
	})
	if err != nil && !started {
		return n, err
	}
	if !started {
		if n == 0 && !markdown {
			return 0, err // mysql says Empty set and prints no table
		}
		if err := t.open(block); err != nil {
			return n, err
		}
	}
	t.rule()
	return n, err
}

// table prints boxes: mysql's, or Markdown's.
type table struct {
	out      *bufio.Writer
	cols     []Column
	widths   []int
	markdown bool
}

func (t *table) open(block [][]string) error {
	t.rule()
	names := make([]string, len(t.cols))
	for i, c := range t.cols {
		names[i] = shown(Cell{Text: c.Name})
	}
	_ = t.row(names)
	if t.markdown {
		for i, w := range t.widths {
			end := "-"
			if t.right(i) {
				end = ":"
			}
			_, _ = t.out.WriteString("| " + strings.Repeat("-", w-1) + end + " ")
		}
		_, _ = t.out.WriteString("|\n")
	} else {
		t.rule()
	}
	for _, cells := range block {
		if err := t.row(cells); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) right(i int) bool { return t.cols[i].Kind == Number || t.cols[i].Kind == Bool }

func (t *table) rule() {
	if t.markdown {
		return
	}
	for _, w := range t.widths {
		_, _ = t.out.WriteString("+" + strings.Repeat("-", w+2))
	}
	_, _ = t.out.WriteString("+\n")
}

func (t *table) row(cells []string) error {
	for i, c := range cells {
		pad := strings.Repeat(" ", max(t.widths[i]-uniseg.StringWidth(c), 0))
		if t.right(i) {
			_, _ = t.out.WriteString("| " + pad + c + " ")
		} else {
			_, _ = t.out.WriteString("| " + c + pad + " ")
		}
	}
	_, err := t.out.WriteString("|\n")
	return err
}

// writeVertical prints a row over several lines, as mysql does for \G.
func writeVertical(out *bufio.Writer, r Result) (int64, error) {
	width := 0
	for _, c := range r.Columns {
		width = max(width, uniseg.StringWidth(c.Name))
	}
	n := 0
	return eachRow(r, func(row []Cell) error {
		n++
		stars := strings.Repeat("*", 27)
		_, _ = out.WriteString(stars + " " + big.NewInt(int64(n)).String() + ". row " + stars + "\n")
		for i, c := range row {
			text := c.Text
			if c.Null {
				text = "NULL"
			}
			_, _ = out.WriteString(strings.Repeat(" ", width-uniseg.StringWidth(r.Columns[i].Name)) + r.Columns[i].Name + ": " + text + "\n")
		}
		return nil
	})
}
