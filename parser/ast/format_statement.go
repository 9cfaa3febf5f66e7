package ast

import (
	"fmt"
	"strconv"
	"strings"
)

func (f *formatter) statement(s Statement) {
	switch s := s.(type) {
	case Query:
		f.query(s)
	case *Explain:
		f.explain(s)
	case *CreateTable:
		f.createTable(s)
	case *CreateView:
		f.createView(s)
	case *CreateDatabase:
		f.createDatabase(s)
	case *Drop:
		f.drop(s)
	case *Truncate:
		f.truncate(s)
	case *Insert:
		f.insert(s)
	case *MultiInsert:
		f.text("FROM ")
		f.table(s.From)
		for _, n := range s.Inserts {
			f.text(" ")
			f.insert(n)
		}
	case *LoadData:
		f.loadData(s)
	case *Delete:
		f.delete(s)
	case *Update:
		f.update(s)
	case *AlterTable:
		f.text("ALTER TABLE ")
		f.fullName(s.Name)
		f.text(" ")
		f.list(len(s.Actions), func(i int) { f.text(s.Actions[i].Rest) })
	case *Recover:
		f.recover(s)
	case *Repair:
		f.text("MSCK ")
		f.when(s.Repair, "REPAIR ")
		f.text("TABLE ")
		f.fullName(s.Name)
		f.when(s.Mode != "", " ", s.Mode, " PARTITIONS")
	case *CreateMaterializedView:
		f.text("CREATE MATERIALIZED VIEW ")
		f.when(s.IfNotExists, "IF NOT EXISTS ")
		f.fullName(s.Name)
		f.text(" AS ")
		f.query(s.Query)
		f.optionalProperties(s.Properties)
	case *DropMaterializedView:
		f.text("DROP MATERIALIZED VIEW ")
		f.when(s.IfExists, "IF EXISTS ")
		f.fullName(s.Name)
		f.text(" ON ")
		f.fullName(s.Table)
	case *RenameTable:
		f.text("RENAME TABLE ")
		f.list(len(s.From), func(i int) {
			f.fullName(s.From[i])
			f.text(" TO ")
			f.fullName(s.To[i])
		})
	case *CancelLoad:
		f.text("CANCEL LOAD")
		if s.Database != "" {
			f.text(" FROM ")
			f.name(s.Database)
		}
		f.text(" WHERE ")
		f.expr(s.Where)
	case *CleanLabel:
		f.text("CLEAN LABEL ")
		if s.Label != "" {
			f.str(s.Label)
			f.text(" ")
		}
		f.text("FROM ")
		f.name(s.Database)
	case *CancelAlter:
		f.text("CANCEL ALTER TABLE ", s.Kind, " FROM ")
		f.fullName(s.Table)
		if len(s.Jobs) > 0 {
			f.text(" (")
			f.list(len(s.Jobs), func(i int) { f.int(s.Jobs[i]) })
			f.text(")")
		}
	case *Admin:
		f.text(s.Text)
	default:
		f.session(s)
	}
}

// session prints the statements about sessions and metadata.
func (f *formatter) session(s Statement) {
	switch s := s.(type) {
	case *Set:
		f.text("SET ")
		f.list(len(s.Items), func(i int) { f.setItem(&s.Items[i]) })
	case *Use:
		f.use(s)
	case *Show:
		f.show(s)
	case *Describe:
		f.describe(s)
	case *Kill:
		f.text("KILL ")
		f.when(s.Query, "QUERY ")
		if s.QueryID != "" {
			f.str(s.QueryID)
		} else {
			f.text(strconv.FormatUint(s.ID, 10))
		}
	case *Transaction:
		f.text(s.Op)
		if s.Label != "" {
			f.text(" WITH LABEL ")
			f.str(s.Label)
		}
	case *Analyze:
		f.analyze(s)
	case *DropStats:
		f.text("DROP STATS ")
		f.fullName(s.Name)
		if len(s.Columns) > 0 {
			f.text(" ")
			f.nameList(s.Columns)
		}
	case *Prepare:
		f.text("PREPARE ")
		f.name(s.Name)
		f.text(" FROM ")
		f.expr(s.Text)
	case *Execute:
		f.text("EXECUTE ")
		f.name(s.Name)
		f.when(len(s.Using) > 0, " USING ")
		f.list(len(s.Using), func(i int) { f.variable(&Variable{Name: s.Using[i]}) })
	case *Deallocate:
		f.text("DEALLOCATE PREPARE ")
		f.name(s.Name)
	default:
		panic(fmt.Sprintf("ast: no format for %T", s))
	}
}

