package orc

import (
	"encoding/binary"
	"testing"

	"github.com/basaltdb/basalt/internal/sqltype"
)

// TestHostileList: a length of a few bytes does not make elements that take no bytes themselves.
func TestHostileList(t *testing.T) {
	text := sqltype.T(sqltype.String)
	list := func(length uint64) *listNode {
		b := binary.AppendUvarint([]byte{0, 0}, length) // a run of three
		b = append(b, make([]byte, padding)...)[:len(b)]
		return &listNode{branch: branch{typ: sqltype.ArrayOf(text), children: []node{&nullNode{typ: text}}},
			lengths: newIntReader(plainStream(b), false, false), in: &input{}, most: leastElements}
	}
	if v, err := list(300_000).next(3, nil, 3); err != nil || v.Len != 3 {
		t.Error(v, err)
	}
	for _, n := range []int{1, 3} {
		if _, err := list(1<<30).next(n, nil, n); err == nil {
			t.Error("lists of 2^30 elements were read")
		}
	}
}
