package function

import "testing"

func TestStrings(t *testing.T) {
	runCases(t, []scalarCase{
		{"substring", "s:13-715-945|=i8:1|=i8:2", "s:13"}, {"substring", "s:日本語テキスト|=i8:1|=i8:2", "s:日本"}, {"substring", "s:NULL|=i8:1|=i8:2", "s:NULL"}, {"substring", "s:|=i8:1|=i8:2", "s:"},
		{"substring", "s:abcdef|i8:-2|i8:5", "s:ef"}, {"substring", "s:abcdef|i8:0|i8:5", "s:"}, {"substring", "s:abcdef|i8:7|i8:5", "s:"}, {"substring", "s:abcdef|i8:-7|i8:5", "s:"}, {"substring", "s:abcdef|i8:2|i8:0", "s:"}, {"substring", "s:abcdef|i8:2|i8:-1", "s:"}, {"substring", "s:日本語|i8:-2|i8:1", "s:本"}, {"substring", "s:日本語|i8:-4|i8:1", "s:"},
		{"substr", "s:a long string of text|i8:3", "s:long string of text"}, {"substr", "s:a long string of text|i8:-4", "s:text"}, {"mid", "s:abc|i8:2|i8:1", "s:b"}, {"substr", "null:|i8:2", "s:NULL"}, {"substr", "i32:12345|i8:2", "s:2345"},
		{"length", "s:日本", "i32:6"}, {"length", "s:", "i32:0"}, {"length", "s:NULL", "i32:NULL"}, {"char_length", "s:日本", "i32:2"}, {"character_length", "s:abc", "i32:3"}, {"octet_length", "s:é", "i32:2"}, {"bit_length", "s:ab", "i32:16"},
		{"upper", "s:abcÉé1", "s:ABCÉÉ1"}, {"ucase", "s:a", "s:A"}, {"lower", "s:ABCÉé1", "s:abcéé1"}, {"lcase", "s:A", "s:a"}, {"upper", "s:NULL", "s:NULL"},
		{"trim", "s:  a b  ", "s:a b"}, {"ltrim", "s:  a b  ", "s:a b  "}, {"rtrim", "s:  a b  ", "s:  a b"}, {"trim", "s:xyxabcxy|s:xy", "s:xabc"}, {"ltrim", "s:aab|s:a", "s:b"}, {"trim", "s:aaa|s:a", "s:"}, {"trim", "s:aaa|s:", "s:aaa"}, {"trim", "s:   ", "s:"},
		{"left", "s:日本語|i8:2", "s:日本"}, {"left", "s:ab|i8:5", "s:ab"}, {"left", "s:ab|i8:-1", "s:"}, {"strleft", "s:abc|i8:1", "s:a"}, {"right", "s:日本語|i8:2", "s:本語"}, {"right", "s:ab|i8:0", "s:"}, {"right", "s:ab|i8:9", "s:ab"}, {"strright", "s:abc|i8:1", "s:c"},
		{"lpad", "s:5|i8:3|s:0", "s:005"}, {"lpad", "s:hello|i8:3|s:0", "s:hel"}, {"lpad", "s:hi|i8:-1|s:0", "s:NULL"}, {"lpad", "s:日|i8:4|s:ab", "s:aba日"}, {"rpad", "s:日|i8:4|s:ab", "s:日aba"}, {"lpad", "s:hi|i8:5|s:", "s:"}, {"rpad", "s:hi|i8:4", "s:hi  "}, {"lpad", "s:hi|i64:99999999999|s:0", "s:NULL"},
		{"repeat", "s:ab|i8:3", "s:ababab"}, {"repeat", "s:ab|i8:0", "s:"}, {"repeat", "s:ab|i8:-1", "s:"}, {"repeat", "s:ab|i64:9999999999", "s:NULL"}, {"repeat", "s:|i64:9999999999", "s:"},
		{"reverse", "s:añb日", "s:日bña"}, {"reverse", "s:", "s:"}, {"replace", "s:aXbXc|s:X|s:--", "s:a--b--c"}, {"replace", "s:abc|s:|s:x", "s:abc"}, {"replace", "s:aaa|s:aa|s:b", "s:ba"},
		{"translate", "s:abcd|s:abc|s:12", "s:12d"}, {"translate", "s:日本|s:日|s:x", "s:x本"},
		{"insert", "s:Quadratic|i8:3|i8:4|s:What", "s:QuWhattic"}, {"insert", "s:Quadratic|i8:-1|i8:4|s:What", "s:Quadratic"}, {"insert", "s:Quadratic|i8:3|i8:100|s:What", "s:QuWhat"},
		{"instr", "s:foobarbar|s:bar", "i32:4"}, {"instr", "s:日本語|s:語", "i32:3"}, {"instr", "s:a|s:b", "i32:0"}, {"instr", "s:a|s:", "i32:1"}, {"locate", "s:bar|s:foobarbar|i8:5", "i32:7"}, {"locate", "s:bar|s:foobarbar|i8:0", "i32:0"}, {"locate", "s:bar|s:foobarbar|i8:1", "i32:4"}, {"locate", "s:bar|s:foobarbar", "i32:4"}, {"position", "s:x|s:abc", "i32:0"},
		{"find_in_set", "s:b|s:a,b,c", "i32:2"}, {"find_in_set", "s:d|s:a,b,c", "i32:0"}, {"find_in_set", "s:a,b|s:a,b,c", "i32:0"}, {"find_in_set", "s:|s:a,,c", "i32:2"}, {"find_in_set", "s:a|s:", "i32:0"},
		{"strcmp", "s:a|s:b", "i8:-1"}, {"strcmp", "s:b|s:a", "i8:1"}, {"strcmp", "s:a|s:a", "i8:0"},
		{"substring_index", "s:www.example.com|s:.|i8:2", "s:www.example"}, {"substring_index", "s:www.example.com|s:.|i8:-2", "s:example.com"}, {"substring_index", "s:www.example.com|s:.|i8:9", "s:www.example.com"}, {"substring_index", "s:www.example.com|s:.|i8:0", "s:"}, {"substring_index", "s:www.example.com|s:.|i8:-9", "s:www.example.com"},
		{"split_part", "s:a,b,c|s:,|i8:2", "s:b"}, {"split_part", "s:a,b,c|s:,|i8:-1", "s:c"}, {"split_part", "s:a,b,c|s:,|i8:4", "s:NULL"}, {"split_part", "s:a,b,c|s:,|i8:0", "s:NULL"}, {"split_part", "s:abc|s:,|i8:1", "s:abc"}, {"split_part", "s:a,b,c|s:,|i8:-4", "s:NULL"}, {"split_part", "s:a,b,c|s:,|i8:1", "s:a"},
		{"starts_with", "s:hello|s:he", "bool:1"}, {"starts_with", "s:hello|s:lo", "bool:0"}, {"starts_with", "s:NULL|s:lo", "bool:NULL"}, {"ends_with", "s:hello|s:lo", "bool:1"}, {"ends_with", "s:hello|s:he", "bool:0"},
		{"initcap", "s:hello wORLD-x 9a", "s:Hello World-X 9a"}, {"null_or_empty", "s:NULL", "bool:1"}, {"null_or_empty", "s:", "bool:1"}, {"null_or_empty", "s:a", "bool:0"}, {"not_null_or_empty", "s:a", "bool:1"},
		{"concat", "s:a|s:b|i32:5|d10.2:1.5", "s:ab51.50"}, {"concat", "s:a|s:NULL", "s:NULL"}, {"concat", "date:2024-01-02|s:!", "s:2024-01-02!"}, {"concat", "f64:1.5|bool:1", "s:1.51"},
		{"concat_ws", "s:-|s:a|s:NULL|s:c", "s:a-c"}, {"concat_ws", "s:NULL|s:a|s:b|s:c", "s:NULL"}, {"concat_ws", "s:-|s:NULL|s:NULL|s:NULL", "s:"}, {"concat_ws", "s:,|s:|s:x|s:", "s:,x,"},
		{"quote", "s:Don't\\", "s:'Don\\'t\\\\'"}, {"quote", "s:NULL", "s:NULL"}, {"elt", "i8:2|s:a|s:b", "s:b"}, {"elt", "i8:3|s:a|s:b", "s:NULL"}, {"elt", "i8:NULL|s:a|s:b", "s:NULL"}, {"elt", "i8:1|s:NULL|s:b", "s:NULL"},
		{"field", "s:b|s:a|s:b|s:b", "i32:2"}, {"field", "s:x|s:a|s:b|s:b", "i32:0"}, {"field", "s:NULL|s:a|s:b|s:b", "i32:0"}, {"field", "i32:3|i8:1|i8:3", "i32:2"},
		{"greatest", "i8:1|i16:300|i8:2", "i16:300"}, {"greatest", "i8:NULL|i16:300|i8:2", "i16:NULL"}, {"least", "s:b a longer string|s:a longer string|s:c", "s:a longer string"}, {"greatest", "d5.2:1.5|i8:2", "d5.2:2.00"}, {"greatest", "f64:nan|f64:1", "f64:nan"}, {"least", "date:2024-01-02|date:2023-01-02", "date:2023-01-02"},
		{"append_trailing_char_if_absent", "s:a|s:c", "s:ac"}, {"append_trailing_char_if_absent", "s:ac|s:c", "s:ac"}, {"append_trailing_char_if_absent", "s:ac|s:cc", "s:NULL"},
		{"space", "i8:3", "s:   "}, {"space", "i8:-3", "s:"},
		{"regexp_replace", "s:a b c|=s: |=s:-", "s:a-b-c"}, {"regexp_replace", "s:a b b|=s:(b)|=s:<\\1>", "s:a <b> <b>"}, {"regexp_replace_one", "s:a b b|=s:(b)|=s:<\\1>", "s:a <b> b"}, {"regexp_replace", "s:https://www.x.com/p|=s:^https?://(?:www\\.)?([^/]+)/.*$|=s:\\1", "s:x.com"},
		{"regexp_extract", "s:AbCdE|=s:([a-z]+)C([a-z]+)E|=i8:2", "s:d"}, {"regexp_extract", "s:x|=s:([a-z]+)C([a-z]+)E|=i8:2", "s:"}, {"regexp_extract", "s:AbCdE|=s:b|=i8:1", "s:NULL"}, {"regexp_extract_all", "s:a1b22|=s:([0-9]+)", "s:['1','22']"}, {"regexp_substr", "s:a1b22|=s:[0-9]+", "s:1"}, {"regexp_substr", "s:ab|=s:[0-9]+", "s:NULL"}, {"regexp_count", "s:a1b22|=s:[0-9]", "i32:3"}, {"regexp_instr", "s:日1|=s:[0-9]", "i32:2"}, {"regexp_like", "s:a1|=s:[0-9]", "bool:1"},
		{"regexp_replace", "s:a|s:(|s:x", "error"},
	})
}

