package tpchgen

import "strconv"

const suppliersPerPart = 4

// partRows makes parts and, for each, its four suppliers.
type partRows struct {
	sc   scale
	v    *vocabulary
	pool textPool

	name, maker, brand, kind, size, container, comment stream
	quantity, cost, supplyComment                      stream
	order                                              []int // scratch of partName
}

func newPartRows(sc scale, v *vocabulary, pool textPool) *partRows {
	return &partRows{
		sc: sc, v: v, pool: pool,
		maker:         newStream(1, 1),
		brand:         newStream(46831694, 1),
		kind:          newStream(1841581359, 1),
		size:          newStream(1193163244, 1),
		container:     newStream(727633698, 1),
		comment:       newStream(804159733, 2),
		quantity:      newStream(1671059989, suppliersPerPart),
		cost:          newStream(1051288424, suppliersPerPart),
		supplyComment: newStream(1961692154, suppliersPerPart*2),
		name:          newStream(709314158, maxDraws),
		order:         make([]int, len(v.colors.words)),
	}
}

// fill appends parts [from, to), counted from one, to out[0] and their suppliers to out[1].
func (g *partRows) fill(from, to int64, out []*chunk) {
	for key := from; key < to; key++ {
		g.partRow(key, out[0])
		for n := range int64(suppliersPerPart) {
			g.supplyRow(key, n, out[1])
		}
		for _, s := range []*stream{
			&g.name, &g.maker, &g.brand, &g.kind, &g.size, &g.container, &g.comment,
			&g.quantity, &g.cost, &g.supplyComment,
		} {
			s.endRow()
		}
	}
}

func (g *partRows) partRow(key int64, c *chunk) {
	c.int64(0, key)
	mark := len(c.arena)
	c.arena = g.appendName(c.arena)
	c.built(1, mark)
	maker := g.maker.between(1, 5)
	mark = len(c.arena)
	c.arena = strconv.AppendInt(append(c.arena, "Manufacturer#"...), maker, 10)
	c.built(2, mark)
	mark = len(c.arena)
	c.arena = strconv.AppendInt(append(c.arena, "Brand#"...), maker*10+g.brand.between(1, 5), 10)
	c.built(3, mark)
	c.text(4, g.v.types.pick(&g.kind))
	c.int32(5, int32(g.size.between(1, 50)))
	c.text(6, g.v.containers.pick(&g.container))
	c.int64(7, retailPrice(key))
	c.text(8, g.pool.comment(&g.comment, 14))
	c.rows++
}

// appendName appends five different colours: the head of a random permutation. The
// stream's remaining draws, which only order the tail, are skipped by endRow.
func (g *partRows) appendName(b []byte) []byte {
	const wordsInName = 5
	for i := range g.order {
		g.order[i] = i
	}
	last := int64(len(g.order) - 1)
	for i := range wordsInName {
		j := g.name.between(int64(i), last)
		g.order[i], g.order[j] = g.order[j], g.order[i]
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, g.v.colors.words[g.order[i]]...)
	}
	return b
}

func (g *partRows) supplyRow(part, n int64, c *chunk) {
	c.int64(0, part)
	c.int64(1, g.sc.supplierOf(part, n))
	c.int64(2, g.quantity.between(1, 9999))
	c.int64(3, g.cost.between(100, 100000))
	c.text(4, g.pool.comment(&g.supplyComment, 124))
	c.rows++
}

// retailPrice is a part's price in hundredths, a function of its key alone.
func retailPrice(part int64) int64 {
	return 90000 + part/10%20001 + part%1000*100
}
