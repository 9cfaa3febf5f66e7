package orc

import (
	"fmt"

	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/int128"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/storage/widen"
)

// builder makes the nodes of one stripe's columns.
type builder struct {
	f      *File
	in     *input
	footer *stripeFooter
	rows   int64
	most   int64 // elements that one read of lists may give
	packed *budget.Claim
}

// stream opens a stream of a column. One that is missing has no bytes, which is an error
// as soon as a value is read from it.
func (b *builder) stream(p *presence, kind streamKind, keep bool) *stream {
	s := newStream(b.in, b.footer.find(p.id, kind), keep)
	p.streams = append(p.streams, s)
	return s
}

// presence opens what every node has.
func (b *builder) presence(id uint32) presence {
	p := presence{id: id}
	// An empty stream is that of a column without nulls, as some writers leave it.
	if m := b.footer.find(id, streamPresent); m != nil && m.length > 0 {
		s := newStream(b.in, m, false)
		p.streams = append(p.streams, s)
		p.present = &bitReader{bytes: byteReader{s: s}}
	} else if m != nil {
		each := 2 // numbers that say where in a stream
		if b.in.codec == codecNone {
			each = 1
		}
		p.spare, p.own = each+2, ownPositions(b.f.types[id].kind, b.footer.encodings[id].kind, each)
	}
	return p
}

// ownPositions is how many positions a row group's entry has besides those of PRESENT, where
// a stream takes each.
func ownPositions(kind typeKind, encoding uint64, each int) int {
	run := each + 1
	switch kind {
	case kindStruct:
		return 0
	case kindFloat, kindDouble:
		return each
	case kindBoolean:
		return each + 2
	case kindString, kindVarchar, kindChar, kindBinary, kindGeometry, kindGeography:
		if encoding == encDictionary || encoding == encDictionaryV2 {
			return run
		}
		return each + run
	case kindDecimal:
		return each + run
	case kindTimestamp, kindTimestampInstant:
		return 2 * run
	}
	return run
}

// node makes the node of a type and all below it.
func (b *builder) node(id uint32, t sqltype.Type) (node, error) {
	x := &b.f.types[id]
	p := b.presence(id)
	enc := b.footer.encodings[id].kind
	if enc > encDictionaryV2 {
		return nil, formatError(fmt.Sprintf("the encoding %d is unknown", enc))
	}
	v2 := enc == encDirectV2 || enc == encDictionaryV2
	switch x.kind {
	case kindStruct:
		s := &structNode{branch{presence: p, typ: t, packed: b.packed}}
		return s, b.fields(x, x.names, t, &s.children)
	case kindUnion:
		u := &unionNode{branch: branch{presence: p, typ: t, packed: b.packed}}
		u.tags = byteReader{s: b.stream(&u.presence, streamData, false)}
		return u, b.fields(x, unionNames(x), t, &u.children)
	case kindList, kindMap:
		l := &listNode{branch: branch{presence: p, typ: t, packed: b.packed}, in: b.in, most: b.most}
		l.lengths = newIntReader(b.stream(&l.presence, streamLength, false), false, v2)
		return l, b.children(x, t, &l.children)
	}
	if from, _ := typeOf(b.f.types, id, 0); !from.Equal(t) { // a leaf of a nested column
		inner, err := b.node(id, from)
		return &castNode{node: inner, caster: widen.Caster{From: from, To: t, Place: b.f.path}}, err
	}
	l := &leaf{presence: p, typ: t, width: t.Physical().Size(), workspace: workspaces.Get().(*workspace)}
	if (enc == encDictionary || enc == encDictionaryV2) && x.kind != kindString && x.kind != kindVarchar && x.kind != kindChar && x.kind != kindBinary {
		return nil, formatError(fmt.Sprintf("a column of type %s has a dictionary", x.kind))
	}
	return l, b.values(l, x, v2)
}

// fields makes the children of a struct of type t: those of the file by their names,
// exactly or without regard to case; others are NULL.
func (b *builder) fields(x *typeMeta, names []string, t sqltype.Type, dst *[]node) error {
	for i, name := range t.Nested.Fields {
		at := fieldNamed(names, name)
		if at < 0 {
			*dst = append(*dst, &nullNode{typ: t.Nested.Elems[i]})
			continue
		}
		c, err := b.node(x.children[at], t.Nested.Elems[i])
		if err != nil {
			return err
		}
		*dst = append(*dst, c)
	}
	return nil
}

