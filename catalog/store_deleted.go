package catalog

import (
	"bytes"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/basaltdb/basalt/internal/rowset"
)

// maxDeletedParts is how many records the deleted rows of a file are stored as, before they become one.
const maxDeletedParts = 16

// deletedPrefix is what the keys of the deleted rows of a file start with.
func deletedPrefix(id int64, path string) []byte { return append(fileKey(id, path), 0) }

func putDeleted(tx *bbolt.Tx, id int64, path string, number int64, gone *rowset.Set) error {
	data, err := gone.MarshalBinary()
	if err != nil {
		return err
	}
	return tx.Bucket(bucketDeleted).Put(binary.BigEndian.AppendUint64(deletedPrefix(id, path), uint64(number)), data)
}

// deleteRows adds gone, rows that are there so far, to the deleted rows of f, and gives the change of the store. Each change
// is one record more, so that it costs what it is worth; now and then they become one.
func deleteRows(t *Table, f *DataFile, gone *rowset.Set, number int64) storeOp {
	f.Deleted = f.Deleted.Union(gone)
	f.parts++
	id, path, all := t.ID, f.Path, f.Deleted
	if f.parts < maxDeletedParts {
		return func(tx *bbolt.Tx) error { return putDeleted(tx, id, path, number, gone) }
	}
	f.parts = 1
	return func(tx *bbolt.Tx) error {
		if err := removeDeleted(tx, id, path); err != nil {
			return err
		}
		return putDeleted(tx, id, path, number, all)
	}
}

func removeDeleted(tx *bbolt.Tx, id int64, path string) error {
	prefix := deletedPrefix(id, path)
	b := tx.Bucket(bucketDeleted)
	if b == nil {
		return nil
	}
	var keys [][]byte // a cursor may pass over records when it deletes
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+8; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// loadDeleted reads the deleted rows of f.
func loadDeleted(tx *bbolt.Tx, id int64, f *DataFile) error {
	b := tx.Bucket(bucketDeleted)
	if b == nil { // a catalog of an earlier version
		return nil
	}
	prefix := deletedPrefix(id, f.Path)
	c := b.Cursor()
	for k, data := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(k) == len(prefix)+8; k, data = c.Next() {
		part := &rowset.Set{}
		if err := part.UnmarshalBinary(bytes.Clone(data)); err != nil {
			return err
		}
		f.Deleted = f.Deleted.Union(part)
		f.parts++
	}
	return nil
}
