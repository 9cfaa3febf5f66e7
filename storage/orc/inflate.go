package orc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

var inflaters sync.Pool

// inflate decompresses raw deflate data.
func inflate(dst, src []byte) (int, error) {
	r, _ := inflaters.Get().(io.ReadCloser)
	if r == nil {
		r = flate.NewReader(bytes.NewReader(src))
	} else if err := r.(flate.Resetter).Reset(bytes.NewReader(src), nil); err != nil {
		return 0, err
	}
	defer inflaters.Put(r)
	n, err := io.ReadFull(r, dst)
	if err == nil || errors.Is(err, io.EOF) {
		return n, nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		var b [1]byte
		if _, e := r.Read(b[:]); e == io.EOF {
			return n, nil
		}
	}
	return 0, fmt.Errorf("zlib: %w", err)
}
