package basalt

import (
	"path/filepath"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

func (x *execution) truncate(st *ast.Truncate) (*Rows, error) {
	if len(st.Partitions) > 0 {
		return nil, sqlerr.Unsupported("TRUNCATE … PARTITION").At(st.Position())
	}
	t, err := x.writableTable(st.Name)
	if err != nil {
		return nil, err
	}
	db := x.s.db
	var gone []string
	err = db.cat.Update(func(tx *catalog.Tx) error {
		gone = nil
		removed := map[string]bool{}
		for _, f := range tx.Table(t.Database, t.Name).Files {
			removed[f.Path] = true
			gone = append(gone, filepath.Join(db.location(t), f.Path))
		}
		return tx.SetFiles(t.Database, t.ID, removed, nil)
	})
	if err != nil {
		return nil, err
	}
	db.discard(gone...)
	return okRows(x.s, 0, ""), nil
}

func (x *execution) alterTable(st *ast.AlterTable) (*Rows, error) {
	if len(st.Actions) != 1 || st.Actions[0].Kind != "RENAME" {
		kind := "…"
		if len(st.Actions) > 0 {
			kind = st.Actions[0].Kind
		}
		return nil, sqlerr.Unsupported("ALTER TABLE " + kind).At(st.Position())
	}
	db, name, err := x.resolveName(st.Name)
	if err != nil {
		return nil, err
	}
	if x.snapshot.Table(db, name) == nil {
		return nil, sqlerr.New(sqlerr.UnknownTable, "Table '%s.%s' doesn't exist", db, name).At(st.Name.Position())
	}
	err = x.s.db.cat.Update(func(tx *catalog.Tx) error { return tx.RenameTable(db, name, st.Actions[0].NewName) })
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	return okRows(x.s, 0, ""), nil
}
