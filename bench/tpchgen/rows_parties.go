package tpchgen

// Customers and suppliers: the parties of an order.

const (
	alphabet = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ,"

	lowestBalance  = -99999 // hundredths
	highestBalance = 999999
)

type customerRows struct {
	v    *vocabulary
	pool textPool

	address, nation, phone, balance, segment, comment stream
}

func newCustomerRows(v *vocabulary, pool textPool) *customerRows {
	return &customerRows{
		v: v, pool: pool,
		address: newStream(881155353, 9),
		nation:  newStream(1489529863, 1),
		phone:   newStream(1521138112, 3),
		balance: newStream(298370230, 1),
		segment: newStream(1140279430, 1),
		comment: newStream(1335826707, 2),
	}
}

// fill appends customers [from, to), counted from one, to out[0].
func (g *customerRows) fill(from, to int64, out []*chunk) {
	c := out[0]
	for key := from; key < to; key++ {
		c.int64(0, key)
		appendName(c, 1, "Customer#", key)
		appendAddress(c, 2, &g.address)
		nation := g.nation.between(0, int64(len(g.v.nations.words)-1))
		c.int32(3, int32(nation))
		appendPhone(c, 4, nation, &g.phone)
		c.int64(5, g.balance.between(lowestBalance, highestBalance))
		c.text(6, g.v.segment.pick(&g.segment))
		c.text(7, g.pool.comment(&g.comment, 73))
		c.rows++
		for _, s := range []*stream{&g.address, &g.nation, &g.phone, &g.balance, &g.segment, &g.comment} {
			s.endRow()
		}
	}
}

type supplierRows struct {
	v    *vocabulary
	pool textPool

	address, nation, phone, balance, comment stream
	noteGap, noteKind, noteChosen, noteAt    stream
}

func newSupplierRows(v *vocabulary, pool textPool) *supplierRows {
	return &supplierRows{
		v: v, pool: pool,
		address:    newStream(706178559, 9),
		nation:     newStream(110356601, 1),
		phone:      newStream(884434366, 3),
		balance:    newStream(962338209, 1),
		comment:    newStream(1341315363, 2),
		noteGap:    newStream(263032577, 1),
		noteKind:   newStream(753643799, 1),
		noteChosen: newStream(202794285, 1),
		noteAt:     newStream(715851524, 1),
	}
}

// fill appends suppliers [from, to), counted from one, to out[0].
func (g *supplierRows) fill(from, to int64, out []*chunk) {
	c := out[0]
	for key := from; key < to; key++ {
		c.int64(0, key)
		appendName(c, 1, "Supplier#", key)
		appendAddress(c, 2, &g.address)
		nation := g.nation.between(0, int64(len(g.v.nations.words)-1))
		c.int32(3, int32(nation))
		appendPhone(c, 4, nation, &g.phone)
		c.int64(5, g.balance.between(lowestBalance, highestBalance))
		g.comments(c, 6)
		c.rows++
		for _, s := range []*stream{
			&g.address, &g.nation, &g.phone, &g.balance, &g.comment,
			&g.noteGap, &g.noteKind, &g.noteChosen, &g.noteAt,
		} {
			s.endRow()
		}
	}
}

// comments appends a supplier's comment. One in a thousand has "Customer … Complaints"
// or "Customer … Recommends" written over a part of it.
func (g *supplierRows) comments(c *chunk, col int) {
	const (
		base    = "Customer "
		noteLen = int64(len(base) + len("Complaints"))
	)
	text := g.pool.comment(&g.comment, 63)
	chosen := g.noteChosen.between(1, 10000) <= 10
	note := "Complaints"
	if g.noteKind.between(0, 100) >= 50 {
		note = "Recommends"
	}
	n := int64(len(text))
	gap := g.noteGap.between(0, n-noteLen)
	at := g.noteAt.between(0, n-(noteLen+gap))
	if !chosen {
		c.text(col, text)
		return
	}
	mark := len(c.arena)
	c.arena = append(c.arena, text...)
	copy(c.arena[int64(mark)+at:], base)
	copy(c.arena[int64(mark)+at+int64(len(base))+gap:], note)
	c.built(col, mark)
}

func appendName(c *chunk, col int, prefix string, key int64) {
	mark := len(c.arena)
	c.arena = appendPadded(append(c.arena, prefix...), key, 9)
	c.built(col, mark)
}

// appendAddress appends 10 to 40 letters. One draw gives five of them.
func appendAddress(c *chunk, col int, s *stream) {
	mark := len(c.arena)
	n := s.between(10, 40)
	var bits int64
	for i := range n {
		if i%5 == 0 {
			bits = s.bits()
		}
		c.arena = append(c.arena, alphabet[bits&63])
		bits >>= 6
	}
	c.built(col, mark)
}

func appendPhone(c *chunk, col int, nation int64, s *stream) {
	mark := len(c.arena)
	b := appendPadded(c.arena, 10+nation, 2)
	b = appendPadded(append(b, '-'), s.between(100, 999), 3)
	b = appendPadded(append(b, '-'), s.between(100, 999), 3)
	b = appendPadded(append(b, '-'), s.between(1000, 9999), 4)
	c.arena = b
	c.built(col, mark)
}
