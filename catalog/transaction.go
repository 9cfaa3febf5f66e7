package catalog

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// Transaction is what stays on record of a write that counts: a statement that brought or changed rows, under a label
// that is used once in its database. It is stored in the Update that makes the rows visible, so that a label is there
// exactly when its rows are. Immutable.
type Transaction struct {
	ID         int64
	Label      string
	Named      bool // the label is the user's own; else it was made up
	DatabaseID int64
	Database   string // as named at the time
	Table      string // several: separated by commas
	Kind       string // "INSERT", "LOAD DATA", "DELETE", "UPDATE"
	User       string
	State      TransactionState
	Reason     string `json:",omitempty"` // of an aborted one
	// Began is when the statement began, Finished when its rows became visible, or it gave up.
	Began, Finished time.Time
	Timeout         int64 // seconds
	Rows, Filtered  int64 // that came; that the table could not take
	Files, Bytes    int64 // written
}

// TransactionState is Doris's word for how far a Transaction is.
type TransactionState string

// Transaction states. The catalog stores visible ones alone.
const (
	TransactionRuns    TransactionState = "PREPARE"
	TransactionVisible TransactionState = "VISIBLE"
	TransactionAborted TransactionState = "ABORTED"
)

// Retention says how long transactions are remembered.
type Retention struct {
	Named, Other       time.Duration // how long, with a label of the user's and without
	MaxNamed, MaxOther int           // how many at most
}

var bucketTransactions = []byte("transactions")

type labelKey struct {
	database int64
	label    string
}

// ledger is the record of transactions. It is no part of snapshots: a label that was used is used for everybody.
type ledger struct {
	mu           sync.RWMutex
	byLabel      map[labelKey]*Transaction // named ones
	named, other []*Transaction            // the oldest first
}

// UsedLabel is the error about a label that t has.
func UsedLabel(t *Transaction) error {
	return sqlerr.Detail("Label [%s] has already been used, relate to txn [%d]", t.Label, t.ID)
}

// RecordTransaction notes t as visible with the transaction that it is called in, and forgets what keep lets go. A named
// label that another transaction of the database has is refused.
func (tx *Tx) RecordTransaction(t Transaction, keep Retention) error {
	l := &tx.catalog.ledger
	t.State, t.Finished = TransactionVisible, tx.now
	if t.Named {
		if used := l.find(t.DatabaseID, t.Label); used != nil && !used.expired(tx.now, keep.Named) {
			return UsedLabel(used)
		}
		for _, o := range tx.recorded {
			if o.Named && o.DatabaseID == t.DatabaseID && o.Label == t.Label {
				return UsedLabel(o)
			}
		}
	}
	tx.recorded = append(tx.recorded, &t)
	tx.ops = append(tx.ops, putJSON(bucketTransactions, idKey(t.ID), &t))
	if t.Named { // there is to be room for it
		keep.MaxNamed--
	} else {
		keep.MaxOther--
	}
	tx.forgotten = slices.Concat(expired(l.named, tx.now, keep.Named, keep.MaxNamed), expired(l.other, tx.now, keep.Other, keep.MaxOther))
	for _, o := range tx.forgotten {
		tx.ops = append(tx.ops, del(bucketTransactions, idKey(o.ID)))
	}
	return nil
}

// CleanTransactions forgets the transactions of a database, so that their labels are free: those of a label, or all for "".
func (tx *Tx) CleanTransactions(database int64, label string) {
	l := &tx.catalog.ledger
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, list := range [][]*Transaction{l.named, l.other} {
		for _, t := range list {
			if t.DatabaseID == database && (label == "" || t.Label == label) {
				tx.cleaned = append(tx.cleaned, t)
				tx.ops = append(tx.ops, del(bucketTransactions, idKey(t.ID)))
			}
		}
	}
}

// forgottenAtOnce bounds how much one transaction forgets.
const forgottenAtOnce = 256

// expired are those at the front of list that are too old or too many.
func expired(list []*Transaction, now time.Time, keep time.Duration, most int) []*Transaction {
	n := 0
	for n < len(list) && n < forgottenAtOnce && (list[n].expired(now, keep) || len(list)-n > most) {
		n++
	}
	return list[:n]
}

func (t *Transaction) expired(now time.Time, keep time.Duration) bool {
	return now.Sub(t.Finished) > keep
}

// find is the named transaction of a label; nil for none.
func (l *ledger) find(database int64, label string) *Transaction {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.byLabel[labelKey{database, label}]
}

// settle takes over what a committed Update recorded.
func (l *ledger) settle(tx *Tx) {
	if len(tx.recorded)+len(tx.cleaned) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clean(tx.cleaned)
	for _, t := range tx.forgotten {
		if k := (labelKey{t.DatabaseID, t.Label}); t.Named && l.byLabel[k] == t {
			delete(l.byLabel, k)
		}
		if t.Named {
			l.named = l.named[1:]
		} else {
			l.other = l.other[1:]
		}
	}
	for _, t := range tx.recorded {
		l.add(t)
	}
}

// clean takes transactions away; its lists are new ones.
func (l *ledger) clean(list []*Transaction) {
	if len(list) == 0 {
		return
	}
	gone := map[*Transaction]bool{}
	for _, t := range list {
		gone[t] = true
		if k := (labelKey{t.DatabaseID, t.Label}); t.Named && l.byLabel[k] == t {
			delete(l.byLabel, k)
		}
	}
	left := func(list []*Transaction) []*Transaction {
		return slices.DeleteFunc(slices.Clone(list), func(t *Transaction) bool { return gone[t] })
	}
	l.named, l.other = left(l.named), left(l.other)
}

func (l *ledger) add(t *Transaction) {
	if !t.Named {
		l.other = append(l.other, t)
		return
	}
	if l.byLabel == nil {
		l.byLabel = map[labelKey]*Transaction{}
	}
	l.named = append(l.named, t)
	l.byLabel[labelKey{t.DatabaseID, t.Label}] = t
}

// UsedBy is the visible transaction of a named label that keep does not let go; nil: the label is free.
func (c *Catalog) UsedBy(database int64, label string, now time.Time, keep Retention) *Transaction {
	if t := c.ledger.find(database, label); t != nil && !t.expired(now, keep.Named) {
		return t
	}
	return nil
}

// Transactions are those of a database that are on record, in the order of their ids.
func (c *Catalog) Transactions(database int64) []*Transaction {
	c.ledger.mu.RLock()
	defer c.ledger.mu.RUnlock()
	var out []*Transaction
	for _, list := range [][]*Transaction{c.ledger.named, c.ledger.other} {
		for _, t := range list {
			if t.DatabaseID == database {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Transaction) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// load reads the ledger.
func (l *ledger) load(tx *bbolt.Tx) error {
	b := tx.Bucket(bucketTransactions)
	if b == nil {
		return nil
	}
	var all []*Transaction
	err := b.ForEach(func(_, data []byte) error {
		t := &Transaction{}
		if err := json.Unmarshal(data, t); err != nil {
			return err
		}
		all = append(all, t)
		return nil
	})
	slices.SortStableFunc(all, func(a, b *Transaction) int { return a.Finished.Compare(b.Finished) })
	for _, t := range all {
		l.add(t)
	}
	return err
}
