package hashtable

import "github.com/basaltdb/basalt/internal/vector"

// maxCodes bounds the product of the dictionaries' sizes.
const maxCodes = 1 << 14

// CodeMap finds groups by dictionary codes alone, where every key column of a batch is a
// dictionary and there are few combinations: one array look-up a row, no hash. What it
// knows holds for one set of dictionaries and starts anew with the next. One goroutine
// uses it.
type CodeMap struct {
	dicts   []*vector.Vector
	stride  []int32
	groups  []uint32 // by combined code: group plus one, 0 unknown
	codes   []int32  // of the last batch's rows
	missing []int32
}

// NewCodeMap makes an empty map.
func NewCodeMap() *CodeMap { return &CodeMap{} }

// Reset forgets all groups.
func (m *CodeMap) Reset() { m.dicts = m.dicts[:0] }

// Find stores the groups of the live rows, of which groups has one entry each, as far as they are known; Missing lists the
// others. It is false, having done nothing, where codes do not suffice.
func (m *CodeMap) Find(cols []*vector.Vector, sel []int32, groups []uint32) bool {
	if len(cols) == 0 || !m.prepare(cols) {
		return false
	}
	n := len(groups)
	if cap(m.codes) < n {
		m.codes = make([]int32, n)
	}
	m.codes = m.codes[:n]
	for i, v := range cols {
		m.addColumn(v, m.stride[i], sel, i == 0)
	}
	m.missing = m.missing[:0]
	for j, c := range m.codes {
		g := m.groups[c]
		groups[j] = g - 1
		if g == 0 {
			m.missing = append(m.missing, int32(j))
		}
	}
	return true
}

// prepare makes the map one for the dictionaries of cols, or finds that it cannot be.
func (m *CodeMap) prepare(cols []*vector.Vector) bool {
	size := 1
	for _, v := range cols {
		if v.Form != vector.Dictionary {
			return false
		}
		size *= v.Dict.Len + 1
		if size > maxCodes {
			return false
		}
	}
	same := len(m.dicts) == len(cols)
	for i := 0; same && i < len(cols); i++ {
		same = m.dicts[i] == cols[i].Dict
	}
	if same {
		return true
	}
	m.dicts, m.stride = m.dicts[:0], m.stride[:0]
	stride := 1
	for _, v := range cols {
		m.dicts = append(m.dicts, v.Dict)
		m.stride = append(m.stride, int32(stride))
		stride *= v.Dict.Len + 1 // the last code is NULL
	}
	if cap(m.groups) < stride {
		m.groups = make([]uint32, stride)
	}
	m.groups = m.groups[:stride]
	clear(m.groups)
	return true
}

func (m *CodeMap) addColumn(v *vector.Vector, stride int32, sel []int32, first bool) {
	dst, codes := m.codes, v.Codes
	if v.Valid != nil {
		null := int32(v.Dict.Len)
		for j := range dst {
			r := liveRow(sel, j)
			c := codes[r]
			if !v.Valid.Get(r) {
				c = null
			}
			if first {
				dst[j] = 0
			}
			dst[j] += c * stride
		}
		return
	}
	switch {
	case first && sel == nil:
		copy(dst, codes) // the first column's stride is 1
	case first:
		for j, r := range sel[:len(dst)] {
			dst[j] = codes[r]
		}
	case sel == nil:
		codes = codes[:len(dst)]
		for j, c := range codes {
			dst[j] += c * stride
		}
	default:
		for j, r := range sel[:len(dst)] {
			dst[j] += codes[r] * stride
		}
	}
}

// Missing are the positions, among the last batch's live rows, of unknown groups.
func (m *CodeMap) Missing() []int32 { return m.missing }

// Learn takes the groups of the missing rows, in their order, and completes groups.
func (m *CodeMap) Learn(groups, missing []uint32) {
	for i, j := range m.missing {
		groups[j] = missing[i]
		m.groups[m.codes[j]] = missing[i] + 1
	}
}
