package ast

func (f *formatter) createTable(n *CreateTable) {
	f.text("CREATE ")
	f.when(n.External, "EXTERNAL ")
	f.when(n.Temporary, "TEMPORARY ")
	f.text("TABLE ")
	f.when(n.IfNotExists, "IF NOT EXISTS ")
	f.fullName(n.Name)
	if n.Like != nil {
		f.text(" LIKE ")
		f.fullName(*n.Like)
		if len(n.LikeRollup) > 0 {
			f.text(" WITH ROLLUP")
			if n.LikeRollup[0] != "*" {
				f.text(" ")
				f.nameList(n.LikeRollup)
			}
		}
	}
	if len(n.ColumnNames) > 0 {
		f.text(" ")
		f.nameList(n.ColumnNames)
	}
	if len(n.Columns) > 0 {
		f.text(" (")
		f.list(len(n.Columns), func(i int) { f.columnDef(&n.Columns[i]) })
		for i := range n.Indexes {
			f.text(", ")
			f.index(&n.Indexes[i])
		}
		f.text(")")
	}
	f.dorisClauses(n)
	if n.Hive != nil {
		f.hiveClauses(n.Hive)
	}
	f.optionalProperties(n.Properties)
	f.label(n.LabelDatabase, n.Label)
	if n.Query != nil {
		f.text(" AS ")
		f.query(n.Query)
	}
}

func (f *formatter) columnDef(c *ColumnDef) {
	f.name(c.Name)
	if c.Type != nil {
		f.text(" ")
		f.typeName(c.Type)
	}
	f.when(c.Key, " KEY")
	f.when(c.AggType != "", " ", c.AggType)
	if c.Generated != nil {
		f.text(" AS (")
		f.expr(c.Generated)
		f.text(")")
	}
	f.when(c.NotNull, " NOT NULL")
	f.when(c.Null, " NULL")
	f.when(c.AutoIncrement, " AUTO_INCREMENT")
	f.clause(" DEFAULT ", c.Default)
	f.clause(" ON UPDATE ", c.OnUpdate)
	f.comment(c.Comment)
}

func (f *formatter) comment(s string) {
	if s != "" {
		f.text(" COMMENT ")
		f.str(s)
	}
}

func (f *formatter) index(x *IndexDef) {
	f.text("INDEX ")
	f.name(x.Name)
	f.text(" ")
	f.nameList(x.Columns)
	f.when(x.Using != "", " USING ", x.Using)
	f.optionalProperties(x.Properties)
	f.comment(x.Comment)
}

func (f *formatter) dorisClauses(n *CreateTable) {
	if n.Engine != "" {
		f.text(" ENGINE = ")
		f.str(n.Engine)
	}
	if n.KeysType != "" {
		f.text(" ", n.KeysType, " KEY ")
		f.nameList(n.Keys)
	}
	if len(n.ClusterKeys) > 0 {
		f.text(" ORDER BY ")
		f.nameList(n.ClusterKeys)
	}
	f.comment(n.Comment)
	if n.Partition != nil {
		f.partitionBy(n.Partition)
	}
	if d := n.Distributed; d != nil {
		f.text(" DISTRIBUTED BY ")
		if len(d.Hash) > 0 {
			f.text("HASH ")
			f.nameList(d.Hash)
		} else {
			f.text("RANDOM")
		}
		switch {
		case d.Buckets < 0:
			f.text(" BUCKETS AUTO")
		case d.Buckets > 0:
			f.text(" BUCKETS ")
			f.int(d.Buckets)
		}
	}
	if len(n.Rollups) > 0 {
		f.text(" ROLLUP (")
		f.list(len(n.Rollups), func(i int) { f.rollup(&n.Rollups[i]) })
		f.text(")")
	}
}

func (f *formatter) rollup(r *RollupDef) {
	f.name(r.Name)
	f.text(" ")
	f.nameList(r.Columns)
	if len(r.DupKeys) > 0 {
		f.text(" DUPLICATE KEY ")
		f.nameList(r.DupKeys)
	}
	if r.From != "" {
		f.text(" FROM ")
		f.name(r.From)
	}
	f.optionalProperties(r.Properties)
}

func (f *formatter) partitionBy(n *PartitionBy) {
	f.when(n.Auto, " AUTO")
	f.text(" PARTITION BY ")
	f.when(n.Kind != "", n.Kind, " ")
	f.text("(")
	f.exprs(n.Exprs)
	f.text(") (")
	f.list(len(n.Partitions), func(i int) { f.partitionDef(&n.Partitions[i]) })
	f.text(")")
}

func (f *formatter) partitionDef(d *PartitionDef) {
	if d.From != nil {
		f.text("FROM ")
		f.tuple(d.From)
		f.text(" TO ")
		f.tuple(d.To)
		f.text(" INTERVAL ")
		f.operand(d.Interval, bindPrimary)
		f.when(d.Unit != "", " ", d.Unit)
		return
	}
	f.text("PARTITION ")
	f.when(d.IfNotExists, "IF NOT EXISTS ")
	f.name(d.Name)
	switch {
	case d.LessThan != nil:
		f.text(" VALUES LESS THAN ")
		f.tuple(d.LessThan)
	case d.Lower != nil:
		f.text(" VALUES [")
		f.tuple(d.Lower)
		f.text(", ")
		f.tuple(d.Upper)
		f.text(")")
	case d.In != nil:
		f.text(" VALUES IN (")
		f.list(len(d.In), func(i int) { f.tuple(d.In[i]) })
		f.text(")")
	}
	if len(d.Properties) > 0 {
		f.text(" ")
		f.properties(d.Properties)
	}
}

