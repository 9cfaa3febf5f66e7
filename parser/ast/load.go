package ast

import "strconv"

// TextClauses are MySQL's FIELDS and LINES of a text file; nil is what was not written.
type TextClauses struct {
	Fields, Enclosed, Escaped, Starting, Lines *string
	Optionally                                 bool // OPTIONALLY ENCLOSED BY
}

// LoadData is LOAD DATA [LOCAL] INFILE, MySQL's, and LOAD DATA [LOCAL] INPATH, Hive's.
type LoadData struct {
	Pos
	Local bool
	Path  string
	Name  Name

	// Hive's form.
	Hive               bool
	Overwrite          bool
	Partition          []PartitionSpec
	InputFormat, Serde string

	// MySQL's form.
	Duplicates string // "", "REPLACE", "IGNORE"
	Partitions []string
	Charset    string
	Text       *TextClauses
	SkipLines  int64
	Columns    []LoadColumn // of the file's lines; nil: the table's
	// Set computes columns. A user variable of Columns is a Column here, whose name begins with @.
	Set []Assignment
}

// LoadColumn is where a field of a line goes: a column, or a user variable (without @) that SET reads.
type LoadColumn struct {
	Pos
	Name     string
	Variable bool
}

func (*LoadData) isStatement() {}

func (f *formatter) intoOutfile(n *IntoOutfile) {
	f.text(" INTO OUTFILE ")
	f.str(n.Path)
	if n.Format != "" {
		f.text(" FORMAT AS ")
		f.str(n.Format)
	}
	f.optionalProperties(n.Properties)
	f.textFile(n.Charset, n.Text)
}

// textFile prints the clauses of a text file.
func (f *formatter) textFile(charset string, t *TextClauses) {
	if charset != "" {
		f.text(" CHARACTER SET ")
		f.str(charset)
	}
	if t == nil {
		return
	}
	part := func(words string, s *string) {
		if s != nil {
			f.text(words)
			f.str(*s)
		}
	}
	f.when(t.Fields != nil || t.Enclosed != nil || t.Escaped != nil, " FIELDS")
	part(" TERMINATED BY ", t.Fields)
	f.when(t.Optionally, " OPTIONALLY")
	part(" ENCLOSED BY ", t.Enclosed)
	part(" ESCAPED BY ", t.Escaped)
	f.when(t.Starting != nil || t.Lines != nil, " LINES")
	part(" STARTING BY ", t.Starting)
	part(" TERMINATED BY ", t.Lines)
}

func (f *formatter) loadData(n *LoadData) {
	f.text("LOAD DATA ")
	f.when(n.Local, "LOCAL ")
	if n.Hive {
		f.text("INPATH ")
		f.str(n.Path)
		f.when(n.Overwrite, " OVERWRITE")
	} else {
		f.text("INFILE ")
		f.str(n.Path)
		f.when(n.Duplicates != "", " ", n.Duplicates)
	}
	f.text(" INTO TABLE ")
	f.fullName(n.Name)
	if len(n.Partition) > 0 {
		f.text(" PARTITION ")
		f.partitionSpec(n.Partition)
	}
	if len(n.Partitions) > 0 {
		f.text(" PARTITION ")
		f.nameList(n.Partitions)
	}
	if n.InputFormat != "" {
		f.text(" INPUTFORMAT ")
		f.str(n.InputFormat)
		f.text(" SERDE ")
		f.str(n.Serde)
	}
	f.textFile(n.Charset, n.Text)
	if n.SkipLines != 0 {
		f.text(" IGNORE ", strconv.FormatInt(n.SkipLines, 10), " LINES")
	}
	if len(n.Columns) > 0 {
		f.text(" (")
		f.list(len(n.Columns), func(i int) {
			if c := &n.Columns[i]; c.Variable {
				f.variable(&Variable{Name: c.Name})
			} else {
				f.name(c.Name)
			}
		})
		f.text(")")
	}
	f.when(len(n.Set) > 0, " SET ")
	f.assignments(n.Set)
}

func (f *formatter) assignments(list []Assignment) {
	f.list(len(list), func(i int) {
		f.name(list[i].Column)
		f.text(" = ")
		f.expr(list[i].Value)
	})
}
