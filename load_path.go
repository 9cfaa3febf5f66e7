package basalt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/storage"
	"github.com/basaltdb/basalt/storage/hive"
	"github.com/basaltdb/basalt/storage/table"
)

// loadPath is Hive's LOAD DATA [LOCAL] INPATH. Files go to the folder of an external table as they are, under their names; tables
// that are ours, and tables with buckets, take the files' rows instead, as INSERT would. Without LOCAL the
// source files are removed when the load counts.
func (x *execution) loadPath(ctx context.Context, st *ast.LoadData) (*Rows, error) {
	t, err := x.insertTable(st.Name)
	if err != nil {
		return nil, err
	}
	if st.InputFormat != "" {
		return nil, sqlerr.Unsupported("INPUTFORMAT … SERDE of LOAD DATA").At(st.Position())
	}
	if t.InPath() && len(st.Partition) == 0 {
		return nil, sqlerr.New(sqlerr.WrongUsage, "Need to specify partition columns because the destination table is partitioned").At(st.Position())
	}
	files, err := x.loadedFiles(t, st)
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	open, err := openerOf(t)
	if err != nil {
		return nil, err
	}
	src, err := open(x.s.db.fs, files, fileColumns(t))
	if err == nil {
		err = x.checkFormat(t, files)
	}
	if err != nil {
		return nil, sqlerr.From(err).At(st.Position())
	}
	insert := &ast.Insert{Pos: st.Pos, Name: st.Name, Overwrite: st.Overwrite, Partition: st.Partition}
	rows, err := x.inTransaction(t, loadKind, loadLabel{}, func() (*Rows, error) {
		if t.Kind == catalog.External && t.Distribution.Kind == catalog.NotDistributed {
			return x.copyLoaded(ctx, t, insert, files)
		}
		return x.insertLoaded(ctx, insert, src)
	})
	if err != nil || st.Local {
		return rows, err
	}
	for _, f := range files {
		if err := x.s.db.fs.Remove(f); err != nil {
			x.warn(err) // the rows are in the table
		}
	}
	return rows, nil
}

// loadedFiles are the files that a load takes.
func (x *execution) loadedFiles(t *catalog.Table, st *ast.LoadData) ([]string, error) {
	path, err := x.filePath(st.Path)
	if err != nil {
		return nil, err
	}
	path = strings.TrimSuffix(path, "/")
	if within(realPath(path), realPath(x.s.db.location(t))) {
		return nil, sqlerr.New(sqlerr.WrongArguments, "the path %s lies in the table's own folder", path)
	}
	info, err := x.s.db.fs.Stat(path)
	if err == nil && info.IsDir {
		entries, err := x.s.db.fs.List(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir && !hive.Hidden(e.Name) {
				return nil, sqlerr.New(sqlerr.WrongArguments, "source contains directory: %s", filepath.Join(path, e.Name))
			}
		}
	}
	files, err := x.s.db.listFiles(path)
	if err == nil && len(files) == 0 {
		err = sqlerr.New(sqlerr.FileNotFound, "Invalid path '%s': No files matching path", path)
	}
	return files, err
}

// magics are first bytes that text files do not have.
var magics = map[string]string{"ORC": "ORC", "PAR1": "Parquet", "SEQ": "SequenceFile", "Obj\x01": "Avro", "RCF": "RCFile"}

// checkFormat refuses files of other formats for a table of text; other formats are checked when files are opened.
func (x *execution) checkFormat(t *catalog.Table, files []string) error {
	if !isTextTable(t) {
		return nil
	}
	for _, path := range files {
		f, err := x.s.db.fs.Open(path)
		if err != nil {
			return err
		}
		var head [4]byte
		n, _ := f.ReadAt(head[:], 0) // short files have less
		_ = f.Close()
		for magic, name := range magics {
			if strings.HasPrefix(string(head[:n]), magic) {
				return sqlerr.New(sqlerr.CorruptFile, "Wrong file format. Please check the file's format: %s is %s, the table is %s", path, name, t.Format)
			}
		}
	}
	return nil
}

// copyLoaded copies files to the folder of an external table, all or none.
func (x *execution) copyLoaded(ctx context.Context, t *catalog.Table, insert *ast.Insert, files []string) (*Rows, error) {
	w, err := x.newPathWrite(t, insert)
	if err != nil {
		return nil, err
	}
	if len(w.dynamic) > 0 {
		return nil, sqlerr.New(sqlerr.WrongUsage, "LOAD DATA needs a value for every partition column").At(insert.Position())
	}
	if err := w.checkWritable(); err != nil {
		return nil, err
	}
	db := x.s.db
	staging := filepath.Join(t.Location, fmt.Sprintf("_staging_%d_%016x", db.newTxn(), rand.Uint64()))
	w.change = &catalog.Change{FolderChange: storage.FolderChange{Staging: staging}}
	w.loaded = true
	defer x.endWrite(w)
	if err := db.cat.Update(func(tx *catalog.Tx) error { tx.BeginChange(w.change); return nil }); err != nil {
		return nil, err
	}
	var staged []table.File
	for k, from := range files {
		if ctx.Err() != nil {
			return nil, sqlerr.Wrap(sqlerr.Interrupted, context.Cause(ctx), "the load was interrupted")
		}
		f := table.File{Name: filepath.Join(fmt.Sprint(k), filepath.Base(from)), Partition: int64(len(w.parts))}
		if err := db.fs.MkdirAll(filepath.Join(staging, fmt.Sprint(k))); err != nil {
			return nil, err
		}
		if err := copyFile(db.fs, from, filepath.Join(staging, f.Name)); err != nil {
			return nil, err
		}
		staged = append(staged, f)
	}
	err = x.publish(ctx, published{table: t.ID, outside: func(also func(tx *catalog.Tx) error) error { return w.commitExternal(staged, also) }}.measuredFiles(staged))
	if err != nil {
		return nil, err
	}
	return okRows(x.s, 0, ""), nil
}

// insertLoaded inserts the rows of a source.
func (x *execution) insertLoaded(ctx context.Context, insert *ast.Insert, src storage.Source) (*Rows, error) {
	x.given = src
	insert.Query = &ast.Select{Pos: insert.Pos, Items: []ast.SelectItem{{Pos: insert.Pos, Star: true, Text: "*"}}, From: []ast.TableExpr{givenTable(insert.Pos)}}
	return x.insert(ctx, insert)
}

// givenName is the table function of the rows of execution.given; no text can have the name.
const givenName = "given rows"

func givenTable(pos ast.Pos) ast.TableExpr { return &ast.TableFunction{Pos: pos, Name: givenName} }
