package catalog

import (
	"bytes"
	"encoding/gob"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/basaltdb/basalt/storage"
)

// Change is a write to folders that are not ours, of external tables: it is written down before the first file
// is touched and ends in the transaction that makes it count, so that what a crash leaves can be taken
// back.
type Change struct {
	ID int64
	storage.FolderChange
}

var bucketChanges = []byte("changes")

// BeginChange writes c down, giving it an ID, or replaces what was written of it.
func (tx *Tx) BeginChange(c *Change) {
	if c.ID == 0 {
		c.ID = tx.NewID()
	}
	tx.ownChanges()
	kept := *c
	tx.st.changes[c.ID] = &kept
	tx.ops = append(tx.ops, func(b *bbolt.Tx) error {
		var data bytes.Buffer // not JSON, which would spoil paths that are not UTF-8
		if err := gob.NewEncoder(&data).Encode(&kept); err != nil {
			return err
		}
		return b.Bucket(bucketChanges).Put(idKey(kept.ID), data.Bytes())
	})
}

// EndChange forgets a change: all of it counts, or it was taken back.
func (tx *Tx) EndChange(id int64) {
	tx.ownChanges()
	delete(tx.st.changes, id)
	tx.ops = append(tx.ops, del(bucketChanges, idKey(id)))
}

func (tx *Tx) ownChanges() {
	if !tx.ownsChanges {
		tx.st.changes, tx.ownsChanges = maps.Clone(tx.st.changes), true
		if tx.st.changes == nil {
			tx.st.changes = map[int64]*Change{}
		}
	}
}

// Changes are those that have not ended, the first begun first.
func (c *Catalog) Changes() []*Change {
	st := c.current.Load()
	var out []*Change
	for _, id := range slices.Sorted(maps.Keys(st.changes)) {
		out = append(out, st.changes[id])
	}
	return out
}

func loadChanges(tx *bbolt.Tx, st *state) error {
	b := tx.Bucket(bucketChanges)
	if b == nil {
		return nil
	}
	st.changes = map[int64]*Change{}
	return b.ForEach(func(_, data []byte) error {
		c := &Change{}
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(c); err != nil {
			return err
		}
		st.changes[c.ID] = c
		return nil
	})
}
