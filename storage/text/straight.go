package text

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// straight finds the plain rows of delimited text, which most are, many at a time and almost without branches: it notes where all
// separators and line ends are, block by block, but for those in quotes, and a row is a run of such marks up to a line end. Spans are
// made of them only for the columns that are read, a column at a time. Rows with an escape, or with quotes other than one at each end
// of a field, empty lines, rows with too few fields and the end of the file are left to the delimitedSplitter's next, which is the
// reference for what a row is.
//
// After simdjson's first stage (Langdale, Lemire: "Parsing gigabytes of JSON per second", 2019), with words of eight bytes.
type straight struct {
	d     *delimitedSplitter
	marks lineMarks
	buf   *byte // of the buffer at hand
	size  int

	// Of the batch: by row, the mark before its first field, or ^i for row i of those that next found.
	rows    []int32
	general int
	lost    int  // times that marks were wrong about quotes
	crlf    bool // a row ends with \r\n
	column  []span
}

// lineMarks are where separators and line ends lie in the part of a buffer that was looked at.
type lineMarks struct {
	field, line, quote, escape uint64 // the bytes looked for, each repeated eight times
	ascii                      bool   // none of them is above 0x7f, and escape is line
	// quoting: what a quote opens hides marks up to the next one. Else a quote makes its row none of ours.
	quoting bool

	// Before the block that is next: whether a quote is open (all bits), and of the byte before, in bit 0, whether it is a mark and
	// whether it is a quote that closes.
	inside, mark, closed uint64
	quoted               bool // some field has quotes

	scanned int      // where to go on
	all     []uint32 // the first of a batch is the line end before it
	at      int      // the mark before the next row
	// stops are the line ends among the marks, and between them the bytes that make a row none of ours: the number of marks
	// before, twice, plus one for the latter.
	stops []uint32
	stop  int
}

const (
	// scanBytes is how much is looked at when marks run out, a multiple of 64.
	scanBytes = 4 << 10
	// mostMarks bounds what a batch keeps; longer rows are left to next.
	mostMarks = 1 << 18
)

// newStraight answers nil where the splitter itself is the better choice.
func newStraight(d *delimitedSplitter, columns, size int) *straight {
	o := &d.opt
	special := []byte{d.line, d.line}
	if d.csv && o.Quote != 0 {
		special[0] = o.Quote
	}
	if o.Escape != 0 && o.Escape != special[0] {
		if special[0] == d.line {
			special[0] = o.Escape
		} else {
			special[1] = o.Escape
		}
	}
	if o.Escape == o.Field || o.Escape == d.line || d.csv && (o.Quote == o.Field || o.Quote == d.line) || o.Field == d.line {
		return nil // one byte of two meanings
	}
	if d.skimmed && 2*(d.last+1) < columns {
		return nil // most of a row is passed over
	}
	t := &straight{d: d, rows: make([]int32, size), column: make([]span, size)}
	t.marks.field, t.marks.line = uint64(o.Field)*ones, uint64(d.line)*ones
	t.marks.quote, t.marks.escape = uint64(special[0])*ones, uint64(special[1])*ones
	t.marks.quoting = d.csv && o.Quote != 0 && special[1] == d.line && !o.OneLine
	t.marks.ascii = o.Field|d.line|special[0] < 0x80 && special[1] == d.line
	return t
}

// begin starts a batch. It answers false when the one before had so few straight rows that looking for them costs more than it gains.
func (t *straight) begin(rows int) bool {
	if rows > 0 && (t.general > rows-rows/8 || t.lost > rows/8) {
		return false
	}
	t.general, t.lost, t.crlf = 0, 0, false
	t.marks.drop()
	return true
}