func (b *builder) children(x *typeMeta, t sqltype.Type, dst *[]node) error {
	for i, id := range x.children {
		c, err := b.node(id, t.Nested.Elems[i])
		if err != nil {
			return err
		}
		*dst = append(*dst, c)
	}
	return nil
}

// values opens the streams of a scalar column.
func (b *builder) values(l *leaf, x *typeMeta, v2 bool) error {
	data := func() *stream { return b.stream(&l.presence, streamData, false) }
	ints := func() intReader { return newIntReader(data(), true, v2) }
	switch x.kind {
	case kindBoolean:
		l.values = &bitValues{r: bitReader{bytes: byteReader{s: data()}}}
	case kindByte:
		l.values = &byteValues{r: byteReader{s: data()}}
	case kindShort:
		l.values = &intValues[int16]{r: ints()}
	case kindInt:
		l.values = &intValues[int32]{r: ints()}
	case kindLong:
		l.values = &intValues[int64]{r: ints()}
	case kindDate:
		if b.f.tail.calendar == calendarHybrid {
			l.values = &hybridDates{intValues[int32]{r: ints()}}
		} else {
			l.values = &intValues[int32]{r: ints()}
		}
	case kindFloat:
		l.values = &rawValues{s: data(), width: 4}
	case kindDouble:
		l.values = &rawValues{s: data(), width: 8}
	case kindString, kindVarchar, kindChar, kindBinary, kindGeometry, kindGeography:
		b.strings(l, x, v2)
	case kindDecimal:
		b.decimals(l, x, v2)
	case kindTimestamp, kindTimestampInstant:
		v := &timestampValues{seconds: ints()}
		v.nanos = newIntReader(b.stream(&l.presence, streamSecondary, false), false, v2)
		v.zone = zone{base: epoch}
		if x.kind == kindTimestamp {
			var err error
			if v.zone, err = writerZone(b.footer.timezone, b.f.path); err != nil {
				return err
			}
		}
		l.values = v
	default:
		return sqlerr.Unsupported(fmt.Sprintf("a column of type %s in %s", x.kind, b.f.path))
	}
	return nil
}

func (b *builder) strings(l *leaf, x *typeMeta, v2 bool) {
	trim := x.kind == kindChar
	enc := b.footer.encodings[l.id]
	if enc.kind == encDirect || enc.kind == encDirectV2 {
		v := &stringValues{s: b.stream(&l.presence, streamData, true), trim: trim}
		v.lengths = newIntReader(b.stream(&l.presence, streamLength, false), false, v2)
		l.values, l.text = v, v
		return
	}
	l.codes = &codeValues{r: newIntReader(b.stream(&l.presence, streamData, false), false, v2)}
	l.dict = &dictionary{typ: l.typ, size: enc.dictSize, v2: v2, trim: trim, rows: b.elements(l.id),
		lengths: b.stream(&l.presence, streamLength, false), blob: b.stream(&l.presence, streamDictionary, false)}
}

// elements bounds the values of a column: rows, unless it lies in a list.
func (b *builder) elements(id uint32) int64 {
	if int(id) <= len(b.f.types) && b.f.types[0].kind == kindStruct {
		for _, c := range b.f.types[0].children {
			if c == id {
				return b.rows
			}
		}
	}
	return 1 << 31
}

func (b *builder) decimals(l *leaf, x *typeMeta, v2 bool) {
	s := b.stream(&l.presence, streamData, false)
	precision := int(l.typ.Precision)
	if l.typ.Kind == sqltype.LargeInt {
		precision = 38
	}
	limit := int128.Pow10[precision]
	if l.typ.Kind == sqltype.LargeInt {
		limit = int128.Max
	}
	if b.f.tail.preV2() && x.precision > 0 && x.precision <= sqltype.MaxShortDecimal {
		l.values = &decimal64Values{intValues: intValues[int64]{r: newIntReader(s, true, true)}, limit: int64(limit.Lo)}
		return
	}
	l.values = &decimalValues{s: s, scale: int(l.typ.Scale), wide: l.typ.Physical() == sqltype.PhysInt128, limit: limit,
		scales: newIntReader(b.stream(&l.presence, streamSecondary, false), true, v2)}
}
