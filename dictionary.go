package basalt

import (
	"slices"
	"strings"

	"github.com/basaltdb/basalt/catalog"
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

// dictionaryCacheLimit is the global variable that bounds the bytes of dictionaries in memory; 0 is an eighth of the memory limit.
// Those that statements are using count, but stay.
const dictionaryCacheLimit = "dictionary_cache_limit"

// dictionaryLimit is what dictionaryCacheLimit comes to.
func (db *DB) dictionaryLimit() int64 {
	db.mu.Lock()
	defer db.mu.Unlock()
	if n := db.global.int(dictionaryCacheLimit); n > 0 {
		return n
	}
	return db.total / 8
}

// newDictionaries makes the cache of the global dictionaries; its memory, and that of the ones in use, is the process's.
func (db *DB) newDictionaries() *dictionary.Cache {
	held := db.memory.Reserve("dictionaries")
	return dictionary.NewCache(db.dictionaryLimit(), func(delta int64) {
		if delta < 0 {
			held.Shrink(-delta)
		} else {
			held.Force(delta)
		}
	})
}

// DictionaryCacheStats tells how the cache of global dictionaries does.
type DictionaryCacheStats = dictionary.CacheStats

// DictionaryCacheStats tells how the cache of global dictionaries does.
func (db *DB) DictionaryCacheStats() DictionaryCacheStats { return db.dictionaries.Stats() }

// dictionary opens the dictionary of a table's column and holds it: the ids that it gives are stored when the statement commits.
func (x *execution) dictionary(t *catalog.Table, column int32) (*dictionary.Dictionary, error) {
	db := x.s.db
	db.dictionaries.SetLimit(db.dictionaryLimit())
	key := dictionary.Key{Table: t.ID, Column: column}
	d, err := db.dictionaries.Open(key, func(d *dictionary.Dictionary) error {
		db.forgetDictionaries()
		return db.cat.ReadDictionary(key.Table, key.Column, d.Read)
	})
	if err == nil {
		x.dictionaries = append(x.dictionaries, d)
	}
	return d, err
}

// forgetDictionaries lets go of the dictionaries of tables that are no more; those that come back are read again.
func (db *DB) forgetDictionaries() {
	alive, snap := map[int64]bool{}, db.cat.Snapshot()
	for _, name := range snap.Databases() {
		for _, t := range snap.Tables(name) {
			alive[t.ID] = true
		}
	}
	db.dictionaries.Forget(func(k dictionary.Key) bool { return !alive[k.Table] })
}

// storeDictionaries stores what the dictionaries of a table have that the store lacks, whichever load it came with; those that the
// load opened are in memory, for its execution holds them. done is for when tx is committed.
func (db *DB) storeDictionaries(tx *catalog.Tx, t *catalog.Table) (done func(), err error) {
	open := db.dictionaries.Of(t.ID)
	tails := map[int32]dictionary.Tail{}
	for column, d := range open {
		if t.ColumnByID(column) == nil {
			continue
		}
		tails[column], err = d.Pending(func(first uint64, block []byte) error {
			tx.AppendDictionary(t.ID, column, first, block)
			return nil
		}, func(first uint64) { tx.DropDictionaryBlock(t.ID, column, first) })
		if err != nil {
			return nil, err
		}
	}
	return func() {
		for column, tail := range tails {
			open[column].Stored(tail)
		}
	}, nil
}
