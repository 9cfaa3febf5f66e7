// Package dictionary numbers texts: a Dictionary gives each text an id, dense from 0 in the order of arrival, for ever.
// Bitmaps of the ids count texts exactly.
//
// A Dictionary lives in memory; what was added since it was read is appended to the store by whoever commits the rows that
// use the ids (Pending, Stored). A Cache keeps those used last. Ids of texts that nobody committed are given anew when the
// dictionary is read again.
package dictionary

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// MaxEntries bounds the texts of one dictionary, MaxText the bytes of one.
const (
	MaxEntries = 1<<32 - 2
	MaxText    = 1 << 24
)

// Dictionary is the texts of one column. Safe for concurrent use: many look up at a time, one adds.
type Dictionary struct {
	mu sync.RWMutex
	// slots is open addressing with linear probing: the upper half of a text's hash, then its id plus one; 0: free.
	slots []uint64
	shift uint // 64 - log2(len(slots))
	seed  uint64
	// entries[id] is where the text is: chunk, offset of its length.
	entries []uint64
	chunks  [][]byte
	texts   int64 // bytes of chunks
	held    int64
	stored  int           // entries that the store has
	blocks  []storedBlock // that the store has, as far as is known, in the order of their first ids
	account func(delta int64)
}

const (
	firstChunk = 1 << 10 // each is twice the one before
	chunkBytes = 1 << 18
	firstSlots = 1 << 10
)

// New makes an empty dictionary. account, which may be nil, is told of every change of the memory it holds.
func New(account func(delta int64)) *Dictionary {
	return &Dictionary{slots: make([]uint64, firstSlots), shift: 64 - 10, seed: rand.Uint64(), account: account}
}

// hash mixes the bytes of a text, 16 at a time, by wide multiplications. The seed is the dictionary's own: nobody who gives
// texts knows which ones collide.
func (d *Dictionary) hash(b []byte) uint64 {
	const k0, k1 = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB
	n, h := uint64(len(b)), k0^d.seed
	for ; len(b) > 16; b = b[16:] {
		h = fold(binary.LittleEndian.Uint64(b)^k1, binary.LittleEndian.Uint64(b[8:])^h)
	}
	var lo, hi uint64
	switch {
	case len(b) >= 8:
		lo, hi = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	case len(b) >= 4:
		lo, hi = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))
	default:
		for _, c := range b {
			lo = lo<<8 | uint64(c)
		}
	}
	return fold(fold(lo^k1, hi^h)^n^k0, k1)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// at is the text of an entry; the caller holds the lock. The bytes never change.
func (d *Dictionary) at(id uint64) []byte {
	e := d.entries[id]
	c := d.chunks[e>>32][uint32(e):]
	n, w := binary.Uvarint(c)
	return c[w : w+int(n)]
}

// find is the id of a text, ok false if it has none.
func (d *Dictionary) find(h uint64, b []byte) (id uint64, ok bool) {
	mask := uint64(len(d.slots) - 1)
	for i := h >> d.shift; ; i = (i + 1) & mask {
		s := d.slots[i]
		if s == 0 {
			return 0, false
		}
		if s>>32 == h&0xffffffff {
			if id := s&0xffffffff - 1; string(d.at(id)) == string(b) {
				return id, true
			}
		}
	}
}

// add gives a text that is not there the next id.
func (d *Dictionary) add(h uint64, b []byte) uint64 {
	id := uint64(len(d.entries))
	last := len(d.chunks) - 1
	if need := len(b) + binary.MaxVarintLen32; last < 0 || cap(d.chunks[last])-len(d.chunks[last]) < need {
		size := max(min(firstChunk<<min(len(d.chunks), 8), chunkBytes), need)
		d.chunks = append(d.chunks, make([]byte, 0, size))
		d.texts += int64(size)
		last++
	}
	c := d.chunks[last]
	d.entries = append(d.entries, uint64(last)<<32|uint64(len(c)))
	d.chunks[last] = append(binary.AppendUvarint(c, uint64(len(b))), b...)
	if 2*len(d.entries) > len(d.slots) {
		d.grow()
	}
	d.put(h, id)
	return id
}

func (d *Dictionary) put(h, id uint64) {
	mask := uint64(len(d.slots) - 1)
	i := h >> d.shift
	for d.slots[i] != 0 {
		i = (i + 1) & mask
	}
	d.slots[i] = h<<32 | (id + 1)
}

// grow doubles the slots.
func (d *Dictionary) grow() {
	d.slots = make([]uint64, 2*len(d.slots))
	d.shift--
	for id := range uint64(len(d.entries) - 1) { // the last one comes after
		d.put(d.hash(d.at(id)), id)
	}
}

// measure tells the account what the dictionary holds now.
func (d *Dictionary) measure() {
	held := int64(8*len(d.slots)+8*cap(d.entries)+24*cap(d.chunks)) + d.texts
	if d.account != nil && held != d.held {
		d.account(held - d.held)
	}
	d.held = held
}

// Texts are the texts of a batch: At(k) is the k-th of N, valid during the call.
type Texts interface {
	N() int
	At(k int) []byte
}

// Scratch is memory of one caller of Assign.
type Scratch struct {
	hashes  []uint64
	missing []int32
}

