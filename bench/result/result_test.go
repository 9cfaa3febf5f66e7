package result

import (
	"reflect"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	check := func(got, want string, r Rules, problem string) {
		t.Helper()
		g, err := Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		w, err := Parse(want)
		if err != nil {
			t.Fatal(err)
		}
		err = Compare(g, w, r)
		switch {
		case problem == "" && err != nil:
			t.Errorf("%q and %q differ: %v", got, want, err)
		case problem != "" && (err == nil || !strings.Contains(err.Error(), problem)):
			t.Errorf("%q and %q: got %v, want an error about %q", got, want, err, problem)
		}
	}
	byA := Rules{OrderBy: []string{"a"}}
	inexact := Rules{Inexact: []string{"a"}}

	check("a\n1\n2\n", "a\n2\n1\n", Rules{}, "")
	check("a\n1\n2\n", "a\n2\n1\n", byA, "out of order")
	check("a\tb\n1\tx\n1\ty\n", "a\tb\n1\ty\n1\tx\n", byA, "")
	check("a\n1\n1\n2\n", "a\n1\n2\n2\n", Rules{}, `a is "1", want "2"`)
	check("a\n1\n", "a\n1\n1\n", Rules{}, "1 rows, want 2")
	check("a\n1\n", "b\n1\n", Rules{}, "named")
	check("A\n1\n", "a\n1\n", byA, "")
	check("a\n\\N\n", "a\n\\N\n", Rules{}, "")
	check("a\n\\N\n", "a\n0\n", Rules{}, "NULL")
	check("a\n1.50\n", "a\n1.5\n", Rules{}, "")
	check("a\n100\n", "a\n1\n", Rules{}, "want")
	check("a\n-0.00\n", "a\n0\n", Rules{}, "")
	check("a\n532348211.65\n", "a\n532348211.66\n", Rules{}, "want")
	check("a\n532348211.65\n", "a\n532348211.66\n", inexact, "")
	check("a\n25.5220\n", "a\n25.52200585\n", inexact, "")
	check("a\n25.5221\n", "a\n25.52200585\n", inexact, "")
	check("a\n25.5222\n", "a\n25.52200585\n", inexact, "want")
	check("a\n0.03443589041\n", "a\n0.03443589041\n", inexact, "")
	check("a\n0.03443589041\n", "a\n0.03443589049\n", inexact, "want")
	check("a\n9\n10\n", "a\n10\n9.0\n", inexact, "")
	check("a\nx\n", "a\ny\n", inexact, "want")
}

func TestFormat(t *testing.T) {
	s := Set{Columns: []string{"a", "b"}, Rows: [][]Value{{{Text: "tab\there"}, {Null: true}}, {{Text: `\N`}, {Text: ""}}}}
	text := Format(s)
	if want := "a\tb\ntab\\there\t\\N\n\\\\N\t\n"; text != want {
		t.Errorf("Format gives %q, want %q", text, want)
	}
	back, err := Parse(text)
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("Parse gives %+v, %v, want %+v", back, err, s)
	}
	if _, err := Parse("a\tb\n1\n"); err == nil {
		t.Error("Parse accepts a short row")
	}
}