func (f *formatter) explain(e *Explain) {
	f.text("EXPLAIN ")
	switch e.Mode {
	case "":
	case "VERBOSE", "ANALYZE", "GRAPH":
		f.text(e.Mode, " ")
	case "TREE":
		f.text("TREE ")
	case "JSON":
		f.text("FORMAT = JSON ")
	default:
		f.text(e.Mode, " PLAN ")
		f.when(e.Process, "PROCESS ")
	}
	f.statement(e.Statement)
}

func (f *formatter) insert(n *Insert) {
	switch {
	case n.Overwrite:
		f.text("INSERT OVERWRITE TABLE ")
	case n.Replace:
		f.text("REPLACE INTO ")
	default:
		f.text("INSERT INTO ")
	}
	f.fullName(n.Name)
	switch {
	case n.AutoDetect:
		f.text(" PARTITION (*)")
	case len(n.Partition) > 0:
		f.text(" PARTITION ")
		f.partitionSpec(n.Partition)
	case len(n.Partitions) > 0:
		if n.Temporary {
			f.text(" TEMPORARY")
		}
		f.text(" PARTITION ")
		f.nameList(n.Partitions)
	}
	f.when(n.IfNotExists, " IF NOT EXISTS")
	f.label(n.LabelDatabase, n.Label)
	if len(n.Columns) > 0 {
		f.text(" ")
		f.nameList(n.Columns)
	}
	if len(n.Hints) > 0 {
		f.text(" [")
		f.names(n.Hints)
		f.text("]")
	}
	f.text(" ")
	f.query(n.Query)
}

func (f *formatter) partitionSpec(list []PartitionSpec) {
	f.text("(")
	f.list(len(list), func(i int) {
		f.name(list[i].Column)
		if list[i].Value != nil {
			f.text(" ", list[i].Op, " ")
			f.expr(list[i].Value)
		}
	})
	f.text(")")
}

func (f *formatter) delete(n *Delete) {
	f.text("DELETE FROM ")
	f.fullName(n.Name)
	if len(n.Partitions) > 0 {
		f.text(" PARTITION ")
		f.nameList(n.Partitions)
	}
	f.alias(n.Alias, nil)
	if len(n.Using) > 0 {
		f.text(" USING ")
		f.tables(n.Using)
	}
	f.clause(" WHERE ", n.Where)
}

func (f *formatter) update(n *Update) {
	f.text("UPDATE ")
	f.fullName(n.Name)
	f.alias(n.Alias, nil)
	f.text(" SET ")
	f.assignments(n.Set)
	if len(n.From) > 0 {
		f.text(" FROM ")
		f.tables(n.From)
	}
	f.clause(" WHERE ", n.Where)
}

func (f *formatter) setItem(it *SetItem) {
	switch it.Scope {
	case "":
	case "user":
		f.variable(&Variable{Name: it.Name})
		f.text(" = ")
		f.setValue(it.Value)
		return
	default:
		f.text(strings.ToUpper(it.Scope), " ")
	}
	switch it.Name {
	case "names", "charset":
		f.text(strings.ToUpper(it.Name), " ")
		f.setValue(it.Value)
		return
	case "transaction":
		if l, ok := it.Value.(*Literal); ok {
			f.text("TRANSACTION ", l.Text)
			return
		}
	}
	for i, part := range strings.Split(it.Name, ".") {
		f.when(i > 0, ".")
		f.name(part)
	}
	f.text(" = ")
	f.setValue(it.Value)
}

