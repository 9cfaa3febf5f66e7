package vector

import "testing"

// TestViewAt compares with MakeView, for all lengths and whatever follows the string.
func TestViewAt(t *testing.T) {
	buf := []byte("xx\xff\x80abcdefghijklmnopqrstuvwxyz0123456789")
	for off := range len(buf) - MaxInline {
		for n := range len(buf) - off {
			if got, want := ViewAt((*[MaxInline]byte)(buf[off:]), n, 3, off), MakeView(buf[off:off+n], 3, off); got != want {
				t.Fatalf("%d bytes at %d: %x, want %x", n, off, got, want)
			}
		}
	}
}
