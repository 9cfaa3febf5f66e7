package tpchgen

// Day numbers count from 1992-01-01, the first order date.
const (
	epochDay     = 8035 // 1992-01-01 in days since 1970-01-01
	today        = 1263 // 1995-06-17, the data set's "current date"
	lastOrderDay = 2405 // leaves room for shipping and receipt before the end of 1998

	maxLines = 7
)

var (
	finished      = []byte("F")
	open          = []byte("O")
	partlyShipped = []byte("P")
	notReturned   = []byte("N")
)

// orderRows makes orders and their line items, which share streams: an order's total
// and status come from its lines.
type orderRows struct {
	sc   scale
	v    *vocabulary
	pool textPool

	customer, date, priority, clerk, comment, lineCount        stream
	quantity, discount, tax, instruction, mode, part, supplier stream
	shipDate, commitDate, receiptDate, returnFlag, lineComment stream
}

func newOrderRows(sc scale, v *vocabulary, pool textPool) *orderRows {
	return &orderRows{
		sc: sc, v: v, pool: pool,
		clerk:       newStream(1171034773, 1),
		comment:     newStream(276090261, 2),
		date:        newStream(1066728069, 1),
		priority:    newStream(591449447, 1),
		customer:    newStream(851767375, 1),
		lineCount:   newStream(1434868289, 1),
		quantity:    newStream(209208115, maxLines),
		discount:    newStream(554590007, maxLines),
		tax:         newStream(721958466, maxLines),
		instruction: newStream(1371272478, maxLines),
		mode:        newStream(675466456, maxLines),
		part:        newStream(1808217256, maxLines),
		supplier:    newStream(2095021727, maxLines),
		shipDate:    newStream(1769349045, maxLines),
		commitDate:  newStream(904914315, maxLines),
		receiptDate: newStream(373135028, maxLines),
		returnFlag:  newStream(717419739, maxLines),
		lineComment: newStream(1095462486, maxLines*2),
	}
}

// fill appends orders [from, to), counted from one, to out[0] and their lines to out[1].
func (g *orderRows) fill(from, to int64, out []*chunk) {
	for i := from; i < to; i++ {
		g.order(i, out[0], out[1])
		g.endRow()
	}
}

func (g *orderRows) order(i int64, o, l *chunk) {
	key := i>>3<<5 | i&7 // eight keys used, 24 left free for refreshes
	day := int64(0)

	o.int64(0, key)
	o.int64(1, g.customerKey())
	day = g.date.between(0, lastOrderDay)
	o.int32(4, int32(epochDay+day))
	o.text(5, g.v.priorities.pick(&g.priority))
	mark := len(o.arena)
	o.arena = appendPadded(append(o.arena, "Clerk#"...), g.clerk.between(1, g.sc.clerks), 9)
	o.built(6, mark)
	o.int32(7, 0)
	o.text(8, g.pool.comment(&g.comment, 49))

	var total int64
	shipped := 0
	lines := int(g.lineCount.between(1, maxLines))
	for n := 1; n <= lines; n++ {
		price, done := g.line(key, int64(n), day, l)
		total += price
		if done {
			shipped++
		}
	}
	status := open
	switch {
	case shipped == lines:
		status = finished
	case shipped > 0:
		status = partlyShipped
	}
	o.text(2, status)
	o.int64(3, total)
	o.rows++
}

// customerKey draws a customer. Every third customer never orders anything.
func (g *orderRows) customerKey() int64 {
	key := g.customer.between(1, g.sc.customers)
	for step := int64(1); key%3 == 0; step = -step {
		key = min(key+step, g.sc.customers)
	}
	return key
}

// line appends one line item of an order made on day. It returns the line's price with
// discount and tax, in hundredths, and whether it had been shipped by today.
func (g *orderRows) line(orderKey, number, day int64, l *chunk) (price int64, shipped bool) {
	quantity := g.quantity.between(1, 50)
	discount := g.discount.between(0, 10)
	tax := g.tax.between(0, 8)
	l.text(13, g.v.instructions.pick(&g.instruction))
	l.text(14, g.v.modes.pick(&g.mode))
	l.text(15, g.pool.comment(&g.lineComment, 27))
	part := g.part.between(1, g.sc.parts)
	supplier := g.sc.supplierOf(part, g.supplier.between(0, 3))
	extended := retailPrice(part) * quantity

	l.int64(0, orderKey)
	l.int64(1, part)
	l.int64(2, supplier)
	l.int64(3, number)
	l.int64(4, quantity*100)
	l.int64(5, extended)
	l.int64(6, discount)
	l.int64(7, tax)

	ship := day + g.shipDate.between(1, 121)
	commit := day + g.commitDate.between(30, 90)
	receipt := ship + g.receiptDate.between(1, 30)
	l.int32(10, int32(epochDay+ship))
	l.int32(11, int32(epochDay+commit))
	l.int32(12, int32(epochDay+receipt))

	if receipt <= today {
		l.text(8, g.v.returnFlag.pick(&g.returnFlag)[:1])
	} else {
		l.text(8, notReturned)
	}
	shipped = ship <= today
	if shipped {
		l.text(9, finished)
	} else {
		l.text(9, open)
	}
	l.rows++
	return extended * (100 - discount) / 100 * (100 + tax) / 100, shipped
}

func (g *orderRows) endRow() {
	for _, s := range []*stream{
		&g.customer, &g.date, &g.priority, &g.clerk, &g.comment, &g.lineCount,
		&g.quantity, &g.discount, &g.tax, &g.instruction, &g.mode, &g.part, &g.supplier,
		&g.shipDate, &g.commitDate, &g.receiptDate, &g.returnFlag, &g.lineComment,
	} {
		s.endRow()
	}
}
