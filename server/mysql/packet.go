package mysql

import (
	"io"

	"github.com/basaltdb/basalt/internal/invariant"
	"github.com/basaltdb/basalt/internal/sqlerr"
)

const (
	// maxPayload is the longest payload of one packet; longer ones go as several, the last
	// of which is shorter than this.
	maxPayload = 1<<24 - 1
	headerSize = 4
	// flushSize is how much a Writer gathers before it writes.
	flushSize = 32 << 10
	// keepSize is the largest buffer that stays with an idle connection.
	keepSize = 1 << 20
	// readStep bounds what a packet's announced length can make us allocate before its
	// bytes arrive.
	readStep = 64 << 10
)

// PacketsOutOfOrder is a packet whose sequence number is not the expected one.
var PacketsOutOfOrder = sqlerr.Code{Number: 1156, SQLState: "08S01"}

// Reader takes packets off a byte stream. One goroutine uses it.
type Reader struct {
	// Limit is the longest packet accepted, in bytes.
	Limit int
	// Seq is the sequence number that the next packet must have; a command starts at 0.
	Seq byte

	r   io.Reader
	buf []byte
}

// NewReader reads packets of at most limit bytes from r.
func NewReader(r io.Reader, limit int) *Reader { return &Reader{r: r, Limit: limit} }

// Next returns the payload of the next packet, joined when it was split. It is valid until
// the next call. Errors are io's, or an *sqlerr.Error for a packet that breaks the rules;
// after any of them the stream is of no more use.
func (r *Reader) Next() ([]byte, error) {
	if cap(r.buf) > keepSize {
		r.buf = nil
	}
	r.buf = r.buf[:0]
	for {
		var h [headerSize]byte
		if _, err := io.ReadFull(r.r, h[:]); err != nil {
			return nil, err
		}
		n := int(h[0]) | int(h[1])<<8 | int(h[2])<<16
		if h[3] != r.Seq {
			return nil, sqlerr.New(PacketsOutOfOrder, "Got packets out of order: number %d, expected %d", h[3], r.Seq)
		}
		r.Seq++
		if len(r.buf)+n > r.Limit {
			return nil, sqlerr.New(sqlerr.PacketTooLarge, "Got a packet bigger than 'max_allowed_packet' bytes (%d)", r.Limit)
		}
		if err := r.payload(n); err != nil {
			return nil, err
		}
		if n < maxPayload {
			return r.buf, nil
		}
	}
}

// payload appends n bytes of the stream to buf.
func (r *Reader) payload(n int) error {
	for n > 0 {
		step := min(n, max(readStep, len(r.buf)))
		at := len(r.buf)
		if cap(r.buf)-at < step {
			grown := make([]byte, at, max(at+step, min(2*cap(r.buf), at+n)))
			copy(grown, r.buf)
			r.buf = grown
		}
		r.buf = r.buf[:at+step]
		if _, err := io.ReadFull(r.r, r.buf[at:]); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		n -= step
	}
	return nil
}

// Writer frames packets into one buffer and writes it out when it is full. A packet is
//
//	dst := w.Begin()
//	dst = AppendOK(dst, ok)
//	err := w.End(dst)
//
// One goroutine uses it. After an error of End or Flush the stream is of no more use.
type Writer struct {
	// Seq is the sequence number of the next packet.
	Seq byte

	w     io.Writer
	buf   []byte
	start int // where the packet that was begun has its header
	open  bool
}

// NewWriter writes packets to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Begin starts a packet and returns the buffer that its payload is appended to.
func (w *Writer) Begin() []byte {
	if w.open {
		panic(invariant.Failed("a packet begins inside a packet"))
	}
	w.open = true
	if w.buf == nil {
		w.buf = make([]byte, 0, flushSize+flushSize/4)
	}
	w.start = len(w.buf)
	return append(w.buf, 0, 0, 0, 0)
}

// End finishes the packet: dst is what Begin returned with the payload appended.
func (w *Writer) End(dst []byte) error {
	w.open = false
	n := len(dst) - w.start - headerSize
	if n < maxPayload {
		putHeader(dst[w.start:], n, w.Seq)
		w.Seq++
		w.buf = dst
	} else {
		w.buf = w.split(dst, n)
	}
	if len(w.buf) >= flushSize {
		return w.Flush()
	}
	return nil
}

// Abandon drops a packet that was begun and not ended, so that an error can follow.
func (w *Writer) Abandon() {
	if w.open {
		w.open = false
		w.buf = w.buf[:w.start]
	}
}

// split cuts a payload of n bytes into packets by moving its parts apart, last one first.
func (w *Writer) split(dst []byte, n int) []byte {
	parts := n/maxPayload + 1
	for range parts - 1 {
		dst = append(dst, 0, 0, 0, 0)
	}
	for p := parts - 1; p >= 0; p-- {
		size := min(maxPayload, n-p*maxPayload)
		from := w.start + headerSize + p*maxPayload
		to := from + p*headerSize
		copy(dst[to:to+size], dst[from:from+size])
		putHeader(dst[to-headerSize:], size, w.Seq+byte(p))
	}
	w.Seq += byte(parts)
	return dst
}

func putHeader(dst []byte, n int, seq byte) {
	dst[0], dst[1], dst[2], dst[3] = byte(n), byte(n>>8), byte(n>>16), seq
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf)
	if cap(w.buf) > keepSize {
		w.buf = nil
	}
	w.buf = w.buf[:0]
	return err
}
