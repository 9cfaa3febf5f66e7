package parquet

// Page types.
const (
	pageData   = 0
	pageIndex  = 1
	pageDict   = 2
	pageDataV2 = 3
)

// Encodings.
const (
	encPlain            = 0
	encPlainDictionary  = 2
	encRLE              = 3
	encBitPacked        = 4
	encDeltaBinary      = 5
	encDeltaLengthBytes = 6
	encDeltaBytes       = 7
	encRLEDictionary    = 8
	encByteStreamSplit  = 9
)

// pageHeader is what stands before every page.
type pageHeader struct {
	typ          int8
	compressed   int // bytes of the page body in the file
	uncompressed int
	values       int // rows of a flat column, nulls included; entries of a dictionary
	encoding     int8
	defEncoding  int8 // of v1 pages, as is repEncoding
	repEncoding  int8
	// v2 only: level bytes stand uncompressed before the values.
	repBytes, defBytes int
	rows, nulls        int
	isCompressed       bool
}

// decodePageHeader reads the header at the start of b and returns its length. It fails
// with errShort when the header continues behind b.
func decodePageHeader(b []byte) (h pageHeader, n int, err error) {
	r := &thriftReader{b: b}
	h = pageHeader{typ: -1, compressed: -1, uncompressed: -1, values: -1, encoding: -1, isCompressed: true}
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			break
		}
		last = id
		switch {
		case typ == thriftI32 && id <= 3:
			v := r.int32()
			switch id {
			case 1:
				h.typ = clamp8(v)
			case 2:
				h.uncompressed = int(v)
			case 3:
				h.compressed = int(v)
			}
		case typ == thriftStruct && (id == 5 || id == 7 || id == 8):
			decodeDataHeader(r, &h, id)
		default:
			r.skip(typ)
		}
	}
	if r.err != nil {
		return h, 0, r.err
	}
	if h.compressed < 0 || h.uncompressed < 0 {
		return h, 0, formatError("page header has a negative size")
	}
	switch h.typ {
	case pageData, pageDict, pageDataV2:
		if h.values < 0 || h.encoding < 0 {
			return h, 0, formatError("page header lacks its value count or encoding")
		}
		if h.repBytes < 0 || h.defBytes < 0 || h.typ == pageDataV2 && h.repBytes+h.defBytes > min(h.compressed, h.uncompressed) {
			return h, 0, formatError("page header has wrong level sizes")
		}
	}
	return h, r.pos, nil
}

// decodeDataHeader reads the part of a header that depends on the page type.
func decodeDataHeader(r *thriftReader, h *pageHeader, kind int16) {
	var last int16
	for {
		id, typ, ok := r.field(last)
		if !ok {
			return
		}
		last = id
		if kind == 8 && id == 7 {
			h.isCompressed = typ != thriftFalse
			r.skip(typ)
			continue
		}
		if typ != thriftI32 {
			r.skip(typ)
			continue
		}
		v := r.int32()
		switch {
		case id == 1:
			h.values = int(v)
		case id == 2 && kind != 8 || id == 4 && kind == 8:
			h.encoding = clamp8(v)
		case id == 3 && kind == 5:
			h.defEncoding = clamp8(v)
		case id == 4 && kind == 5:
			h.repEncoding = clamp8(v)
		case id == 2:
			h.nulls = int(v)
		case id == 3 && kind == 8:
			h.rows = int(v)
		case id == 5 && kind == 8:
			h.defBytes = int(v)
		case id == 6 && kind == 8:
			h.repBytes = int(v)
		}
	}
}
