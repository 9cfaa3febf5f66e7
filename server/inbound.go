package server

import (
	"io"
	"sync"
)

// readAhead is how many bytes are taken from a client before its command loop wants them.
const readAhead = 16 << 10

// inbound reads from a connection ahead of the command loop, in a goroutine of its own. A
// client that goes away while its statement runs is noticed at once, and the bytes of
// commands that it sent ahead are kept. When readAhead bytes wait, reading pauses.
type inbound struct {
	src  io.Reader
	gone func() // called once, when src ends

	mu    sync.Mutex
	moved sync.Cond // something was added, taken or ended
	buf   []byte
	r, w  int // unread are buf[r:w]; only the reading goroutine moves them down
	err   error
}

func newInbound(src io.Reader, gone func()) *inbound {
	in := &inbound{src: src, gone: gone, buf: make([]byte, readAhead)}
	in.moved.L = &in.mu
	return in
}

// run reads until src ends, which closing the connection brings about.
func (in *inbound) run() {
	for {
		room := in.room()
		n, err := in.src.Read(room)
		in.mu.Lock()
		in.w += n
		if err != nil {
			in.err = err
		}
		in.moved.Broadcast()
		ended := in.err != nil
		in.mu.Unlock()
		if ended {
			in.gone()
			return
		}
	}
}

// room waits for and returns the free end of the buffer.
func (in *inbound) room() []byte {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.err == nil && in.w-in.r == len(in.buf) {
		in.moved.Wait()
	}
	if in.r == in.w || len(in.buf)-in.w < len(in.buf)/2 {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	return in.buf[in.w:]
}

// Read implements io.Reader for the command loop.
func (in *inbound) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.r == in.w {
		if in.err != nil {
			return 0, in.err
		}
		in.moved.Wait()
	}
	n := copy(p, in.buf[in.r:in.w])
	in.r += n
	in.moved.Broadcast()
	return n, nil
}

// stop ends a wait for room; the connection is being closed.
func (in *inbound) stop() {
	in.mu.Lock()
	if in.err == nil {
		in.err = io.ErrClosedPipe
	}
	in.moved.Broadcast()
	in.mu.Unlock()
}
