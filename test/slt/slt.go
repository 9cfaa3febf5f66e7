// Package slt runs SQL logic tests: text files of statements and queries with the
// results that they must give.
//
//	# A comment; the first line says what is tested.
//	statement ok
//	CREATE TABLE t AS SELECT …
//
//	statement error 1054 [a part of the message]
//	SELECT nope FROM t
//
//	query III rowsort
//	SELECT …
//	----
//	1 2 NULL
//
// A query's columns are separated by tabs in the expected rows, or by single spaces where
// no value holds a blank. The type string gives a letter a column (any letter; their
// number is checked). rowsort sorts both sides. Empty strings are written (empty). A
// statement ends at an empty line or at ----. "skip <config> reason" before a record skips
// it under one configuration, "include <config>" runs it only there.
package slt

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Record is one statement or query of a file.
type Record struct {
	Line     int
	SQL      string
	Query    bool
	Types    string
	RowSort  bool
	Error    string   // "": must succeed; else the error number, or "any"
	Contains string   // part of the error's message
	Want     []string // rows, columns separated by tabs
	Skip     map[string]bool
	Only     map[string]bool
	wantAt   int // first line of the expected rows, for rewriting
	wantEnd  int
}

// File is one parsed test file.
type File struct {
	Path    string
	Records []*Record
	lines   []string
}

// ParseFile reads a test file.
func ParseFile(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := &File{Path: path}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		out.lines = append(out.lines, sc.Text())
	}
	if err := sc.Err(); err != nil {
		return nil, err
	}
	p := &fileParser{file: out}
	return out, p.parse()
}

type fileParser struct {
	file       *File
	i          int
	skip, only map[string]bool
}

func (p *fileParser) parse() error {
	lines := p.file.lines
	for p.i < len(lines) {
		line := strings.TrimSpace(lines[p.i])
		if line == "" || line[0] == '#' {
			p.i++
			continue
		}
		words := strings.Fields(line)
		switch words[0] {
		case "skip", "include":
			set := &p.skip
			if words[0] == "include" {
				set = &p.only
			}
			if len(words) < 2 {
				return p.errorf("%s needs a configuration", words[0])
			}
			if *set == nil {
				*set = map[string]bool{}
			}
			(*set)[words[1]] = true
			p.i++
		case "statement", "query":
			if err := p.record(words); err != nil {
				return err
			}
		default:
			return p.errorf("unknown record: %s", line)
		}
	}
	return nil
}

func (p *fileParser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file.Path, p.i+1, fmt.Sprintf(format, args...))
}

func (p *fileParser) record(words []string) error {
	r := &Record{Line: p.i + 1, Skip: p.skip, Only: p.only, Query: words[0] == "query"}
	p.skip, p.only = nil, nil
	switch {
	case r.Query && len(words) >= 2:
		r.Types = words[1]
		r.RowSort = len(words) > 2 && words[2] == "rowsort"
	case len(words) >= 2 && words[1] == "ok":
	case len(words) >= 2 && words[1] == "error":
		r.Error = "any"
		if len(words) > 2 {
			r.Error = words[2]
			r.Contains = strings.Join(words[3:], " ")
		}
	default:
		return p.errorf("malformed record")
	}
	lines := p.file.lines
	var sql []string
	for p.i++; p.i < len(lines) && strings.TrimSpace(lines[p.i]) != "" && lines[p.i] != "----"; p.i++ {
		sql = append(sql, lines[p.i])
	}
	r.SQL = strings.TrimSuffix(strings.Join(sql, "\n"), ";")
	if r.SQL == "" {
		return p.errorf("record without SQL")
	}
	r.wantAt, r.wantEnd = p.i, p.i
	if p.i < len(lines) && lines[p.i] == "----" {
		p.i++
		r.wantAt = p.i
		for ; p.i < len(lines) && lines[p.i] != ""; p.i++ {
			r.Want = append(r.Want, normalizeRow(lines[p.i], len(r.Types)))
		}
		r.wantEnd = p.i
	} else if r.Query {
		return p.errorf("query without ----")
	}
	p.file.Records = append(p.file.Records, r)
	return nil
}

// normalizeRow brings a row that is written with single spaces to tabs.
func normalizeRow(line string, columns int) string {
	if strings.Contains(line, "\t") || columns <= 1 {
		return line
	}
	if parts := strings.Split(line, " "); len(parts) == columns {
		return strings.Join(parts, "\t")
	}
	return line
}

// Rewrite writes the file back with the given rows as each query's expectation.
func (f *File) Rewrite(got map[*Record][]string) error {
	var out []string
	at := 0
	for _, r := range f.Records {
		rows, ok := got[r]
		if !ok {
			continue
		}
		out = append(out, f.lines[at:r.wantAt]...)
		out = append(out, rows...)
		at = r.wantEnd
	}
	out = append(out, f.lines[at:]...)
	return os.WriteFile(f.Path, []byte(strings.Join(out, "\n")+"\n"), 0o644)
}
