package orc

import (
	"bytes"

	"github.com/basaltdb/basalt/internal/int128"
)

// maxBoundBytes is where bounds of strings are cut, as the format says.
const maxBoundBytes = 1024

// writtenStats are the statistics of values of one column: of a row group, a stripe or the file.
type writtenStats struct {
	values  int64 // not null
	hasNull bool
	any     bool // bounds are set

	lo, hi   int64 // integers, days, microseconds
	sum      int128.Int
	flo, fhi float64
	fsum     float64
	wlo, whi int128.Int
	wsum     int128.Int
	overflow bool // of wsum
	slo, shi []byte
	bytes    int64
	trues    int64
}

// merge adds the statistics of more values.
func (s *writtenStats) merge(o *writtenStats) {
	s.values += o.values
	s.hasNull = s.hasNull || o.hasNull
	s.sum = s.sum.Add(o.sum)
	s.fsum += o.fsum
	if sum, ok := s.wsum.AddOK(o.wsum); ok {
		s.wsum = sum
	} else {
		s.overflow = true
	}
	s.overflow = s.overflow || o.overflow
	s.bytes += o.bytes
	s.trues += o.trues
	if !o.any {
		return
	}
	if !s.any {
		s.any = true
		s.lo, s.hi, s.flo, s.fhi, s.wlo, s.whi, s.slo, s.shi = o.lo, o.hi, o.flo, o.fhi, o.wlo, o.whi, o.slo, o.shi
		return
	}
	s.lo, s.hi = min(s.lo, o.lo), max(s.hi, o.hi)
	s.flo, s.fhi = min(s.flo, o.flo), max(s.fhi, o.fhi)
	if o.wlo.Less(s.wlo) {
		s.wlo = o.wlo
	}
	if s.whi.Less(o.whi) {
		s.whi = o.whi
	}
	if bytes.Compare(o.slo, s.slo) < 0 {
		s.slo = o.slo
	}
	if bytes.Compare(o.shi, s.shi) > 0 {
		s.shi = o.shi
	}
}

// addInts adds integers, days or microseconds.
func (s *writtenStats) addInts(vals []int64) {
	if len(vals) == 0 {
		return
	}
	lo, hi, sum, wide := vals[0], vals[0], int64(0), int128.Int{}
	for _, x := range vals {
		lo, hi = min(lo, x), max(hi, x)
		if next := sum + x; (sum^next)&(x^next) < 0 {
			wide = wide.AddInt64(sum)
			sum = x
		} else {
			sum = next
		}
	}
	s.merge(&writtenStats{values: int64(len(vals)), any: true, lo: lo, hi: hi, sum: wide.AddInt64(sum)})
}

func (s *writtenStats) addFloats(vals []float64) {
	o := writtenStats{values: int64(len(vals))}
	for _, x := range vals {
		o.fsum += x
		if x != x {
			continue
		}
		if !o.any {
			o.any, o.flo, o.fhi = true, x, x
		}
		o.flo, o.fhi = min(o.flo, x), max(o.fhi, x)
	}
	s.merge(&o)
}

func (s *writtenStats) addWide(vals []int128.Int) {
	for i, x := range vals {
		if i == 0 && !s.any {
			s.any, s.wlo, s.whi = true, x, x
		}
		if x.Less(s.wlo) {
			s.wlo = x
		}
		if s.whi.Less(x) {
			s.whi = x
		}
		if sum, ok := s.wsum.AddOK(x); ok {
			s.wsum = sum
		} else {
			s.overflow = true
		}
	}
	s.values += int64(len(vals))
}

// encode is the ColumnStatistics message for a column of type x.
func (s *writtenStats) encode(x *typeMeta) []byte {
	var w protoWriter
	w.uint(1, uint64(s.values))
	var m protoWriter
	switch x.kind {
	case kindByte, kindShort, kindInt, kindLong:
		if s.any {
			m.sint(1, s.lo)
			m.sint(2, s.hi)
			if s.sum.IsInt64() {
				m.sint(3, int64(s.sum.Lo))
			}
		}
		w.bytes(statsInt, m.b)
	case kindFloat, kindDouble:
		if s.any {
			m.double(1, s.flo)
			m.double(2, s.fhi)
		}
		m.double(3, s.fsum)
		w.bytes(statsDouble, m.b)
	case kindString, kindVarchar, kindChar:
		if s.any {
			s.textBounds(&m)
		}
		m.sint(3, s.bytes)
		w.bytes(statsString, m.b)
	case kindBoolean:
		m.packed(1, []uint64{uint64(s.trues)})
		w.bytes(statsBucket, m.b)
	case kindDecimal:
		if s.any {
			m.text(1, string(int128.AppendDecimal(nil, s.wlo, int(x.scale))))
			m.text(2, string(int128.AppendDecimal(nil, s.whi, int(x.scale))))
			if limit := int128.Pow10[38]; !s.overflow && s.wsum.Abs().Less(limit) {
				m.text(3, string(int128.AppendDecimal(nil, s.wsum, int(x.scale))))
			}
		}
		w.bytes(statsDecimal, m.b)
	case kindDate:
		if s.any {
			m.sint(1, s.lo)
			m.sint(2, s.hi)
		}
		w.bytes(statsDate, m.b)
	case kindBinary:
		m.sint(1, s.bytes)
		w.bytes(statsBinary, m.b)
	case kindTimestamp, kindTimestampInstant:
		if s.any {
			for i, v := range []int64{s.lo, s.hi} {
				millis, rest := floorDiv(v, 1000)
				m.sint(1+i, millis)
				m.sint(3+i, millis)
				m.uint(5+i, uint64(rest*1000+1))
			}
		}
		w.bytes(statsTimestamp, m.b)
	}
	w.bool(10, s.hasNull)
	return w.b
}

// textBounds writes the bounds of strings, long ones cut to a bound that holds.
func (s *writtenStats) textBounds(m *protoWriter) {
	if len(s.slo) <= maxBoundBytes {
		m.bytes(1, s.slo)
	} else {
		m.bytes(4, cutText(s.slo))
	}
	if len(s.shi) <= maxBoundBytes {
		m.bytes(2, s.shi)
		return
	}
	hi := bytes.Clone(cutText(s.shi))
	for i := len(hi) - 1; i >= 0; i-- {
		if hi[i] < 0x7f { // stays UTF-8
			hi[i]++
			m.bytes(5, hi[:i+1])
			return
		}
	}
}

// cutText is at most maxBoundBytes of p, whole UTF-8 characters.
func cutText(p []byte) []byte {
	n := maxBoundBytes
	for n > 0 && p[n]&0xc0 == 0x80 {
		n--
	}
	return p[:n]
}

// floorDiv rounds down.
func floorDiv(x, y int64) (q, r int64) {
	q, r = x/y, x%y
	if r < 0 {
		q--
		r += y
	}
	return q, r
}
