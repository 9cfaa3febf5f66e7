package tpchgen

import "github.com/pingcap/go-tpc/tpch/dbgen/dist"

// wordList is a weighted list of words. byDraw holds each word as often as its weight,
// so that a draw is an index.
type wordList struct {
	words  [][]byte
	weight []int64 // running sum of the weights
	byDraw [][]byte
}

func newWordList(name string) *wordList {
	l := &wordList{}
	var sum int64
	for _, item := range dist.Maps[name] {
		word := []byte(item.Text)
		sum += int64(item.Weight)
		l.words = append(l.words, word)
		l.weight = append(l.weight, sum)
		for range item.Weight {
			l.byDraw = append(l.byDraw, word)
		}
	}
	return l
}

func (l *wordList) pick(s *stream) []byte {
	return l.byDraw[s.between(1, int64(len(l.byDraw)))-1]
}

// vocabulary is every word list of the data set. It is read-only once built.
type vocabulary struct {
	containers, colors, types, nations, regions          *wordList
	priorities, instructions, modes, returnFlag, segment *wordList

	nouns, verbs, adjectives, adverbs, auxiliaries, terminators, prepositions *wordList
	grammar, nounPhrase, verbPhrase                                           *wordList
}

func newVocabulary() *vocabulary {
	return &vocabulary{
		containers:   newWordList("p_cntr"),
		colors:       newWordList("colors"),
		types:        newWordList("p_types"),
		nations:      newWordList("nations"),
		regions:      newWordList("regions"),
		priorities:   newWordList("o_oprio"),
		instructions: newWordList("instruct"),
		modes:        newWordList("smode"),
		returnFlag:   newWordList("rflag"),
		segment:      newWordList("msegmnt"),
		nouns:        newWordList("nouns"),
		verbs:        newWordList("verbs"),
		adjectives:   newWordList("adjectives"),
		adverbs:      newWordList("adverbs"),
		auxiliaries:  newWordList("auxillaries"), // spelled so in the official file
		terminators:  newWordList("terminators"),
		prepositions: newWordList("prepositions"),
		grammar:      newWordList("grammar"),
		nounPhrase:   newWordList("np"),
		verbPhrase:   newWordList("vp"),
	}
}
