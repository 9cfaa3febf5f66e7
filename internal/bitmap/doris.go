package bitmap

import (
	"encoding/binary"
	"math"
)

// Doris's form, which its base64 functions wrap, is a byte that tells the rest, little endian:
//
//	0 none | 1 u32 | 2 part | 3 u64 | 4 varint parts, parts × ( u32 high half | part ) | 5 u8 n, n × u64 | 10 u32 n, n × u64
//
// Newer releases write small sets as 5 and 10, older ones read only the others. Source: what Doris's documentation shows
// of bitmap_to_base64, and its BitmapTypeCode.
const (
	dorisEmpty    = 0
	dorisSingle32 = 1
	dorisBitmap32 = 2
	dorisSingle64 = 3
	dorisBitmap64 = 4
	dorisSet      = 5
	dorisSetV2    = 10
)

// AppendDoris appends a bitmap in Doris's form, by the codes 0 to 4, which all its releases read.
func AppendDoris(dst, b []byte) ([]byte, error) {
	n, err := Count(b)
	if err != nil {
		return dst, err
	}
	if n <= 1 {
		switch v, _, err := Min(b); {
		case err != nil || n == 0:
			return append(dst, dorisEmpty), err
		case v <= math.MaxUint32:
			return binary.LittleEndian.AppendUint32(append(dst, dorisSingle32), uint32(v)), nil
		default:
			return binary.LittleEndian.AppendUint64(append(dst, dorisSingle64), v), nil
		}
	}
	parts := binary.LittleEndian.Uint64(b)
	if parts == 1 && binary.LittleEndian.Uint32(b[8:]) == 0 {
		return append(append(dst, dorisBitmap32), b[12:]...), nil
	}
	return append(binary.AppendUvarint(append(dst, dorisBitmap64), parts), b[8:]...), nil
}

// FromDoris appends a bitmap that is in Doris's form or in that of this package: their first bytes differ. The result may
// be malformed where b is (Validate).
func (w *Workspace) FromDoris(dst, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return dst, malformed("length")
	}
	code, rest := b[0], b[1:]
	switch {
	case code == dorisEmpty && len(rest) == 0:
		return AppendEmpty(dst), nil
	case code == dorisSingle32 && len(rest) == 4:
		return AppendSingle(dst, uint64(binary.LittleEndian.Uint32(rest))), nil
	case code == dorisSingle64 && len(rest) == 8:
		return AppendSingle(dst, binary.LittleEndian.Uint64(rest)), nil
	case code == dorisBitmap32 && len(rest) > 0 && rest[0] != 0: // its cookie; parts of ours have zeros here
		dst = binary.LittleEndian.AppendUint64(dst, 1)
		return append(binary.LittleEndian.AppendUint32(dst, 0), rest...), nil
	case code == dorisBitmap64 && len(rest) > 0 && rest[0] != 0:
		parts, n := binary.Uvarint(rest)
		if n <= 0 {
			return dst, malformed("number of parts")
		}
		return append(binary.LittleEndian.AppendUint64(dst, parts), rest[n:]...), nil
	case code == dorisSet && len(rest) > 0 && len(rest) == 1+8*int(rest[0]):
		return w.fromList(dst, rest[1:])
	case code == dorisSetV2 && len(rest) > 4 && uint64(len(rest)) == 4+8*uint64(binary.LittleEndian.Uint32(rest)):
		return w.fromList(dst, rest[4:])
	}
	return append(dst, b...), nil
}

// fromList appends the bitmap of values of 8 bytes.
func (w *Workspace) fromList(dst, list []byte) ([]byte, error) {
	var s Set
	for ; len(list) > 0; list = list[8:] {
		w.Add(&s, binary.LittleEndian.Uint64(list))
	}
	return w.AppendTo(dst, &s)
}