// take finds straight rows that begin in buf[pos:until], as rows n and following of the batch, and returns how many there are then and
// where the next row begins.
func (t *straight) take(buf []byte, pos, until, n int) (rows, end int) {
	if len(buf) == 0 {
		return n, pos
	}
	m := &t.marks
	if t.buf != &buf[0] || t.size != len(buf) {
		t.buf, t.size = &buf[0], len(buf)
		m.reset(pos)
	}
	if !m.seek(pos) {
		t.lost++
	}
	least := max(t.d.last+1, 1)
	if t.d.csv && !t.d.blank {
		least = max(least, 2) // the line may be empty
	}
	cr := t.d.line == '\n'
	for n < len(t.rows) && pos < until {
		if m.stop == len(m.stops) {
			if !m.scan(buf) {
				break
			}
			continue
		}
		stop := m.stops[m.stop]
		to := int(stop >> 1)
		if stop&1 != 0 || to-m.at < least {
			break
		}
		t.rows[n] = int32(m.at)
		n++
		m.stop++
		m.at = to
		pos = int(m.all[to]) + 1
		t.crlf = t.crlf || cr && pos > 1 && buf[pos-2] == '\r'
	}
	return n, pos
}

// leave makes row n one that next found, the returned one of those.
func (t *straight) leave(n int) {
	t.rows[n] = ^int32(t.general)
	t.general++
}

// spans are those of a needed column in the rows of sel (nil: all n), valid until the next call. found has those that next found.
func (t *straight) spans(buf []byte, slot, n int, found []span, sel []int32) []span {
	if t.general == n {
		return found[:n]
	}
	out, rows, marks := t.column[:n], t.rows[:n], t.marks.all
	k := t.d.at[slot]
	if k < 0 {
		for i := range out {
			out[i] = span{n: missing}
		}
		return out
	}
	if sel == nil && t.general == 0 && !t.crlf && !t.marks.quoted && !t.d.opt.HasNull {
		for i, r := range rows {
			ends := marks[int(r)+k : int(r)+k+2 : int(r)+k+2]
			from := ends[0] + 1
			out[i] = span{from, int32(ends[1] - from), 0}
		}
		return out
	}
	quote := -1
	if t.marks.quoted {
		quote = int(t.d.opt.Quote)
	}
	null := len(t.d.null)
	if !t.d.opt.HasNull {
		null = -1
	}
	for j := range count(n, sel) {
		i := at(sel, j)
		r := int(rows[i])
		if r < 0 {
			out[i] = found[^r]
			continue
		}
		from, to := int(marks[r+k]+1), int(marks[r+k+1])
		if int(buf[from]) == quote { // at to the least there is a separator
			out[i] = span{uint32(from + 1), int32(to - from - 2), flagQuoted}
			continue
		}
		if t.crlf && to > from && buf[to] == '\n' && buf[to-1] == '\r' {
			to--
		}
		s := span{uint32(from), int32(to - from), 0}
		if to-from == null && string(buf[from:to]) == string(t.d.null) {
			s.n = missing
		}
		out[i] = s
	}
	return out
}

// reset forgets all marks: those of the row at pos and behind are next.
func (m *lineMarks) reset(pos int) {
	m.all, m.at, m.stops, m.stop = m.all[:0], 0, m.stops[:0], 0
	m.restart(pos)
}

// restart looks at the row at pos and behind, anew maybe. What was found before the mark at m.at stays.
func (m *lineMarks) restart(pos int) {
	m.all, m.stops = append(m.all[:m.at], uint32(pos-1)), m.stops[:m.stop]
	m.scanned, m.inside, m.mark, m.closed = pos, 0, 1, 0
}

// drop forgets the marks before the next row.
func (m *lineMarks) drop() {
	n := copy(m.stops, m.stops[m.stop:])
	m.stops, m.stop = m.stops[:n], 0
	for i := range m.stops {
		m.stops[i] -= 2 * uint32(m.at)
	}
	n = copy(m.all, m.all[m.at:])
	m.all, m.at = m.all[:n], 0
}

// seek goes to the row that begins at pos, behind those passed; false when no line was thought to end just before, since a quote was
// taken for another.
func (m *lineMarks) seek(pos int) bool {
	for m.at < len(m.all) && m.all[m.at]+1 < uint32(pos) {
		m.at++
	}
	for m.stop < len(m.stops) && int(m.stops[m.stop]>>1) <= m.at {
		m.stop++
	}
	if m.at == len(m.all) { // rows found otherwise went beyond what was looked at
		m.restart(pos)
	} else if m.all[m.at]+1 != uint32(pos) {
		m.restart(pos)
		return false
	}
	return true
}

