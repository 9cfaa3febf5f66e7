package tpchgen

// placeRows makes nations or regions, whose number does not depend on the scale.
type placeRows struct {
	names   *wordList
	regions bool
	pool    textPool
	comment stream
}

func newNationRows(v *vocabulary, pool textPool) *placeRows {
	return &placeRows{names: v.nations, pool: pool, comment: newStream(606179079, 2)}
}

func newRegionRows(v *vocabulary, pool textPool) *placeRows {
	return &placeRows{names: v.regions, regions: true, pool: pool, comment: newStream(1500869201, 2)}
}

// fill appends places [from, to), counted from one, to out[0].
func (g *placeRows) fill(from, to int64, out []*chunk) {
	c := out[0]
	for i := from; i < to; i++ {
		c.int32(0, int32(i-1))
		c.text(1, g.names.words[i-1])
		col := 2
		if !g.regions {
			c.int32(col, int32(g.names.weight[i-1])) // the list's running weight is the region
			col++
		}
		c.text(col, g.pool.comment(&g.comment, 72))
		c.rows++
		g.comment.endRow()
	}
}
