package basalt

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
)

// dictionaryProperty names the columns of a table that have a global dictionary, with commas between. A BITMAP column takes values
// of any type then and holds their ids; another column gets a hidden one beside it with the ids of its values.
const dictionaryProperty = "bitmap_dict"

// defineDictionaries adds the hidden columns of ids.
func defineDictionaries(t *catalog.Table) error {
	text := t.Properties[dictionaryProperty]
	if text == "" {
		return nil
	}
	if t.Hive || t.Kind != catalog.Internal {
		return sqlerr.Unsupported(dictionaryProperty + " of a table of Hive")
	}
	for _, name := range strings.Split(text, ",") {
		name = strings.TrimSpace(name)
		c := t.ColumnNamed(name)
		switch {
		case c == nil || c.Hidden:
			return sqlerr.Detail("Dictionary column does not exist in table. invalid column: %s", name)
		case slices.ContainsFunc(t.Columns, func(o catalog.Column) bool { return o.DictionaryOf == c.ID }):
			return sqlerr.Detail("Duplicated dictionary column[%s].", name)
		case c.Type.Kind == sqltype.Bitmap:
			c.DictionaryOf = c.ID
			continue
		case c.Type.IsFloat() || c.Type.IsNested() || c.Type.IsOpaque() || c.Type.Kind == sqltype.JSON:
			return sqlerr.Detail("%s Type cannot have a dictionary. invalid column: %s", typeWord(c.Type), name)
		case t.Model == catalog.AggregateKey && !c.Key && !c.Aggregation.Replaces():
			return sqlerr.Detail("A value column with aggregate type %s cannot have a dictionary. invalid column: %s", c.Aggregation, name)
		}
		ids := hiddenColumn(t, catalog.DictionaryPrefix+c.Name, sqltype.T(sqltype.BigInt), c.Nullable)
		ids.DictionaryOf = c.ID
		if t.Model == catalog.AggregateKey {
			if ids.Aggregation = c.Aggregation; c.Key {
				ids.Aggregation = function.ReplaceAggregation
			}
		}
		t.Columns = append(t.Columns, ids)
	}
	return nil
}

// idsOf is the hidden column with the ids of a column's values; nil when it has no dictionary.
func idsOf(t *catalog.Table, c *catalog.Column) *catalog.Column {
	for i := range t.Columns {
		if ids := &t.Columns[i]; ids.Hidden && ids.DictionaryOf == c.ID {
			return ids
		}
	}
	return nil
}

// numbersKey reports the hidden column of a key's ids: rows with the same key have the same one.
func numbersKey(t *catalog.Table, c *catalog.Column) bool {
	of := t.Dictionary(c)
	return c.Hidden && of != nil && of.Key
}

// sameTexts reports whether values have the same text in both types: a dictionary numbers texts.
func sameTexts(from, to sqltype.Type) bool {
	return to.IsString() || from.IsInteger() && to.IsInteger()
}

// dropDictionary forgets the dictionary of a column that is gone, and the column of its ids.
func (c *columnChange) dropDictionary(gone *catalog.Column) {
	if ids := idsOf(c.t, gone); ids != nil {
		c.t.RemoveColumn(ids.ID)
	}
	c.tx.DropDictionary(c.t.ID, gone.ID)
}

type dictionaryKey struct {
	table  int64
	column int32
}

// dictionaries are those that are in memory: all that were used since Open.
type dictionaries struct {
	mu   sync.Mutex
	open map[dictionaryKey]*openDictionary
	held *budget.Reservation
}

type openDictionary struct {
	once sync.Once
	dict atomic.Pointer[dictionary.Dictionary] // nil until it was read
	err  error
}

// dictionary opens the dictionary of a table's column.
func (db *DB) dictionary(t *catalog.Table, column int32) (*dictionary.Dictionary, error) {
	n := &db.numbering
	key := dictionaryKey{t.ID, column}
	n.mu.Lock()
	o := n.open[key]
	if o == nil {
		if n.open == nil {
			n.open = map[dictionaryKey]*openDictionary{}
			n.held = db.memory.Reserve("dictionaries")
		}
		n.forgetDropped(db.cat.Snapshot(), key.table)
		o = &openDictionary{}
		n.open[key] = o
	}
	n.mu.Unlock()
	o.once.Do(func() {
		d := dictionary.New(func(delta int64) {
			if delta < 0 {
				n.held.Shrink(-delta)
			} else {
				n.held.Force(delta)
			}
		})
		if o.err = db.cat.ReadDictionary(key.table, key.column, d.Read); o.err != nil {
			d.Release()
			return
		}
		o.dict.Store(d)
	})
	if o.err != nil {
		n.mu.Lock()
		if n.open[key] == o { // the next one tries again
			delete(n.open, key)
		}
		n.mu.Unlock()
		return nil, o.err
	}
	return o.dict.Load(), nil
}

// forgetDropped frees the dictionaries of tables that are no more; those that come back are read again. The table but is one
// that CREATE TABLE AS is making.
func (n *dictionaries) forgetDropped(s catalog.Snapshot, but int64) {
	alive := map[int64]bool{but: true}
	for _, db := range s.Databases() {
		for _, t := range s.Tables(db) {
			alive[t.ID] = true
		}
	}
	for key, o := range n.open {
		if d := o.dict.Load(); !alive[key.table] && d != nil && d.IsStored() {
			d.Release()
			delete(n.open, key)
		}
	}
}

// storeDictionaries stores what the dictionaries of a table have that the store lacks, whichever load it came with. done is for
// when tx is committed.
func (db *DB) storeDictionaries(tx *catalog.Tx, t *catalog.Table) (done func(), err error) {
	n := &db.numbering
	n.mu.Lock()
	open := map[int32]*dictionary.Dictionary{}
	for key, o := range n.open {
		if d := o.dict.Load(); key.table == t.ID && d != nil && t.ColumnByID(key.column) != nil {
			open[key.column] = d
		}
	}
	n.mu.Unlock()
	tails := map[int32]dictionary.Tail{}
	for column, d := range open {
		tails[column], err = d.Pending(func(first uint64, block []byte) error {
			tx.AppendDictionary(t.ID, column, first, block)
			return nil
		}, func(first uint64) { tx.DropDictionaryBlock(t.ID, column, first) })
		if err != nil {
			return nil, err
		}
	}
	return func() {
		for column, d := range open {
			d.Stored(tails[column])
		}
	}, nil
}