// scan looks at some more of the buffer; false at its end.
func (m *lineMarks) scan(buf []byte) bool {
	if m.scanned >= len(buf) || len(m.all) > mostMarks {
		return false
	}
	end := min(m.scanned+scanBytes, len(buf))
	n, stopped := len(m.all), len(m.stops)
	// Blocks write without asking whether there is room.
	m.all = slices.Grow(m.all, scanBytes+64)
	m.stops = slices.Grow(m.stops, scanBytes+64)
	all, stops := m.all[:cap(m.all)], m.stops[:cap(m.stops)]
	for b := m.scanned; b < end; b += 64 {
		var found, stop uint64
		if b+64 <= len(buf) {
			found, stop = m.block((*[64]byte)(buf[b:]))
		} else {
			var tail [64]byte
			k := copy(tail[:], buf[b:])
			found, stop = m.block(&tail)
			found, stop = found&(1<<k-1), stop&(1<<k-1)
		}
		if m.quoting {
			if stop&^found|m.inside|m.closed != 0 {
				found, stop = m.unquoted(found, stop)
			}
			m.mark = found >> 63
		}
		for s := stop; s != 0; s &= s - 1 {
			bit := s & -s
			v := uint32(n+bits.OnesCount64(found&(bit-1))) << 1
			if found&bit == 0 {
				v |= 1
			}
			stops[stopped] = v
			stopped++
		}
		some := bits.OnesCount64(found)
		for k := 0; k < some; k += 8 {
			w := (*[8]uint32)(all[n+k:])
			for i := range w {
				w[i] = uint32(b + bits.TrailingZeros64(found))
				found &= found - 1
			}
		}
		n += some
	}
	m.all, m.stops, m.scanned = all[:n], stops[:stopped], end
	return true
}

// unquoted takes the marks in quotes off a block. Stops are, of quotes, those that do not enclose a field, or what follows them.
func (m *lineMarks) unquoted(found, stop uint64) (uint64, uint64) {
	quotes := stop &^ found
	in := quotes // from each that opens to before the one that closes: an odd number of them up to here
	for k := 1; k < 64; k *= 2 {
		in ^= in << k
	}
	in ^= m.inside
	found &^= in
	closing := quotes &^ in
	odd := quotes&in&^(found<<1|m.mark) | (closing<<1|m.closed)&^found
	m.inside, m.closed, m.quoted = uint64(int64(in)>>63), closing>>63, true
	return found, stop&found | odd
}

const high = ^uint64(low7)

// block has a bit for each of 64 bytes: whether it is a separator or a line end, and whether it is a line end, a quote or an escape.
func (m *lineMarks) block(b *[64]byte) (found, stop uint64) {
	if !m.ascii {
		return m.anyBlock(b)
	}
	p, q, r := m.field, m.line, m.quote
	for k := 0; k < 64; k += 16 {
		// Bit 7 of a byte is clear where the byte is looked for: neither its low seven bits, with those of the other taken off, carry
		// into the eighth, nor that is set.
		x := binary.LittleEndian.Uint64(b[k:])
		y := x & low7
		line := y ^ q + low7
		found = found>>1 | ((y^p+low7)&line|x)&high
		stop = stop>>1 | (line&(y^r+low7)|x)&high
		x = binary.LittleEndian.Uint64(b[k+8:])
		y = x & low7
		line = y ^ q + low7
		found = found>>1 | ((y^p+low7)&line|x)&high
		stop = stop>>1 | (line&(y^r+low7)|x)&high
	}
	return transposed(^found), transposed(^stop)
}

// anyBlock is block for any bytes.
func (m *lineMarks) anyBlock(b *[64]byte) (found, stop uint64) {
	other := func(x, p uint64) uint64 { // bit 7 of bytes that differ
		x ^= p
		return x&low7 + low7 | x
	}
	for k := 0; k < 64; k += 8 {
		x := binary.LittleEndian.Uint64(b[k:])
		line := other(x, m.line)
		found = found>>1 | other(x, m.field)&line&high
		stop = stop>>1 | other(x, m.quote)&other(x, m.escape)&line&high
	}
	return transposed(^found), transposed(^stop)
}

// transposed brings bit 8j+k to 8k+j: blocks have bit j of byte k where the latter is byte j of word k. Hacker's Delight, 7-3.
func transposed(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}