// tuple prints (a, b).
func (f *formatter) tuple(list []Expr) {
	f.text("(")
	f.exprs(list)
	f.text(")")
}

func (f *formatter) hiveClauses(h *HiveTable) {
	if len(h.PartitionedBy) > 0 {
		f.text(" PARTITIONED BY (")
		f.list(len(h.PartitionedBy), func(i int) { f.columnDef(&h.PartitionedBy[i]) })
		f.text(")")
	}
	if len(h.ClusteredBy) > 0 {
		f.text(" CLUSTERED BY ")
		f.nameList(h.ClusteredBy)
		if len(h.SortedBy) > 0 {
			f.text(" SORTED BY (")
			f.orderItems(h.SortedBy)
			f.text(")")
		}
		f.text(" INTO ")
		f.int(h.Buckets)
		f.text(" BUCKETS")
	}
	if len(h.SkewedBy) > 0 {
		f.text(" SKEWED BY ")
		f.nameList(h.SkewedBy)
		f.text(" ON (")
		f.list(len(h.SkewedOn), func(i int) { f.tuple(h.SkewedOn[i]) })
		f.text(")")
	}
	f.when(h.StoredAsDirs, " STORED AS DIRECTORIES")
	if h.RowFormat != nil {
		f.rowFormat(h.RowFormat)
	}
	f.when(h.StoredAs != "", " STORED AS ", h.StoredAs)
	if h.InputFormat != "" || h.OutputFormat != "" {
		f.text(" STORED AS INPUTFORMAT ")
		f.str(h.InputFormat)
		f.text(" OUTPUTFORMAT ")
		f.str(h.OutputFormat)
	}
	if h.StoredBy != "" {
		f.text(" STORED BY ")
		f.str(h.StoredBy)
	}
	if len(h.WithSerdeProps) > 0 {
		f.text(" WITH SERDEPROPERTIES ")
		f.properties(h.WithSerdeProps)
	}
	if h.Location != "" {
		f.text(" LOCATION ")
		f.str(h.Location)
	}
	if len(h.TblProperties) > 0 {
		f.text(" TBLPROPERTIES ")
		f.properties(h.TblProperties)
	}
}

func (f *formatter) rowFormat(r *RowFormat) {
	f.text(" ROW FORMAT ")
	if r.Serde != "" {
		f.text("SERDE ")
		f.str(r.Serde)
		if len(r.Properties) > 0 {
			f.text(" WITH SERDEPROPERTIES ")
			f.properties(r.Properties)
		}
		return
	}
	f.text("DELIMITED")
	part := func(words string, s *string) {
		if s != nil {
			f.text(" ", words, " ")
			f.str(*s)
		}
	}
	part("FIELDS TERMINATED BY", r.Fields)
	part("ESCAPED BY", r.Escape)
	part("COLLECTION ITEMS TERMINATED BY", r.Collection)
	part("MAP KEYS TERMINATED BY", r.MapKeys)
	part("LINES TERMINATED BY", r.Lines)
	part("NULL DEFINED AS", r.NullAs)
}

func (f *formatter) createView(n *CreateView) {
	if n.Alter {
		f.text("ALTER VIEW ")
	} else {
		f.text("CREATE ")
		f.when(n.OrReplace, "OR REPLACE ")
		f.text("VIEW ")
		f.when(n.IfNotExists, "IF NOT EXISTS ")
	}
	f.fullName(n.Name)
	if len(n.Columns) > 0 {
		f.text(" (")
		f.list(len(n.Columns), func(i int) {
			f.name(n.Columns[i].Name)
			f.comment(n.Columns[i].Comment)
		})
		f.text(")")
	}
	f.comment(n.Comment)
	f.text(" AS ")
	f.query(n.Query)
}

func (f *formatter) createDatabase(n *CreateDatabase) {
	f.text("CREATE DATABASE ")
	f.when(n.IfNotExists, "IF NOT EXISTS ")
	f.databaseName(n.Name)
	f.comment(n.Comment)
	if n.Location != "" {
		f.text(" LOCATION ")
		f.str(n.Location)
	}
	f.optionalProperties(n.Properties)
}

func (f *formatter) drop(n *Drop) {
	f.text("DROP ", [...]string{TableObject: "TABLE", ViewObject: "VIEW", DatabaseObject: "DATABASE"}[n.Kind], " ")
	f.when(n.IfExists, "IF EXISTS ")
	f.list(len(n.Names), func(i int) { f.fullName(n.Names[i]) })
	f.when(n.Force, " FORCE")
}

func (f *formatter) truncate(n *Truncate) {
	f.text("TRUNCATE TABLE ")
	f.fullName(n.Name)
	if len(n.Specs) > 0 {
		f.text(" PARTITION ")
		f.partitionSpec(n.Specs)
	}
	if len(n.Partitions) > 0 {
		f.text(" PARTITION ")
		f.nameList(n.Partitions)
	}
	f.when(n.Force, " FORCE")
}

func (f *formatter) recover(n *Recover) {
	f.text("RECOVER ", n.Kind, " ")
	switch n.Kind {
	case "DATABASE":
		f.databaseName(n.Name)
	case "TABLE":
		f.fullName(n.Name)
	default:
		f.name(n.Partition)
	}
	if n.ID != 0 {
		f.text(" ")
		f.int(n.ID)
	}
	if n.As != "" {
		f.text(" AS ")
		f.name(n.As)
	}
	if n.Kind == "PARTITION" {
		f.text(" FROM ")
		f.fullName(n.Name)
	}
}
