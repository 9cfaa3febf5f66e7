package orc

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/storage/widen"
)

// decimalValues are decimals: unbounded zigzag varints, and a scale a value.
type decimalValues struct {
	s      *stream
	scales intReader
	scale  int // of the column
	wide   bool
	limit  int128.Int // 10^precision: values are below it
	tmp    []int64
	wideT  []int128.Int
	short  []int64
}

const (
	errDecimal = formatError("a decimal is wider than its type")
	// maxVarint is the length of the longest varint: 128 bits.
	maxVarint = 19
	stopBits  = 0x8080808080808080
	stopPairs = 0x8000800080008000
)

func (v *decimalValues) next(dst []byte, n int) error {
	v.tmp = grow(v.tmp, n)
	scales := v.tmp[:n]
	if err := v.scales.next(scales); err != nil {
		return err
	}
	if v.wide {
		out := slice[int128.Int](dst, n)
		if err := v.readWide(out); err != nil {
			return err
		}
		return v.rescaleWide(out, scales)
	}
	out := slice[int64](dst, n)
	if err := v.readShort(out); err != nil {
		return err
	}
	return v.rescaleShort(out, scales)
}

func (v *decimalValues) pick(dst []byte, idx []int32, total int) error {
	v.tmp = grow(v.tmp, total)
	scales := v.tmp[:total]
	if err := v.scales.next(scales); err != nil {
		return err
	}
	k := len(idx)
	for i, x := range idx {
		scales[i] = scales[x]
	}
	scales = scales[:k]
	if k*8 > total { // decoding all is cheaper than many steps
		if v.wide {
			v.wideT = grow(v.wideT, total)
			if err := v.readWide(v.wideT[:total]); err != nil {
				return err
			}
			out := slice[int128.Int](dst, k)
			for i, x := range idx {
				out[i] = v.wideT[x]
			}
			return v.rescaleWide(out, scales)
		}
		v.short = grow(v.short, total)
		if err := v.readShort(v.short[:total]); err != nil {
			return err
		}
		out := slice[int64](dst, k)
		for i, x := range idx {
			out[i] = v.short[x]
		}
		return v.rescaleShort(out, scales)
	}
	done := 0
	for i, x := range idx {
		if err := v.skipVarints(int(x) - done); err != nil {
			return err
		}
		var err error
		if v.wide {
			err = v.readWide(slice[int128.Int](dst, k)[i : i+1])
		} else {
			err = v.readShort(slice[int64](dst, k)[i : i+1])
		}
		if err != nil {
			return err
		}
		done = int(x) + 1
	}
	if err := v.skipVarints(total - done); err != nil {
		return err
	}
	if v.wide {
		return v.rescaleWide(slice[int128.Int](dst, k), scales)
	}
	return v.rescaleShort(slice[int64](dst, k), scales)
}

func (v *decimalValues) skip(n int) error {
	if err := v.scales.skip(n); err != nil {
		return err
	}
	return v.skipVarints(n)
}

func (v *decimalValues) seek(p *positions) error {
	if err := v.s.seek(p); err != nil {
		return err
	}
	return v.scales.seek(p)
}

// squeeze takes the 7-bit groups of x's bytes together.
func squeeze(x uint64) uint64 {
	x &= ^uint64(stopBits)
	x = x&0x007f007f007f007f | x>>1&0x3f803f803f803f80
	x = x&0x00003fff00003fff | x>>2&0x0fffc0000fffc000
	return x&0x000000000fffffff | x>>4&0x00fffffff0000000
}

// readShort decodes varints of at most 64 bits. A varint of up to 8 bytes is decoded from
// one word; eight of a byte, or four of two bytes, at once.
func (v *decimalValues) readShort(dst []int64) error {
	s := v.s
	for i := 0; i < len(dst); {
		if len(s.data)-s.pos < maxVarint {
			if err := s.want(maxVarint); err != nil {
				return err
			}
		}
		base := unsafe.Pointer(unsafe.SliceData(s.data))
		pos, end := s.pos, len(s.data)-maxVarint
		for i < len(dst) && pos <= end {
			x := *(*uint64)(unsafe.Add(base, pos))
			stops := ^x & stopBits
			switch {
			case stops == stopBits && i+8 <= len(dst):
				for k := range 8 {
					c := x >> (8 * uint(k)) & 0x7f
					dst[i+k] = int64(c>>1) ^ -int64(c&1)
				}
				i += 8
				pos += 8
				continue
			case stops == stopPairs && i+4 <= len(dst): // four of two bytes each
				x = x&0x007f007f007f007f | x>>1&0x3f803f803f803f80
				for k := range 4 {
					c := x >> (16 * uint(k)) & 0x3fff
					dst[i+k] = int64(c>>1) ^ -int64(c&1)
				}
				i += 4
				pos += 8
				continue
			case stops != 0:
				x = squeeze(x & (stops ^ (stops - 1)))
				dst[i] = int64(x>>1) ^ -int64(x&1)
				pos += bits.TrailingZeros64(stops)/8 + 1
				i++
				continue
			}
			w, n, err := wideVarint(s.data[pos:])
			if err != nil {
				return err
			}
			if !w.IsInt64() {
				return errDecimal
			}
			dst[i] = int64(w.Lo)
			pos += n
			i++
		}
		s.pos = pos
		if i < len(dst) && len(s.data)-s.pos < maxVarint {
			if err := s.want(maxVarint); err != nil {
				return err
			}
			if len(s.data)-s.pos >= maxVarint {
				continue
			}
			w, n, err := wideVarint(s.data[s.pos:])
			if err != nil {
				return err
			}
			if !w.IsInt64() {
				return errDecimal
			}
			dst[i] = int64(w.Lo)
			s.pos += n
			i++
		}
	}
	return nil
}

