package mysql

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

func payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// TestPackets: what Writer writes Reader reads, also at and over the length of one packet.
func TestPackets(t *testing.T) {
	check := func(packets int, sizes ...int) {
		t.Helper()
		var wire bytes.Buffer
		w := NewWriter(&wire)
		for _, n := range sizes {
			if err := w.End(append(w.Begin(), payload(n)...)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if w.Seq != byte(packets) {
			t.Errorf("%v: sequence number %d, want %d", sizes, w.Seq, packets)
		}
		r := NewReader(&wire, 1<<30)
		for _, n := range sizes {
			got, err := r.Next()
			if err != nil || !bytes.Equal(got, payload(n)) {
				t.Fatalf("%v: %d bytes, %v", sizes, len(got), err)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%v: at the end %v", sizes, err)
		}
	}
	check(3, 0, 1, 5)
	check(2, flushSize-headerSize, 1)
	check(1, maxPayload-1)
	check(2, maxPayload)
	check(3, maxPayload+1, 3)
	check(3, 2*maxPayload)
	check(5, 10, 2*maxPayload+100, 20)
}

func TestReaderRefuses(t *testing.T) {
	check := func(limit int, wire []byte, want any) {
		t.Helper()
		_, err := NewReader(bytes.NewReader(wire), limit).Next()
		if code, ok := want.(sqlerr.Code); ok {
			if !sqlerr.Is(err, code) {
				t.Errorf("%x: %v", wire, err)
			}
		} else if !errors.Is(err, want.(error)) {
			t.Errorf("%x: %v, want %v", wire, err, want)
		}
	}
	check(10, []byte{11, 0, 0, 0}, sqlerr.PacketTooLarge)
	check(10, []byte{1, 0, 0, 1, 5}, PacketsOutOfOrder)
	check(10, []byte{3, 0, 0, 0, 5}, io.ErrUnexpectedEOF)
	check(10, []byte{3, 0, 0, 0}, io.ErrUnexpectedEOF)
	check(10, []byte{3, 0}, io.ErrUnexpectedEOF)
	check(10, nil, io.EOF)
	check(maxPayload+5, append(append([]byte{255, 255, 255, 0}, payload(maxPayload)...), 6, 0, 0, 1), sqlerr.PacketTooLarge)
}

// TestReaderTrustsNoLength: an announced length allocates nothing before its bytes come.
func TestReaderTrustsNoLength(t *testing.T) {
	r := NewReader(bytes.NewReader([]byte{254, 255, 255, 0, 1, 2, 3}), 1<<30)
	if _, err := r.Next(); err == nil {
		t.Fatal("no error")
	}
	if cap(r.buf) > 2*readStep {
		t.Errorf("%d bytes allocated for a packet that never came", cap(r.buf))
	}
}

// TestAbandon: an error may follow a row that was begun.
func TestAbandon(t *testing.T) {
	var wire bytes.Buffer
	w := NewWriter(&wire)
	_ = w.End(append(w.Begin(), 1))
	_ = append(w.Begin(), 2, 2, 2)
	w.Abandon()
	w.Abandon()
	_ = w.End(append(w.Begin(), 3))
	_ = w.Flush()
	if want := []byte{1, 0, 0, 0, 1, 1, 0, 0, 1, 3}; !bytes.Equal(wire.Bytes(), want) {
		t.Errorf("got %x, want %x", wire.Bytes(), want)
	}
}

func TestMessages(t *testing.T) {
	check := func(got []byte, want string) {
		t.Helper()
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ok := OK{AffectedRows: 300, Status: 2, Warnings: 1, Info: "x"}
	check(AppendOK(nil, ok), "\x00\xfc\x2c\x01\x00\x02\x00\x01\x00\x01x")
	check(AppendEOF(nil, OK{Status: 10}, false), "\xfe\x00\x00\x0a\x00")
	check(AppendEOF(nil, OK{Status: 10}, true), "\xfe\x00\x00\x0a\x00\x00\x00")
	check(AppendError(nil, sqlerr.New(sqlerr.UnknownTable, "no t").WithHint("Make it")), "\xff\x7a\x04#42S02no t. Make it")
	check(AppendError(nil, errors.New("odd")), "\xff\x51\x04#HY000odd")
	check(AppendPrepared(nil, 7, 2, 1), "\x00\x07\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00")
	for n, want := range map[uint64]string{0: "\x00", 250: "\xfa", 251: "\xfc\xfb\x00", 65535: "\xfc\xff\xff", 65536: "\xfd\x00\x00\x01", 1 << 24: "\xfe\x00\x00\x00\x01\x00\x00\x00\x00"} {
		b := appendLenenc(nil, n)
		check(b, want)
		if c := (cursor{data: b}); c.lenenc() != n || c.short {
			t.Errorf("%d does not read back", n)
		}
	}
}
