package bucket

import (
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

var (
	tBool   = sqltype.T(sqltype.Boolean)
	tTiny   = sqltype.T(sqltype.TinyInt)
	tSmall  = sqltype.T(sqltype.SmallInt)
	tInt    = sqltype.T(sqltype.Int)
	tBig    = sqltype.T(sqltype.BigInt)
	tLarge  = sqltype.T(sqltype.LargeInt)
	tFloat  = sqltype.T(sqltype.Float)
	tDouble = sqltype.T(sqltype.Double)
	tDate   = sqltype.T(sqltype.Date)
	tTime   = sqltype.DateTimeOf(6)
	tString = sqltype.T(sqltype.String)
	tChar   = sqltype.Type{Kind: sqltype.Char, Length: 20}
	tVar    = sqltype.VarcharOf(100)
)

func num(t sqltype.Type, x int64) vector.Value { return vector.IntValue(t, x) }
func str(t sqltype.Type, s string) vector.Value {
	return vector.StringValue(t, s)
}
func float(t sqltype.Type, f float64) vector.Value { return vector.Value{Type: t, F: f} }

// hashOf is the hash of a tuple before the modulo.
func hashOf(h Hash, tuple ...vector.Value) int32 {
	x := h.seed()
	for _, v := range tuple {
		x = h.chain(x, v)
	}
	return int32(x)
}

// TestVectors are FORMATS.md 4.3-4.5 and FEATURES.md 6.4.
func TestVectors(t *testing.T) {
	both := func(v1, v2 int32, tuple ...vector.Value) {
		t.Helper()
		if got := hashOf(HiveV1, tuple...); got != v1 {
			t.Errorf("hive v1 %v: %d, want %d", tuple, got, v1)
		}
		if got := hashOf(HiveV2, tuple...); got != v2 {
			t.Errorf("hive v2 %v: %d, want %d", tuple, got, v2)
		}
	}
	both(1132136730, -399107423, str(tString, "Trino rocks"))
	both(0, -965378730, str(tString, ""))
	both(-318923937, -138301454, str(tString, "test string"))
	both(-189841218, -138301454, str(tVar, "test string"))
	both(1688501507, 1784416344, str(tString, "强大的Trino引擎"))
	both(1, 1, vector.BoolValue(true))
	both(-128, -128, num(tTiny, -128))
	both(300, 2107031704, num(tSmall, 300))
	both(300000, -678663480, num(tInt, 300000))
	both(math.MinInt32, 1194881028, num(tInt, math.MinInt32))
	both(-647710651, -888935297, num(tBig, 300000000000))
	both(math.MinInt32, -536577852, num(tBig, math.MaxInt64))
	both(1095069860, -381747602, float(tFloat, float64(float32(12.34))))
	both(2143289344, -480354314, float(tFloat, math.NaN()))
	both(986311098, -2070733568, float(tDouble, 12.34))
	both(2146959360, 1138026565, float(tDouble, math.NaN()))
	both(16758, 8542395, num(tDate, 16758))
	both(-6983, -431619185, num(tDate, -6983))
	both(128, -907245731, num(tInt, 1), str(tString, "a"))
	both(96354, -885266671, str(tString, "abc"))
	both(0, 0, vector.NullOf(tInt))

	spark := func(want int32, tuple ...vector.Value) {
		t.Helper()
		if got := hashOf(Spark, tuple...); got != want {
			t.Errorf("spark %v: %d, want %d", tuple, got, want)
		}
	}
	spark(-559580957, num(tInt, 1))
	spark(29417773, num(tInt, 42))
	spark(933211791, num(tInt, 0))
	spark(-1604776387, num(tInt, -1))
	spark(-1712319331, num(tBig, 1))
	spark(-473131632, num(tBig, 300000000000))
	spark(142593372, str(tString, ""))
	spark(1485273170, str(tString, "a"))
	spark(1322437556, str(tString, "abc"))
	spark(-93016331, str(tString, "test string"))
	spark(2133647792, str(tString, "强大的Trino引擎"))
	spark(2119106806, str(tString, "é"))
	spark(-1358551448, float(tFloat, float64(float32(12.34))))
	spark(1642236150, float(tDouble, 12.34))
	spark(-1136963885, num(tDate, 16758))
	spark(767597087, num(sqltype.T(sqltype.Timestamp), 1447891200000000))
	spark(-1028144669, num(sqltype.DecimalOf(10, 2), 1234))
	spark(-936062819, num(tInt, 1), str(tString, "a"))
	spark(-1321691492, str(tString, "Spark"), num(tInt, 123), num(tInt, 2)) // hash('Spark', array(123), 2): an array chains its elements
	spark(42, vector.NullOf(tInt))

	for _, c := range []struct {
		h       Hash
		buckets int
		want    int32
		tuple   []vector.Value
	}{
		{HiveV1, 4, 2, []vector.Value{str(tString, "Trino rocks")}},
		{HiveV2, 4, 1, []vector.Value{str(tString, "Trino rocks")}},
		{HiveV2, 8, 5, []vector.Value{num(tInt, 1)}},
		{HiveV2, 10, 5, []vector.Value{num(tInt, 1)}},
		{HiveV2, 8, 4, []vector.Value{num(tBig, 1)}},
		{HiveV2, 10, 8, []vector.Value{num(tBig, 1)}},
		{HiveV2, 8, 1, []vector.Value{str(tString, "abc")}},
		{HiveV2, 10, 7, []vector.Value{str(tString, "abc")}},
		{HiveV2, 8, 4, []vector.Value{num(tInt, 1), str(tString, "abc")}},
		{HiveV1, 8, 2, []vector.Value{str(tString, "abc")}},
		{HiveV1, 8, 1, []vector.Value{num(tInt, 1)}},
		{Spark, 8, 3, []vector.Value{num(tInt, 1)}},
		{Spark, 8, 4, []vector.Value{str(tString, "abc")}},
	} {
		if got := c.h.Number(c.tuple, c.buckets); got != c.want {
			t.Errorf("%v of %d buckets of %v: %d, want %d", c.h, c.buckets, c.tuple, got, c.want)
		}
	}
}

// TestDoris checks the bytes that each type feeds.
func TestDoris(t *testing.T) {
	check := func(fed []byte, tuple ...vector.Value) {
		t.Helper()
		if got, want := uint32(hashOf(DorisCRC32, tuple...)), crc32.ChecksumIEEE(fed); got != want {
			t.Errorf("%v: %08x, want %08x", tuple, got, want)
		}
	}
	check([]byte("123456789"), str(tVar, "123456789")) // 0xcbf43926, the check value of the CRC
	check([]byte{1}, num(tTiny, 1))
	check([]byte{1, 0}, num(tSmall, 1))
	check([]byte{1, 0, 0, 0}, num(tInt, 1))
	check([]byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, num(tBig, -2))
	check([]byte{5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, num(tLarge, 5))
	check([]byte{0xd2, 4, 0, 0}, num(sqltype.DecimalOf(9, 2), 1234))
	check([]byte{0xd2, 4, 0, 0, 0, 0, 0, 0}, num(sqltype.DecimalOf(10, 2), 1234))
	check([]byte{0xd2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, num(sqltype.DecimalOf(20, 2), 1234))
	check([]byte("ab"), str(tChar, "ab\x00\x00"))
	check([]byte{0, 0, 0, 0}, vector.NullOf(tBig))
	check([]byte{1, 0, 0, 0, 'x', 0, 0, 0, 0}, num(tInt, 1), str(tVar, "x"), vector.NullOf(tVar))
	// 2024-01-15 is 2024<<9 | 1<<5 | 15
	check([]byte{0x2f, 0xd0, 0x0f, 0}, num(tDate, int64(sqltype.DaysFromCivil(2024, 1, 15))))
	packed := uint64(2024)<<46 | 1<<42 | 15<<37 | 13<<32 | 14<<26 | 15<<20 | 16
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(packed >> (8 * i))
	}
	micros := int64(sqltype.DaysFromCivil(2024, 1, 15))*sqltype.MicrosPerDay + ((13*60+14)*60+15)*sqltype.MicrosPerSecond + 16
	check(b, num(tTime, micros))
}

// randomValue is a value of type t from a small set, so that dictionaries repeat.
func randomValue(r *rand.Rand, t sqltype.Type) vector.Value {
	switch {
	case r.IntN(8) == 0:
		return vector.NullOf(t)
	case t.Physical() == sqltype.PhysString:
		s := "The quick brown fox jumps over the lazy dog, again and again, the 3rd time \x80\xff é"
		lo := r.IntN(4)
		return str(t, s[lo:lo+r.IntN(len(s)-lo)])
	case t.Kind == sqltype.Float || t.Kind == sqltype.Double:
		return float(t, []float64{0, math.Copysign(0, -1), 1.5, -3, math.NaN(), 7e9}[r.IntN(6)])
	case t.Kind == sqltype.Boolean:
		return vector.BoolValue(r.IntN(2) == 1)
	case t.Kind == sqltype.Date:
		return num(t, r.Int64N(sqltype.MaxDate-sqltype.MinDate)+sqltype.MinDate)
	case t.Kind == sqltype.DateTime:
		return num(t, (r.Int64N(sqltype.MaxDate-sqltype.MinDate)+sqltype.MinDate)*sqltype.MicrosPerDay+r.Int64N(sqltype.MicrosPerDay))
	case t.Physical() == sqltype.PhysInt128:
		return vector.Value{Type: t, I: int128.Int{Lo: r.Uint64(), Hi: int64(r.Uint64()) >> r.IntN(64)}}
	}
	bits := 8 * t.Physical().Size()
	return num(t, int64(r.Uint64())>>(64-bits))
}

// TestNumbers compares the kernels with Number over every hash, type, form and selection.
func TestNumbers(t *testing.T) {
	types := []sqltype.Type{tBool, tTiny, tSmall, tInt, tBig, tLarge, tFloat, tDouble, tDate, tTime, tString, tChar, tVar,
		sqltype.DecimalOf(9, 2), sqltype.DecimalOf(18, 2), sqltype.DecimalOf(38, 2)}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		h := Hash(r.IntN(4))
		n := 1 + r.IntN(200)
		var cols []*vector.Vector
		for range 1 + r.IntN(3) {
			ty := types[r.IntN(len(types))]
			for (h == HiveV1 || h == HiveV2) && ty.Physical() == sqltype.PhysInt128 {
				ty = types[r.IntN(len(types))]
			}
			cols = append(cols, randomColumn(r, ty, n))
		}
		var sel []int32
		live := make([]bool, n)
		if r.IntN(2) == 0 {
			sel = []int32{}
			for i := range n {
				if r.IntN(3) > 0 {
					sel = append(sel, int32(i))
				}
			}
		}
		for k := range n {
			if sel == nil {
				live[k] = true
			}
		}
		for _, i := range sel {
			live[i] = true
		}
		out := make([]int32, n)
		for i := range out {
			out[i] = -7
		}
		buckets := 1 + r.IntN(64)
		scratch := h.Numbers(cols, n, sel, buckets, out, nil)
		if len(scratch) != n {
			t.Fatalf("scratch of %d, want %d", len(scratch), n)
		}
		for i := range n {
			want := int32(-7)
			if live[i] {
				tuple := make([]vector.Value, len(cols))
				for k, c := range cols {
					tuple[k] = c.Value(i)
				}
				want = h.Number(tuple, buckets)
			}
			if out[i] != want {
				t.Fatalf("seed %d, %v, row %d: %d, want %d (%s)", seed, h, i, out[i], want, cols[0].Type)
			}
		}
	}
}

func randomColumn(r *rand.Rand, ty sqltype.Type, n int) *vector.Vector {
	switch r.IntN(4) {
	case 0:
		return vector.NewConstant(randomValue(r, ty), n)
	case 1:
		dict := vector.New(ty, 1+r.IntN(2*n))
		for i := range dict.Len {
			v := randomValue(r, ty)
			for v.Null {
				v = randomValue(r, ty)
			}
			dict.SetValue(i, v)
		}
		codes := make([]int32, n)
		valid := vector.NewBitmap(n)
		for i := range codes {
			codes[i] = int32(r.IntN(dict.Len))
			if r.IntN(9) == 0 {
				valid.Clear(i)
			}
		}
		return vector.NewDictionary(dict, codes, valid)
	}
	v := vector.New(ty, n)
	for i := range n {
		v.SetValue(i, randomValue(r, ty))
	}
	return v
}

// TestNested are the vectors of arrays and maps.
func TestNested(t *testing.T) {
	arr := vector.PackArrays(sqltype.ArrayOf(tSmall), vector.FromValues(tSmall, []int16{5, 8, 13}, nil), []int32{0, 3}, nil)
	m := vector.PackMaps(sqltype.MapOf(tString, tBig), vector.FromStrings(tString, "key", "key2", "key3"),
		vector.FromValues(tBig, []int64{123, 123456789, -123456}, nil), []int32{0, 3}, nil)
	for _, c := range []struct {
		v    *vector.Vector
		h    Hash
		want int32
	}{{arr, HiveV1, 5066}, {arr, HiveV2, -905011156}, {m, HiveV1, 127880789}, {m, HiveV2, -1910999650}} {
		if got := int32(hiveElement(c.h, c.v, 0)); got != c.want {
			t.Errorf("%v %s: %d, want %d", c.h, c.v.Type, got, c.want)
		}
		out := make([]int32, 1)
		c.h.Numbers([]*vector.Vector{c.v}, 1, nil, 8, out, nil)
		if out[0] != c.want&0x7fffffff%8 {
			t.Errorf("%v %s: bucket %d", c.h, c.v.Type, out[0])
		}
	}
}

// TestNames holds the property values.
func TestNames(t *testing.T) {
	for h := range Hash(4) {
		if got, ok := Parse(h.String()); !ok || got != h {
			t.Errorf("%v", h)
		}
	}
	if _, ok := Parse("md5"); ok {
		t.Error("md5 is no bucket hash")
	}
	if DorisCRC32.Supports(tDouble) || !DorisCRC32.Supports(tTime) || HiveV2.Supports(tTime) {
		t.Error("supported types")
	}
}

// BenchmarkNumbers hashes a batch.
func BenchmarkNumbers(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	ints, strs := vector.New(tBig, vector.BatchRows), vector.New(tVar, vector.BatchRows)
	for i := range vector.BatchRows {
		vector.Values[int64](ints)[i] = r.Int64()
		strs.SetString(i, fmt.Sprint("customer ", r.Int64N(1e9)))
	}
	for h := range Hash(4) {
		for name, v := range map[string]*vector.Vector{"bigint": ints, "string": strs} {
			b.Run(fmt.Sprint(h, "/", name), func(b *testing.B) {
				out := make([]int32, v.Len)
				var scratch []uint32
				b.SetBytes(int64(v.Len)) // rows a second read as MB/s: 1 MB is a million rows
				for b.Loop() {
					scratch = h.Numbers([]*vector.Vector{v}, v.Len, nil, 32, out, scratch)
				}
			})
		}
	}
}