func TestStringCodes(t *testing.T) {
	runCases(t, []scalarCase{
		{"ascii", "s:abc", "i32:97"}, {"ascii", "s:", "i32:0"}, {"ord", "s:é", "i64:50089"}, {"ord", "s:a", "i64:97"}, {"char", "i8:77|i8:121|i8:NULL", "s:My"}, {"chr", "i8:65", "s:A"}, {"char", "i32:50089", "s:é"},
		{"hex", "i32:255", "s:FF"}, {"hex", "i64:-1", "s:FFFFFFFFFFFFFFFF"}, {"hex", "s:abc", "s:616263"}, {"unhex", "s:616263", "s:abc"}, {"unhex", "s:6", "s:NULL"}, {"unhex", "s:zz", "s:NULL"},
		{"bin", "i8:12", "s:1100"}, {"oct", "i8:12", "s:14"}, {"conv", "s:a|i8:16|i8:2", "s:1010"}, {"conv", "s:-1|i8:10|i8:16", "s:FFFFFFFFFFFFFFFF"}, {"conv", "s:-17|i8:10|i8:-18", "s:-H"}, {"conv", "s:1|i8:1|i8:2", "s:NULL"}, {"conv", "s:z|i8:36|i8:10", "s:35"},
		{"md5", "s:abc", "s:900150983cd24fb0d6963f7d28e17f72"}, {"md5sum", "s:a|s:bc", "s:900150983cd24fb0d6963f7d28e17f72"}, {"sha1", "s:abc", "s:a9993e364706816aba3e25717850c26c9cd0d89d"}, {"sha2", "s:abc|i16:256", "s:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}, {"sha2", "s:abc|i16:224", "s:23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"}, {"sha2", "s:abc|i16:100", "s:NULL"},
		{"crc32", "s:MySQL", "i64:3259397556"}, {"to_base64", "s:abc", "s:YWJj"}, {"from_base64", "s:YWJj", "s:abc"}, {"from_base64", "s:!", "s:NULL"},
		{"format", "f64:12332.123456|i8:4", "s:12,332.1235"}, {"format", "f64:12332.1|i8:4", "s:12,332.1000"}, {"format", "f64:-999.6|i8:0", "s:-1,000"}, {"format", "i64:1234567|i8:2", "s:1,234,567.00"}, {"format", "i64:-123|i8:0", "s:-123"}, {"format", "d10.2:12332.25|i8:1", "s:12,332.3"}, {"format", "d10.2:12332.25|i8:0", "s:12,332"}, {"format", "d10.2:0.25|i8:3", "s:0.250"},
		{"url_encode", "s:a b&c/é", "s:a%20b%26c%2F%C3%A9"}, {"url_decode", "s:a%20b%26c", "s:a b&c"}, {"url_decode", "s:%zz", "s:NULL"}, {"parse_url", "s:https://u:p@x.com:8080/a/b?k=v&z=1#f|s:HOST", "s:x.com"}, {"parse_url", "s:https://u:p@x.com:8080/a/b?k=v&z=1#f|s:query", "s:k=v&z=1"}, {"parse_url", "s:https://u:p@x.com:8080/a/b?k=v&z=1#f|s:PATH", "s:/a/b"}, {"parse_url", "s:https://x.com/|s:REF", "s:NULL"}, {"parse_url", "s:https://x.com/?k=v|s:QUERY|s:k", "s:v"}, {"extract_url_parameter", "s:http://x.com/?a=1&b=2|s:b", "s:2"},
	})
}

func TestJSON(t *testing.T) {
	doc := `json:{"a": {"b": [1, 2.5, "x\"y", true, null, {"c": -7}]}, "k.1": "v", "é": 3}`
	runCases(t, []scalarCase{
		{"json_extract", doc + "|=s:$.a.b[0]", "json:1"}, {"json_extract", doc + "|=s:$.a.b", `json:[1, 2.5, "x\"y", true, null, {"c": -7}]`}, {"json_extract", doc + "|=s:$.a.zz", "json:NULL"}, {"json_extract", doc + "|=s:$.a.b[9]", "json:NULL"}, {"json_extract", doc + `|=s:$."k.1"`, `json:"v"`}, {"json_extract", doc + "|=s:$.é", "json:3"},
		{"get_json_string", doc + "|=s:$.a.b[2]", `s:x"y`}, {"get_json_string", doc + "|=s:$.a.b[4]", "s:NULL"}, {"get_json_object", doc + "|=s:$.a.b[5]", `s:{"c": -7}`}, {"get_json_int", doc + "|=s:$.a.b[5].c", "i32:-7"}, {"get_json_bigint", doc + "|=s:$.a.b[0]", "i64:1"}, {"get_json_double", doc + "|=s:$.a.b[1]", "f64:2.5"}, {"get_json_bool", doc + "|=s:$.a.b[3]", "bool:1"}, {"get_json_int", doc + "|=s:$.a.b[3]", "i32:NULL"},
		{"json_length", doc + "|=s:$.a.b", "i32:6"}, {"json_length", "s:{}", "i32:0"}, {"json_length", "s:7", "i32:1"}, {"json_type", doc + "|=s:$.a.b[1]", "s:double"}, {"json_valid", "s:{\"a\":1}", "i32:1"}, {"json_valid", "s:{a}", "i32:0"},
		{"json_extract", "s:{\"a\"|=s:$.a", "json:NULL"}, {"json_extract", "s:|=s:$.a", "json:NULL"}, {"json_extract", "s:[[1|=s:$[0][0]", "json:1"}, {"json_extract", "s:{\"a\":1}|=s:$a.b", "json:NULL"}, {"json_extract", "s:{\"a\":1}|=s:$.", "json:NULL"},
		{"json_unquote", `s:"a\nb"`, "s:a\nb"}, {"json_quote", `s:a"b`, `s:"a\"b"`}, {"json_object", "s:a|i32:1|s:b|s:NULL", `json:{"a":1,"b":null}`}, {"json_array", "bool:1|d5.2:1.5|s:x<y|date:2024-01-02", `json:[true,1.50,"x<y","2024-01-02"]`},
	})
}