// setValue prints a column in brackets, since a bare word is a string after SET.
func (f *formatter) setValue(e Expr) {
	if c, ok := e.(*Column); ok && c.Table == "" {
		f.text("(")
		f.expr(c)
		f.text(")")
		return
	}
	f.expr(e)
}

func (f *formatter) use(u *Use) {
	if u.Database == "" {
		f.text("SWITCH ")
		f.name(u.Catalog)
		return
	}
	f.text("USE ")
	if u.Catalog != "" {
		f.name(u.Catalog)
		f.text(".")
	}
	f.name(u.Database)
}

// show prints names and arguments in quotes where they could be taken for keywords.
func (f *formatter) show(s *Show) {
	f.text("SHOW ")
	f.when(s.Full, "FULL ")
	f.when(s.Scope != "", s.Scope, " ")
	if rest, ok := strings.CutPrefix(s.What, "COUNT "); ok {
		f.text("COUNT(*) ", rest)
	} else {
		f.text(s.What)
	}
	if s.Name.Name != "" {
		f.when(!strings.HasPrefix(s.What, "CREATE "), " FROM")
		f.text(" ")
		f.fullName(s.Name)
	}
	for _, a := range s.Args {
		f.text(" ")
		if len(a) == 1 && strings.Contains("(),=.:*", a) {
			f.text(a)
		} else {
			f.str(a)
		}
	}
	if s.From != "" {
		f.text(" FROM ")
		for i, part := range strings.Split(s.From, ".") {
			f.when(i > 0, ".")
			f.name(part)
		}
	}
	if s.Like != nil {
		f.text(" LIKE ")
		f.str(*s.Like)
	}
	if len(s.Partition) > 0 {
		f.text(" PARTITION ")
		f.partitionSpec(s.Partition)
	}
	f.clause(" WHERE ", s.Where)
	f.orderAndLimit(s.Order, s.Limit)
}

func (f *formatter) describe(d *Describe) {
	f.text("DESCRIBE ")
	f.when(d.Mode != "" && d.Mode != "ALL", d.Mode, " ")
	if d.Function != nil {
		f.table(d.Function)
		return
	}
	f.fullName(d.Name)
	if len(d.Partition) > 0 {
		f.text(" PARTITION ")
		f.partitionSpec(d.Partition)
	}
	f.when(d.Mode == "ALL", " ALL")
	if d.Column != "" {
		f.text(" ")
		f.str(d.Column)
	}
}

func (f *formatter) analyze(a *Analyze) {
	if a.Database != "" {
		f.text("ANALYZE DATABASE ")
		f.name(a.Database)
	} else {
		f.text("ANALYZE TABLE ")
		f.fullName(a.Name)
	}
	if len(a.Partition) > 0 {
		f.text(" PARTITION ")
		f.partitionSpec(a.Partition)
	}
	if len(a.Columns) > 0 && !a.ForColumns {
		f.text(" ")
		f.nameList(a.Columns)
	}
	f.when(a.Sync, " WITH SYNC")
	if a.Sample != nil {
		f.text(" WITH SAMPLE ", a.SampleUnit, " ")
		f.expr(a.Sample)
	}
	f.when(a.Compute, " COMPUTE STATISTICS")
	if a.ForColumns {
		f.text(" FOR COLUMNS ")
		f.names(a.Columns)
	}
	f.when(a.NoScan, " NOSCAN")
	f.optionalProperties(a.Options)
}

// label prints WITH LABEL, after a space.
func (f *formatter) label(database, label string) {
	if label == "" {
		return
	}
	f.text(" WITH LABEL ")
	if database != "" {
		f.name(database)
		f.text(".")
	}
	f.str(label)
}
