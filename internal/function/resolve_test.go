package function

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/basaltdb/basalt/internal/hll"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/sqltype"
	"github.com/basaltdb/basalt/internal/vector"
)

// samples are values that random calls pick from, with the edges that break kernels.
var samples = []string{
	"bool:0", "bool:1", "bool:NULL", "i8:-128", "i8:3", "i8:NULL", "i16:300", "i32:-7", "i32:NULL", "i32:20240229", "i64:5", "i64:-1",
	"i128:12", "i128:NULL", "f32:1.5", "f64:-2.5", "f64:nan", "f64:NULL", "f64:0", "d5.2:1.25", "d18.4:-3.0001", "d18.4:NULL", "d38.6:123456789012.654321",
	"s:", "s:abc", "s:日本語 text, longer than twelve", "s:NULL", "s:2024-02-29 10:11:12", "s:12", "s:{\"a\":[1,2]}", "s:%a_", "v9:xyz", "c3:q",
	"date:2024-02-29", "date:NULL", "date:0000-01-01", "date:9999-12-31", "dt:2024-02-29 10:11:12", "dt6:1960-02-29 10:11:12.123456", "dt:NULL", "time:-10:11:12", "ts:2024-02-29 10:11:12",
	"null:", "json:{\"a\":1}", "bin:raw",
}

// nestedSamples are the texts of values of nested types.
var nestedSamples = []struct {
	typ    sqltype.Type
	values string
}{
	{sqltype.ArrayOf(tInt), "[1,2,null];[];[3];[1,1,2]"},
	{sqltype.ArrayOf(tString), `["a","a longer text than fits",null];[];["a"]`},
	{sqltype.ArrayOf(sqltype.ArrayOf(tDouble)), "[[1.5],[],null];[[-0.0,2]]"},
	{sqltype.MapOf(tString, tInt), `{"a":1,"b":null};{};{"c":3}`},
	{sqltype.StructOf([]string{"day", "n"}, []sqltype.Type{tString, tInt}), `{"day":"x","n":1};{"day":null,"n":null}`},
}

// TestEveryFunction calls every function with random types and values and compares the forms.
func TestEveryFunction(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var byType [][]vector.Value
	index := map[sqltype.Type]int{}
	for _, s := range samples {
		v := testValue(t, s)
		k, ok := index[v.Type]
		if !ok {
			k = len(byType)
			index[v.Type] = k
			byType = append(byType, nil)
		}
		byType[k] = append(byType[k], v)
	}
	for _, s := range nestedSamples {
		var pool []vector.Value
		for _, body := range strings.Split(s.values, ";") {
			pool = append(pool, castValue(t, vector.StringValue(tString, body), s.typ))
		}
		byType = append(byType, append(pool, vector.NullOf(s.typ)))
	}
	byType = append(byType, append(bitmapSamples(t), vector.NullOf(tBitmap)), []vector.Value{
		vector.StringValue(tHLL, string(emptyHLL)), vector.StringValue(tHLL, string(hll.AppendOne(nil, hll.ColumnPrecision, 1<<60))), vector.NullOf(tHLL)})
	units := []string{"day", "month", "hour", "second"}
	for _, name := range slices.Sorted(maps.Keys(scalars())) {
		switch name {
		case "sleep", "repeat", "lpad", "rpad", "space": // a date as a length makes megabytes
			continue
		case "struct_element": // a struct and the constant name of its field: test/slt/nested
			continue
		}
		resolved := false
		for try := range 600 {
			arity := try % 5
			rows := make([][]vector.Value, 4)
			var pool []vector.Value
			consts := make([]bool, arity)
			for j := range arity {
				if j == 0 || r.IntN(3) > 0 { // else as the argument before
					pool = byType[r.IntN(len(byType))]
				}
				consts[j] = r.IntN(4) == 0
				fixed := pool[r.IntN(len(pool))]
				if j == 0 && try >= 560 || r.IntN(8) == 0 {
					consts[j], fixed = true, vector.StringValue(tString, units[r.IntN(len(units))])
				}
				for i := range rows {
					v := fixed
					if !consts[j] {
						v = pool[r.IntN(len(pool))]
					}
					rows[i] = append(rows[i], v)
				}
			}
			what := name + "("
			for _, v := range rows[0] {
				what += " " + v.Type.String()
			}
			c, err := resolveCall(t, name, rows, consts)
			if err != nil {
				opaque := err.Error() == opaqueError().Error()
				if !opaque && !sqlerr.Is(err, sqlerr.WrongArguments) && name != "cast" && name != "struct_element" && name != "element_at" {
					t.Errorf("%s: %v", what, err)
				}
				continue
			}
			resolved = true
			// Values are an error at times; the forms are compared where they are not.
			if _, err := c.variants(t, what); err != nil && !c.fn.Fails && !strings.Contains(err.Error(), "ESCAPE") {
				t.Errorf("%s: fails but does not say so: %v", what, err)
			}
		}
		if !resolved {
			t.Errorf("%s: no call resolved", name)
		}
	}
}

// TestNullArguments: a call with NULL literals resolves wherever the count of arguments is right.
func TestNullArguments(t *testing.T) {
	needConstant := map[string]bool{"extract": true, "timestampdiff": true, "timestampadd": true, "date_trunc": true, "cast": true, "named_struct": true, "struct_element": true}
	for _, name := range List() {
		if IsAggregate(name) || IsHigher(name) || needConstant[name] {
			continue
		}
		ok := false
		for arity := range 5 {
			args := make([]Arg, arity)
			for i := range args {
				args[i] = Arg{Type: tNull, Const: &vector.Value{Null: true}}
			}
			if _, err := Resolve(name, args); err == nil {
				ok = true
			}
		}
		if !ok {
			t.Errorf("%s does not take NULL", name)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	if _, err := Resolve("no_such", nil); !sqlerr.Is(err, sqlerr.UnknownFunction) {
		t.Error(err)
	}
	if _, err := ResolveAggregate("upper", nil); !sqlerr.Is(err, sqlerr.UnknownFunction) {
		t.Error(err)
	}
	if _, err := Resolve("upper", []Arg{{Type: sqltype.ArrayOf(tInt)}}); !sqlerr.Is(err, sqlerr.WrongArguments) {
		t.Error(err)
	}
	if _, err := Resolve("upper", nil); !sqlerr.Is(err, sqlerr.WrongArguments) || err.Error() != "wrong arguments for function upper()" {
		t.Error(err)
	}
	if !IsAggregate("sum") || IsAggregate("abs") {
		t.Error("IsAggregate")
	}
	names := List()
	for i := 1; i < len(names); i++ {
		if names[i] <= names[i-1] {
			t.Errorf("%s after %s", names[i], names[i-1])
		}
	}
	if len(names) < 250 {
		t.Errorf("%d functions", len(names))
	}
}
