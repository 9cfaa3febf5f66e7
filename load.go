package basalt

import (
	"context"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
)

// load is LOAD DATA.
func (x *execution) load(ctx context.Context, st *ast.LoadData) (*Rows, error) {
	if st.Hive {
		return x.loadPath(ctx, st)
	}
	return nil, sqlerr.Unsupported("LOAD DATA INFILE").At(st.Position())
}
