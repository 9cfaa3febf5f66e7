package ast

import "reflect"

var posType = reflect.TypeFor[Pos]()

// Equal tells whether two trees mean the same text: positions and the kept source
// text of select items and views, materialized ones too, do not count. An empty list equals an absent one.
func Equal(a, b Node) bool {
	return equal(reflect.ValueOf(a), reflect.ValueOf(b))
}

// skipped are fields that repeat what the tree says, as the user happened to write it.
var skipped = map[reflect.Type]string{
	reflect.TypeFor[SelectItem]():             "Text",
	reflect.TypeFor[CreateView]():             "Text",
	reflect.TypeFor[CreateMaterializedView](): "Text",
}

func equal(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		skip := skipped[a.Type()]
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if f.Type == posType || f.Name == skip {
				continue
			}
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}
