package tpchgen

import (
	"bytes"
	"context"

	"fmt"
)

const (
	textPoolSize = 300 << 20
	textSeed     = 933588178

	// A comment's length lies between these parts of its column's average.
	shortest = 0.4
	longest  = 1.6
)

// textPool is the text that every comment is a slice of. It is read-only once built.
type textPool []byte

// newTextPool writes sentences of the official grammar until the pool is full. All of
// it is needed at any scale, because comments start anywhere in it.
func newTextPool(ctx context.Context, v *vocabulary) (textPool, error) {
	w := &textWriter{
		v:           v,
		s:           newStream(textSeed, 1),
		buf:         make([]byte, 0, textPoolSize+4096),
		sentences:   compile(v.grammar, nil),
		nounPhrases: compile(v.nounPhrase, map[byte]*wordList{'J': v.adjectives, 'D': v.adverbs, 'N': v.nouns}),
		verbPhrases: compile(v.verbPhrase, map[byte]*wordList{'D': v.adverbs, 'V': v.verbs, 'X': v.auxiliaries}),
	}
	for n := 0; len(w.buf) < textPoolSize; n++ {
		if n%65536 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("generating text: %w", err)
			}
		}
		w.sentence()
		w.buf = append(w.buf, ' ')
	}
	return w.buf[:textPoolSize:textPoolSize], nil
}

// comment returns a piece of the pool of about avg bytes. Two draws.
func (p textPool) comment(s *stream, avg float64) []byte {
	lo, hi := int64(avg*shortest), int64(avg*longest)
	at := s.between(0, textPoolSize-hi)
	n := s.between(lo, hi)
	return p[at : at+n : at+n]
}

// part is one symbol of a grammar rule: a kind, the list it draws from, and the
// punctuation that follows it.
type part struct {
	kind  byte
	words *wordList
	after []byte
}

// compile turns rules such as "J, J N" into parts, indexed by draw.
func compile(l *wordList, from map[byte]*wordList) [][]part {
	byRule := map[string][]part{}
	var out [][]part
	for _, rule := range l.byDraw {
		parts, ok := byRule[string(rule)]
		if !ok {
			for _, item := range bytes.Fields(rule) {
				p := part{kind: item[0], words: from[item[0]], after: []byte(" ")}
				if len(item) > 1 {
					p.after = []byte{item[1], ' '}
				}
				parts = append(parts, p)
			}
			byRule[string(rule)] = parts
		}
		out = append(out, parts)
	}
	return out
}

type textWriter struct {
	v   *vocabulary
	s   stream
	buf []byte

	sentences, nounPhrases, verbPhrases [][]part
}

func (w *textWriter) rule(rules [][]part) []part {
	return rules[w.s.between(1, int64(len(rules)))-1]
}

func (w *textWriter) sentence() {
	for _, p := range w.rule(w.sentences) {
		switch p.kind {
		case 'N':
			w.phrase(w.nounPhrases)
		case 'V':
			w.phrase(w.verbPhrases)
		case 'P':
			w.buf = append(w.buf, w.v.prepositions.pick(&w.s)...)
			w.buf = append(w.buf, " the "...)
			w.phrase(w.nounPhrases)
		case 'T': // closes the sentence: no blank before it
			w.buf = append(w.buf[:len(w.buf)-1], w.v.terminators.pick(&w.s)...)
		}
	}
}

func (w *textWriter) phrase(rules [][]part) {
	for _, p := range w.rule(rules) {
		w.buf = append(w.buf, p.words.pick(&w.s)...)
		w.buf = append(w.buf, p.after...)
	}
}