// Assign writes the ids of texts to ids, giving new ones where there are none. Errors: a text or the dictionary is too large.
func (d *Dictionary) Assign(t Texts, ids []int64, s *Scratch) error {
	n := t.N()
	s.hashes, s.missing = s.hashes[:0], s.missing[:0]
	for k := range n {
		s.hashes = append(s.hashes, d.hash(t.At(k)))
	}
	d.mu.RLock()
	for k := range n {
		id, ok := d.find(s.hashes[k], t.At(k))
		if ids[k] = int64(id); !ok {
			s.missing = append(s.missing, int32(k))
		}
	}
	d.mu.RUnlock()
	if len(s.missing) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range s.missing {
		h, b := s.hashes[k], t.At(int(k))
		id, ok := d.find(h, b)
		if !ok {
			if len(b) > MaxText {
				return sqlerr.New(sqlerr.DataTooLong, "a text of a dictionary is longer than %d bytes", MaxText)
			}
			if len(d.entries) >= MaxEntries {
				return sqlerr.New(sqlerr.OutOfRange, "a dictionary has more than %d texts", MaxEntries)
			}
			id = d.add(h, b)
		}
		ids[k] = int64(id)
	}
	d.measure()
	return nil
}

// Find is the id of a text; ok is false if it has none.
func (d *Dictionary) Find(b []byte) (id int64, ok bool) {
	h := d.hash(b)
	d.mu.RLock()
	defer d.mu.RUnlock()
	found, ok := d.find(h, b)
	return int64(found), ok
}

// Text is the text of an id; ok is false if it was never given. The bytes do not change.
func (d *Dictionary) Text(id int64) (b []byte, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if id < 0 || id >= int64(len(d.entries)) {
		return nil, false
	}
	return d.at(uint64(id)), true
}

// Len is the number of texts.
func (d *Dictionary) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.entries)
}

// Release takes the dictionary's memory off the account. It is not used afterwards.
func (d *Dictionary) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.account != nil {
		d.account(-d.held)
	}
	d.held, d.account = 0, nil
}

// The stored form is blocks, each of some entries in a row:
//
//	block | uvarint entries | entries × ( uvarint length | text ) |
//
// under the id of the first. Blocks may begin within the one before: what both have is the same.

// blockBytes is about the size of a block. Every commit brings a block, so that many small ones bring many small blocks: Pending
// takes up those before that are not much larger than what comes, and so leaves a number of blocks that grows with the logarithm
// of small commits.
const blockBytes = 1 << 18

type storedBlock struct {
	first uint64
	bytes int
}

// Tail is what a commit adds to the store: pass it to Stored once it is committed.
type Tail struct {
	entries int
	blocks  []storedBlock // that are in the store then
}

// Pending calls put for blocks of the entries that the store does not have, and drop for blocks that those make superfluous:
// both in the same commit.
func (d *Dictionary) Pending(put func(first uint64, block []byte) error, drop func(first uint64)) (Tail, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := len(d.entries)
	if d.stored == n {
		return Tail{n, d.blocks}, nil
	}
	from, size := d.stored, 0
	for id := d.stored; id < n && size < blockBytes; id++ {
		size += len(d.at(uint64(id))) + 3
	}
	kept := len(d.blocks)
	for kept > 0 && d.blocks[kept-1].bytes <= 2*size && size+d.blocks[kept-1].bytes < blockBytes {
		kept--
		size += d.blocks[kept].bytes
		from = min(from, int(d.blocks[kept].first))
	}
	for _, b := range d.blocks[kept:] {
		if b.first > uint64(from) { // else it is written over
			drop(b.first)
		}
	}
	t := Tail{n, append([]storedBlock(nil), d.blocks[:kept]...)}
	for id := from; id < n; {
		first, size := id, 0
		for id < n && size < blockBytes {
			size += len(d.at(uint64(id))) + 3
			id++
		}
		block := binary.AppendUvarint(make([]byte, 0, size+10), uint64(id-first))
		for k := first; k < id; k++ {
			b := d.at(uint64(k))
			block = append(binary.AppendUvarint(block, uint64(len(b))), b...)
		}
		if err := put(uint64(first), block); err != nil {
			return Tail{}, err
		}
		t.blocks = append(t.blocks, storedBlock{uint64(first), len(block)})
	}
	return t, nil
}

// Stored tells that a tail was committed. Commits that came one after the other may tell in any order.
func (d *Dictionary) Stored(t Tail) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.entries > d.stored {
		d.stored, d.blocks = t.entries, t.blocks
	}
}

// Read adds a stored block; blocks come in the order of their first ids, before anything else is added. Errors are
// sqlerr.CorruptFile.
func (d *Dictionary) Read(first uint64, block []byte) error {
	bad := func(what string) error {
		return sqlerr.New(sqlerr.CorruptFile, "malformed dictionary block: %s", what)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	size := len(block)
	n, w := binary.Uvarint(block)
	if w <= 0 || first > uint64(len(d.entries)) {
		return bad("gap")
	}
	block = block[w:]
	for id := first; id-first < n; id++ {
		size, w := binary.Uvarint(block)
		if w <= 0 || size > uint64(len(block)-w) || size > MaxText || id >= MaxEntries {
			return bad("length")
		}
		b := block[w : w+int(size)]
		block = block[w+int(size):]
		if id < uint64(len(d.entries)) {
			if string(d.at(id)) != string(b) {
				return bad("two texts have one id")
			}
			continue
		}
		h := d.hash(b)
		if _, ok := d.find(h, b); ok {
			return bad("a text has two ids")
		}
		d.add(h, b)
	}
	if len(block) > 0 {
		return bad("bytes behind the end")
	}
	d.stored = len(d.entries)
	d.blocks = append(d.blocks, storedBlock{first, size})
	d.measure()
	return nil
}

// IsStored tells that the store has every entry.
func (d *Dictionary) IsStored() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.stored == len(d.entries)
}