// readWide decodes varints of at most 128 bits.
func (v *decimalValues) readWide(dst []int128.Int) error {
	s := v.s
	for i := range dst {
		if len(s.data)-s.pos < maxVarint {
			if err := s.want(maxVarint); err != nil {
				return err
			}
		}
		if len(s.data)-s.pos >= 8 {
			x := binary.LittleEndian.Uint64(s.data[s.pos:])
			if stops := ^x & stopBits; stops != 0 {
				dst[i] = int128.FromInt64(unzigzag(squeeze(x & (stops ^ (stops - 1)))))
				s.pos += bits.TrailingZeros64(stops)/8 + 1
				continue
			}
		}
		w, n, err := wideVarint(s.data[s.pos:])
		if err != nil {
			return err
		}
		dst[i] = w
		s.pos += n
	}
	return nil
}

// wideVarint decodes one zigzag varint of at most 128 bits.
func wideVarint(b []byte) (int128.Int, int, error) {
	var lo, hi uint64
	for i := 0; i < len(b) && i < maxVarint; i++ {
		c := uint64(b[i] & 0x7f)
		switch shift := uint(7 * i); {
		case shift < 57:
			lo |= c << shift
		case shift < 64:
			lo |= c << shift
			hi |= c >> (64 - shift)
		default:
			if shift == 126 && c > 3 {
				return int128.Int{}, 0, errDecimal
			}
			hi |= c << (shift - 64)
		}
		if b[i] < 0x80 {
			sign := -(lo & 1)
			return int128.Int{Lo: (lo>>1 | hi<<63) ^ sign, Hi: int64(hi>>1 ^ sign)}, i + 1, nil
		}
	}
	if len(b) >= maxVarint {
		return int128.Int{}, 0, errDecimal
	}
	return int128.Int{}, 0, errStreamEnd
}

// skipVarints passes over n varints, counting the bytes that end one.
func (v *decimalValues) skipVarints(n int) error {
	s := v.s
	for n > 0 {
		if s.pos == len(s.data) {
			if err := s.fill(1); err != nil {
				return err
			}
		}
		pos := s.pos
		for ; n >= 8 && len(s.data)-pos >= 8; pos += 8 {
			n -= bits.OnesCount64(^binary.LittleEndian.Uint64(s.data[pos:]) & stopBits)
		}
		for ; n > 0 && pos < len(s.data); pos++ {
			if s.data[pos] < 0x80 {
				n--
			}
		}
		s.pos = pos
	}
	return nil
}

// rescaleShort brings values to the column's scale.
func (v *decimalValues) rescaleShort(vals, scales []int64) error {
	same := true
	for _, x := range scales {
		same = same && x == int64(v.scale)
	}
	if !same {
		for i, x := range scales {
			if x == int64(v.scale) {
				continue
			}
			y, err := rescaleTo(int128.FromInt64(vals[i]), x, v.scale)
			if err != nil {
				return err
			}
			if !y.IsInt64() {
				return errDecimal
			}
			vals[i] = int64(y.Lo)
		}
	}
	lo, hi := int64(0), int64(0)
	for _, x := range vals {
		lo, hi = min(lo, x), max(hi, x)
	}
	if hi >= int64(v.limit.Lo) || lo <= -int64(v.limit.Lo) {
		return errDecimal
	}
	return nil
}

func (v *decimalValues) rescaleWide(vals []int128.Int, scales []int64) error {
	negative := v.limit.Neg()
	for i, x := range scales {
		if x != int64(v.scale) {
			y, err := rescaleTo(vals[i], x, v.scale)
			if err != nil {
				return err
			}
			vals[i] = y
		}
		if !vals[i].Less(v.limit) || !negative.Less(vals[i]) {
			return errDecimal
		}
	}
	return nil
}

func rescaleTo(x int128.Int, from int64, to int) (int128.Int, error) {
	if from < -38 || from > 76 || int64(to)-from > 38 || from-int64(to) > 38 {
		if x == (int128.Int{}) {
			return x, nil
		}
		return x, errDecimal
	}
	y, ok := widen.Rescale(x, to-int(from))
	if !ok {
		return x, errDecimal
	}
	return y, nil
}

// decimal64Values are decimals of format 1.9999: integers at the column's scale.
type decimal64Values struct {
	intValues[int64]
	limit int64
}

func (v *decimal64Values) check(vals []int64) error {
	for _, x := range vals {
		if x >= v.limit || x <= -v.limit {
			return errDecimal
		}
	}
	return nil
}

func (v *decimal64Values) next(dst []byte, n int) error {
	if err := v.intValues.next(dst, n); err != nil {
		return err
	}
	return v.check(slice[int64](dst, n))
}

func (v *decimal64Values) pick(dst []byte, idx []int32, total int) error {
	if err := v.intValues.pick(dst, idx, total); err != nil {
		return err
	}
	return v.check(slice[int64](dst, len(idx)))
}
