package catalog

import (
	"bytes"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// bucketDictionaries holds the global dictionaries of columns, see internal/dictionary, block by block.
var bucketDictionaries = []byte("dictionaries")

// dictionaryPrefix is what the keys of a dictionary's blocks begin with; the id of the first entry follows.
func dictionaryPrefix(table int64, column int32) []byte {
	return binary.BigEndian.AppendUint32(idKey(table), uint32(column))
}

// AppendDictionary stores a block of the dictionary of a table's column: with the rows that use it, or not at all.
func (tx *Tx) AppendDictionary(table int64, column int32, first uint64, block []byte) {
	key := binary.BigEndian.AppendUint64(dictionaryPrefix(table, column), first)
	tx.ops = append(tx.ops, func(b *bbolt.Tx) error { return b.Bucket(bucketDictionaries).Put(key, block) })
}

// DropDictionaryBlock takes a block away whose entries AppendDictionary stores with another one.
func (tx *Tx) DropDictionaryBlock(table int64, column int32, first uint64) {
	key := binary.BigEndian.AppendUint64(dictionaryPrefix(table, column), first)
	tx.ops = append(tx.ops, func(b *bbolt.Tx) error { return b.Bucket(bucketDictionaries).Delete(key) })
}

// ReadDictionary calls f for the blocks of a dictionary in the order of their first ids. They are valid during the call.
func (c *Catalog) ReadDictionary(table int64, column int32, f func(first uint64, block []byte) error) error {
	if c.store == nil {
		return nil
	}
	var failed error
	err := c.store.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketDictionaries)
		if b == nil {
			return nil
		}
		prefix := dictionaryPrefix(table, column)
		cur := b.Cursor()
		for k, block := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, block = cur.Next() {
			if len(k) != len(prefix)+8 {
				continue
			}
			if failed = f(binary.BigEndian.Uint64(k[len(prefix):]), block); failed != nil {
				return failed
			}
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read the catalog")
	}
	return nil
}

// DropDictionary forgets the dictionary of a column, if it has one.
func (tx *Tx) DropDictionary(table int64, column int32) {
	tx.ops = append(tx.ops, dropDictionary(dictionaryPrefix(table, column)))
}

// dropDictionaries forgets those of a table that goes for good.
func dropDictionaries(table int64) storeOp { return dropDictionary(idKey(table)) }

func dropDictionary(prefix []byte) storeOp {
	return func(tx *bbolt.Tx) error {
		cur := tx.Bucket(bucketDictionaries).Cursor()
		for k, _ := cur.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cur.Seek(prefix) {
			if err := cur.Delete(); err != nil {
				return err
			}
		}
		return nil
	}
}

// Dictionary is the column whose ids, those that its global dictionary gives, this one holds; nil for other columns. A BITMAP
// column has a dictionary of its own.
func (t *Table) Dictionary(c *Column) *Column {
	if c.DictionaryOf == 0 {
		return nil
	}
	return t.ColumnByID(c.DictionaryOf)
}
