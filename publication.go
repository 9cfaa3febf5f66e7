package basalt

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/storage"
)

// published is how one write becomes visible, when its files are written. Every part may be nil.
type published struct {
	table int64
	// prepare finds out what apply does; what it locks is released when that is committed, or given up.
	prepare func(ctx context.Context) (release func(), err error)
	// outside is what a catalog transaction cannot do: an external table's files go to their places. It runs also in the
	// catalog transaction that makes them count.
	outside func(also func(tx *catalog.Tx) error) error
	apply   func(tx *catalog.Tx) error
	after   func() // when apply was committed
	// What it brought.
	rows, bytes, files int64
}

// publication makes the writes of one statement visible together: when the last of them is ready, in one catalog
// transaction. Writes to external tables are done just before it, one after the other.
type publication struct {
	db      *DB
	of      *transaction // nil: none
	mu      sync.Mutex
	waiting int // writes that are not ready
	ready   []published
	done    bool
}

// publish makes a write visible, now or with the others of its statement.
func (x *execution) publish(ctx context.Context, w published) error {
	p := x.together
	if p == nil {
		p = &publication{db: x.s.db, of: x.transaction, waiting: 1}
	}
	return p.add(ctx, w)
}

func (p *publication) add(ctx context.Context, w published) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, w)
	if p.waiting--; p.waiting > 0 {
		return nil
	}
	// Locks are taken in the order of tables.
	slices.SortStableFunc(p.ready, func(a, b published) int { return cmp.Compare(a.table, b.table) })
	needed := false
	for _, w := range p.ready {
		needed = needed || w.apply != nil
		if w.prepare != nil {
			release, err := w.prepare(ctx)
			if err != nil {
				return err
			}
			defer release()
		}
	}
	note := func(tx *catalog.Tx) error { return p.of.note(tx, p.ready) }
	for i, w := range p.ready {
		if w.outside == nil {
			continue
		}
		also := note
		if needed || slices.ContainsFunc(p.ready[i+1:], func(w published) bool { return w.outside != nil }) { // noted by a later one
			also = func(*catalog.Tx) error { return nil }
		}
		if err := w.outside(also); err != nil {
			return err
		}
		p.of.shows(p.ready)
	}
	if needed {
		err := p.db.cat.Update(func(tx *catalog.Tx) error {
			for _, w := range p.ready {
				if w.apply != nil {
					if err := w.apply(tx); err != nil {
						return err
					}
				}
			}
			return note(tx)
		})
		if err != nil {
			return err
		}
	}
	p.of.shows(p.ready)
	p.done = true
	for _, w := range p.ready {
		if w.after != nil {
			w.after()
		}
	}
	return nil
}

// isDone reports whether everything is visible.
func (p *publication) isDone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// multiInsert is Hive's FROM … INSERT … INSERT …: the rows of FROM are read once, and all tables get theirs together.
func (x *execution) multiInsert(ctx context.Context, st *ast.MultiInsert) (*Rows, error) {
	t, err := x.insertTable(st.Inserts[0].Name)
	if err != nil {
		return nil, err
	}
	var label loadLabel // of the statement, which any branch may name
	for _, ins := range st.Inserts {
		l := loadLabel{ins.LabelDatabase, ins.Label, ins.Position()}
		switch {
		case l.name == "":
		case label.name != "" && (label.name != l.name || label.database != l.database):
			return nil, sqlerr.New(sqlerr.WrongUsage, "A statement has one label, not '%s' and '%s'", label.name, l.name).At(l.pos)
		default:
			if label = l; t.Name != ins.Name.Name || ins.Name.Database != "" { // the label is of its database
				if t, err = x.insertTable(ins.Name); err != nil {
					return nil, err
				}
			}
		}
	}
	return x.inTransaction(t, insertKind, label, func() (*Rows, error) {
		for _, ins := range st.Inserts {
			if name := ins.Name.Name; !slices.Contains(strings.Split(x.transaction.record.Table, ","), name) {
				x.transaction.record.Table += "," + name
			}
		}
		return x.insertBranches(ctx, st)
	})
}

// insertBranches runs the branches of a multi-insert.
func (x *execution) insertBranches(ctx context.Context, st *ast.MultiInsert) (*Rows, error) {
	list, branches, err := x.newInsertions(st)
	if err != nil || len(branches) == 0 {
		return okRows(x.s, 0, ""), err
	}
	defer func() {
		for _, w := range list {
			w.end(x)
		}
	}()
	bound, err := bind.MultiInsert(st.From, branches, x.env())
	if err != nil {
		return nil, err
	}
	sinks := make([]storage.Sink, len(branches))
	for i := range branches {
		sinks[i] = branches[i].Sink
	}
	return x.runWrite(ctx, bound, "LOAD", sinks...)
}

// newInsertions are the branches of a multi-insert; those that IF NOT EXISTS passes over are left out.
func (x *execution) newInsertions(st *ast.MultiInsert) (list []*insertion, branches []bind.Branch, err error) {
	x.together = &publication{db: x.s.db, of: x.transaction}
	for _, ins := range st.Inserts {
		w, err := x.newInsertion(ins)
		if err != nil {
			return nil, nil, err
		}
		if w.skip {
			continue
		}
		for _, o := range list {
			// Rows that replace others of their key must find those: UNIQUE tables take part once.
			if (o.overwrite || w.overwrite || w.to.Table.Model == catalog.UniqueKey) && sameOutput(o, w) {
				return nil, nil, sqlerr.New(sqlerr.WrongUsage, "The same output cannot be present multiple times: '%s'", w.to.Table.Name).At(ins.Position())
			}
		}
		list = append(list, w)
		branches = append(branches, bind.Branch{To: w.to, Query: ins.Query, Sink: w.sink})
	}
	x.together.waiting = len(list)
	return list, branches, nil
}

// sameOutput reports whether two writes may meet: they are to one table, and not to two static partitions of it.
func sameOutput(a, b *insertion) bool {
	if a.to.Table.ID != b.to.Table.ID {
		return false
	}
	static := func(w *insertion) string {
		if w.path == nil || len(w.path.dynamic) > 0 || len(w.path.parts) == 0 {
			return ""
		}
		return w.path.parts[0].Name
	}
	x, y := static(a), static(b)
	return x == "" || y == "" || strings.EqualFold(x, y)
}
