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

// Find stores the groups of the live rows, of which groups has one entry each, and in ids, of one
// entry for every row of the batch unless it is nil, those below 256 of each live row at its place. Missing lists rows of
// unknown groups, which Learn takes. It is false, having done nothing, where codes do not suffice.
func (m *CodeMap) Find(cols []*vector.Vector, sel []int32, groups []uint32, ids []uint8) bool {
	if len(cols) == 0 || !m.prepare(cols) {
		return false
	}
	m.missing = m.missing[:0]
	var known bool
	switch {
	case len(cols) == 1 && cols[0].Valid == nil:
		known = m.find1(cols[0].Codes, sel, groups, ids)
	case len(cols) == 2 && cols[0].Valid == nil && cols[1].Valid == nil:
		known = m.find2(cols[0].Codes, cols[1].Codes, sel, groups, ids)
	default:
		m.combine(cols, sel, len(groups))
		known = m.find1(m.codes, nil, groups, nil)
		PlaceGroups(groups, sel, ids)
	}
	if !known {
		m.findMissing(cols, sel, len(groups))
	}
	return true
}

// find1 looks the codes of one column up; it is false where one has no group yet.
func (m *CodeMap) find1(codes, sel []int32, groups []uint32, ids []uint8) bool {
	var all uint32
	table := m.groups
	switch {
	case sel == nil:
		for j, c := range codes[:len(groups)] {
			g := table[c] - 1
			groups[j] = g
			all |= g
		}
		PlaceGroups(groups, nil, ids)
	case ids == nil:
		for j, r := range sel[:len(groups)] {
			g := table[codes[r]] - 1
			groups[j] = g
			all |= g
		}
	default:
		for j, r := range sel[:len(groups)] {
			g := table[codes[r]] - 1
			groups[j] = g
			ids[r] = uint8(g)
			all |= g
		}
	}
	return all != unknown
}

// find2 is find1 of two columns.
func (m *CodeMap) find2(x, y, sel []int32, groups []uint32, ids []uint8) bool {
	var all uint32
	table, stride := m.groups, m.stride[1]
	switch {
	case sel == nil:
		x, y = x[:len(groups)], y[:len(groups)]
		for j := range groups {
			g := table[x[j]+y[j]*stride] - 1
			groups[j] = g
			all |= g
		}
		PlaceGroups(groups, nil, ids)
	case ids == nil:
		for j, r := range sel[:len(groups)] {
			g := table[x[r]+y[r]*stride] - 1
			groups[j] = g
			all |= g
		}
	default:
		for j, r := range sel[:len(groups)] {
			g := table[x[r]+y[r]*stride] - 1
			groups[j] = g
			ids[r] = uint8(g)
			all |= g
		}
	}
	return all != unknown
}

// unknown is the group of codes without one. Groups that there are never have all bits together.
const unknown = ^uint32(0)

// PlaceGroups stores the groups of the live rows, as far as they are below 256, at the rows' places in ids; ids may be nil.
func PlaceGroups(groups []uint32, sel []int32, ids []uint8) {
	switch {
	case ids == nil:
	case sel == nil:
		ids = ids[:len(groups)]
		for j, g := range groups {
			ids[j] = uint8(g)
		}
	default:
		for j, r := range sel[:len(groups)] {
			ids[r] = uint8(groups[j])
		}
	}
}

// combine computes the combined codes of the live rows.
func (m *CodeMap) combine(cols []*vector.Vector, sel []int32, n int) {
	if cap(m.codes) < n {
		m.codes = make([]int32, n)
	}
	m.codes = m.codes[:n]
	for i, v := range cols {
		m.addColumn(v, m.stride[i], sel, i == 0)
	}
}

// findMissing lists one row of each code that has no group.
func (m *CodeMap) findMissing(cols []*vector.Vector, sel []int32, n int) {
	m.combine(cols, sel, n)
	for j, c := range m.codes {
		if m.groups[c] == 0 {
			m.groups[c] = unknown
			m.missing = append(m.missing, int32(j))
		}
	}
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

// Missing are the positions, among the last batch's live rows, of rows of unknown groups, one for each; the
// groups of all rows are undefined until Learn if there is any.
func (m *CodeMap) Missing() []int32 { return m.missing }

// Learn takes the groups of the missing rows, in their order, and completes what Find stored.
func (m *CodeMap) Learn(missing []uint32, sel []int32, groups []uint32, ids []uint8) {
	for i, j := range m.missing {
		m.groups[m.codes[j]] = missing[i] + 1
	}
	m.find1(m.codes, nil, groups, nil)
	PlaceGroups(groups, sel, ids)
}
