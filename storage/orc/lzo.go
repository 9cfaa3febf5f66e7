package orc

import "encoding/binary"

const errLZO = formatError("LZO data is malformed")

// expandLZO decompresses one block of LZO1X without framing to the front of dst and
// returns its size. Every length and distance is checked.
//
// An instruction byte chooses by its high bits (D is the distance, S the number of
// literals that follow, 0..3):
//
//	1LLDDDSS               copy 5..8, D = next byte << 3 | DDD, + 1
//	01LDDDSS               copy 3..4, the same distance
//	001LLLLL DDDDDDSS D*8  copy 2+L (L = 0: longer), D + 1, 16 KiB back at most
//	0001HLLL DDDDDDSS D*8  copy 2+L, D + 16 KiB (H: another 16 KiB); D = 0 ends the block
//	0000LLLL               literals (3+L, L = 0: longer), or, when literals came just
//	                       before, a copy of 2 or 3 bytes nearby
func expandLZO(dst, src []byte) (int, error) {
	in, out := 0, 0
	state := 0 // literals copied just before: 0..3, or 4 for a run of them
	literals := func(n int) bool {
		if n > len(src)-in || n > len(dst)-out {
			return false
		}
		copy(dst[out:], src[in:in+n])
		in += n
		out += n
		return true
	}
	if len(src) == 0 {
		return 0, errLZO
	}
	if first := int(src[0]); first > 17 { // a run of literals opens the block
		in = 1
		if !literals(first - 17) {
			return 0, errLZO
		}
		state = min(first-17, 4)
	}
	for {
		if in >= len(src) {
			return 0, errLZO
		}
		op := int(src[in])
		in++
		var length, distance, next int
		switch {
		case op >= 64:
			if in >= len(src) {
				return 0, errLZO
			}
			length = op>>5 + 1
			distance = int(src[in])<<3 + op>>2&7 + 1
			in++
			next = op & 3
		case op >= 16:
			mask := 31
			if op < 32 {
				mask = 7
			}
			length = op & mask
			if length == 0 {
				n, ok := lzoLength(src, &in, mask)
				if !ok {
					return 0, errLZO
				}
				length = n
			}
			length += 2
			if len(src)-in < 2 {
				return 0, errLZO
			}
			x := int(binary.LittleEndian.Uint16(src[in:]))
			in += 2
			next = x & 3
			distance = x>>2 + 1
			if op < 32 {
				distance = (op&8)<<11 + x>>2
				if distance == 0 {
					return out, nil
				}
				distance += 16384
			}
		case state == 0:
			n := op
			if n == 0 {
				k, ok := lzoLength(src, &in, 15)
				if !ok {
					return 0, errLZO
				}
				n = k
			}
			if !literals(n + 3) {
				return 0, errLZO
			}
			state = 4
			continue
		default:
			if in >= len(src) {
				return 0, errLZO
			}
			distance = int(src[in])<<2 + op>>2 + 1
			length = 2
			if state == 4 {
				distance += 2048
				length = 3
			}
			in++
			next = op & 3
		}
		if distance > out || length > len(dst)-out {
			return 0, errLZO
		}
		for range length { // source and target may overlap
			dst[out] = dst[out-distance]
			out++
		}
		if !literals(next) {
			return 0, errLZO
		}
		state = next
	}
}

// lzoLength reads a long length: zero bytes count 255 each.
func lzoLength(src []byte, in *int, base int) (int, bool) {
	n := base
	for *in < len(src) {
		b := src[*in]
		*in++
		if b != 0 {
			return n + int(b), true
		}
		n += 255
	}
	return 0, false
}
