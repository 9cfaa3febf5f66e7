package parquet

// pageLocation is where a data page stands.
type pageLocation struct {
	offset int64
	size   int32
	row    int64 // first row
}

// jump moves to the page that holds row, using the offset index, when that is not the
// current one.
func (c *column) jump(row int64) error {
	if c.page.left > 0 && row < c.row+int64(c.page.left) {
		return nil
	}
	lo, hi := 0, len(c.pages)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if c.pages[mid].row <= row {
			lo = mid
		} else {
			hi = mid
		}
	}
	p := c.pages[lo]
	if p.row <= c.row {
		return nil
	}
	c.dropPage()
	c.next, c.row, c.ahead = p.offset, p.row, p.row
	return nil
}
