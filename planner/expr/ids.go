package expr

// IDs hands out fresh column ids for one plan. The binder starts it at 1 and passes it on to the
// optimizer, which needs ids for columns that rules invent. One goroutine uses it.
type IDs struct{ next ColumnID }

// NewIDs makes a source of ids above last.
func NewIDs(last ColumnID) *IDs { return &IDs{next: last} }

// New is an id that was not used before in the plan; the first is 1.
func (ids *IDs) New() ColumnID {
	ids.next++
	return ids.next
}
