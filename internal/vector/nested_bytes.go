package vector

// PackedBytes is how many bytes about the rows of the vectors, in any form, take as elements or fields of nested values.
func PackedBytes(vectors ...*Vector) (n int64) {
	for _, v := range vectors {
		n += int64(v.Len) * int64(slotSize(v.Type))
		if !isVariable(v.Type) {
			continue
		}
		switch v.Form {
		case Constant:
			if !v.IsNull(0) {
				n += int64(v.Len) * int64(Values[View](v)[0].Len())
			}
		case Dictionary:
			views := Values[View](v.Dict)
			for i, c := range v.Codes[:v.Len] {
				if v.Valid == nil || v.Valid.Get(i) {
					n += int64(views[c].Len())
				}
			}
		default:
			views := Values[View](v)[:v.Len]
			for i := range views {
				if v.Valid == nil || v.Valid.Get(i) {
					n += int64(views[i].Len())
				}
			}
		}
	}
	return n
}
