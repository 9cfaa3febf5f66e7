package function

import "testing"

func TestArithmetic(t *testing.T) {
	runCases(t, []scalarCase{
		{"+", "i8:127|i8:1", "i16:128"}, {"+", "i8:NULL|i8:1", "i16:NULL"}, {"+", "i8:-128|i8:-128", "i16:-256"},
		{"+", "i8:1|i16:2", "i32:3"}, {"+", "i32:2147483647|i8:1", "i64:2147483648"},
		{"+", "i64:9223372036854775806|i8:1", "i64:9223372036854775807"}, {"+", "i64:NULL|i8:1", "i64:NULL"},
		{"+", "i64:9223372036854775807|i8:1", "error"}, {"-", "i64:-9223372036854775808|i64:1", "error"},
		{"*", "i64:4294967296|i64:2147483648", "error"}, {"*", "i64:4294967296|i64:2147483647", "i64:9223372032559808512"},
		{"*", "i64:-3|i64:5", "i64:-15"},
		{"+", "i128:170141183460469231731687303715884105727|i8:1", "error"}, {"+", "i128:-5|i64:7", "i128:2"},
		{"-", "i32:5|i32:7", "i64:-2"}, {"*", "i32:-2147483648|i32:-2147483648", "i64:4611686018427387904"},
		{"+", "f64:1.5|i32:1", "f64:2.5"}, {"+", "s:1.5|i32:1", "f64:2.5"}, {"+", "s:x|i32:1", "f64:NULL"},
		{"+", "bool:1|i8:1", "i16:2"}, {"+", "null:|i32:1", "i64:NULL"}, {"+", "null:|null:", "i16:NULL"},
		{"+", "date:2024-01-31|i8:1", "i64:20240132"},
		{"+", "d15.2:1.25|d15.4:1.0001", "d18.4:2.2501"}, {"-", "i8:1|d15.2:0.07", "d16.2:0.93"}, {"-", "i8:1|d15.2:NULL", "d16.2:NULL"},
		{"+", "d18.2:9999999999999999.99|d18.2:0.01", "d19.2:10000000000000000.00"}, {"+", "d18.2:-1.00|d18.2:0.01", "d19.2:-0.99"},
		{"-", "d18.2:1.00|d18.2:0.01", "d19.2:0.99"},
		{"+", "d38.0:99999999999999999999999999999999999999|d38.0:1", "error"},
		{"+", "d38.0:99999999999999999999999999999999999998|d38.0:1", "d38.0:99999999999999999999999999999999999999"},
		{"+", "d30.2:1.11|i64:5", "d31.2:6.11"}, {"-", "d30.2:1.11|i64:5", "d31.2:-3.89"},
		{"*", "d15.2:123.45|d16.2:0.93", "d31.4:114.8085"}, {"*", "d15.2:-123.45|d16.2:0.93", "d31.4:-114.8085"}, {"*", "d15.2:NULL|d16.2:0.93", "d31.4:NULL"},
		{"*", "d31.4:114.8085|d16.2:1.02", "d38.6:117.104670"}, {"*", "d16.2:1.02|d31.4:114.8085", "d38.6:117.104670"},
		{"*", "d31.4:999999999999999999999999999.9999|d16.2:99999999999999.99", "error"},
		{"*", "d9.2:1.50|d9.2:2.00", "d18.4:3.0000"}, {"*", "d38.10:1.5|d38.10:2", "d38.20:3.00000000000000000000"},
		{"*", "d38.30:1.5|d38.30:0.5", "d38.38:0.75000000000000000000000000000000000000"},
		{"/", "i32:7|i32:2", "f64:3.5"}, {"/", "i32:7|i32:0", "f64:NULL"}, {"/", "i32:0|i32:0", "f64:NULL"},
		{"/", "d15.2:1.00|d15.2:3.00", "d21.6:0.333333"}, {"/", "d15.2:2.00|d15.2:3.00", "d21.6:0.666667"}, {"/", "d15.2:-2.00|d15.2:3.00", "d21.6:-0.666667"}, {"/", "d15.2:-2.00|d15.2:0.00", "d21.6:NULL"},
		{"/", "d38.10:1|d38.10:7", "d38.14:0.14285714285714"}, {"/", "d10.0:7|i8:2", "d14.4:3.5000"}, {"/", "d10.2:7|f64:2", "f64:3.5"},
		{"div", "i32:7|i32:-2", "i64:-3"}, {"div", "i32:7|i32:0", "i64:NULL"}, {"div", "i64:-9223372036854775808|i64:-1", "error"},
		{"div", "d10.2:7.5|d10.2:2", "i64:3"}, {"div", "f64:-7.5|f64:2", "i64:-3"}, {"div", "i128:7|i8:2", "i128:3"},
		{"%", "i32:-7|i32:3", "i32:-1"}, {"%", "i32:7|i32:-3", "i32:1"}, {"%", "i32:7|i32:0", "i32:NULL"}, {"%", "f64:-7.5|f64:2", "f64:-1.5"}, {"%", "f64:-7.5|f64:0", "f64:NULL"},
		{"%", "i64:-9223372036854775808|i64:-1", "i64:0"}, {"%", "d10.2:7.55|i8:2", "d10.2:1.55"}, {"%", "d30.2:7.55|i8:2", "d30.2:1.55"}, {"%", "d30.2:7.55|i8:0", "d30.2:NULL"},
		{"neg", "i8:-128", "i16:128"}, {"neg", "i64:5", "i64:-5"}, {"neg", "i64:-9223372036854775808", "error"}, {"neg", "d10.2:-1.5", "d10.2:1.50"}, {"neg", "d30.2:1.5", "d30.2:-1.50"},
		{"neg", "f64:1.5", "f64:-1.5"}, {"neg", "i128:5", "i128:-5"}, {"neg", "null:", "i16:NULL"}, {"neg", "d18.0:5", "d18.0:-5"},
		{"&", "i32:12|i32:10", "i64:8"}, {"|", "i32:12|i32:10", "i64:14"}, {"^", "i32:12|i32:10", "i64:6"}, {"<<", "i32:1|i32:40", "i64:1099511627776"},
		{"<<", "i32:1|i32:64", "i64:0"}, {">>", "i64:-1|i32:60", "i64:15"}, {"~", "i64:0", "i64:-1"}, {"bit_count", "i64:255", "i8:8"},
		{"abs", "i8:-128", "i16:128"}, {"abs", "i64:-9223372036854775808", "i128:9223372036854775808"}, {"abs", "d10.2:-1.5", "d10.2:1.50"}, {"abs", "d30.2:-1.5", "d30.2:1.50"}, {"abs", "f64:-2.5", "f64:2.5"},
	})
}

func TestCompare(t *testing.T) {
	for _, ty := range []string{"i8", "i16", "i32", "i64", "i128", "f32", "f64", "d10.0", "d30.0", "s", "date", "dt"} {
		lo, hi := "1", "2"
		if ty == "date" || ty == "dt" {
			lo, hi = "2024-01-01", "2024-01-02"
		}
		a, b := ty+":"+lo, ty+":"+hi
		n := ty + ":NULL"
		var cases []scalarCase
		for _, c := range []struct{ op, lt, eq, gt string }{{"=", "0", "1", "0"}, {"<>", "1", "0", "1"}, {"<", "1", "0", "0"}, {"<=", "1", "1", "0"}, {">", "0", "0", "1"}, {">=", "0", "1", "1"}} {
			cases = append(cases, scalarCase{c.op, a + "|" + b, "bool:" + c.lt}, scalarCase{c.op, a + "|" + a, "bool:" + c.eq}, scalarCase{c.op, b + "|" + a, "bool:" + c.gt},
				scalarCase{c.op, n + "|" + a, "bool:NULL"}, scalarCase{c.op, a + "|" + n, "bool:NULL"}, scalarCase{c.op, b + "|" + b, "bool:" + c.eq})
		}
		cases = append(cases, scalarCase{"<=>", a + "|" + a, "bool:1"}, scalarCase{"<=>", a + "|" + b, "bool:0"}, scalarCase{"<=>", a + "|" + n, "bool:0"}, scalarCase{"<=>", n + "|" + n, "bool:1"})
		runCases(t, cases)
	}
	runCases(t, []scalarCase{
		{"<", "f64:nan|f64:1", "bool:0"}, {"<", "f64:1|f64:nan", "bool:1"}, {"<", "f64:nan|f64:nan", "bool:0"}, {"<", "f64:inf|f64:nan", "bool:1"},
		{"=", "f64:nan|f64:nan", "bool:1"}, {"=", "f64:-0|f64:0", "bool:1"}, {"=", "f64:nan|f64:1", "bool:0"}, {"<=", "f64:nan|f64:nan", "bool:1"}, {">=", "f64:nan|f64:inf", "bool:1"},
		{"=", "s:abc|s:abc", "bool:1"}, {"=", "s:a long string indeed|s:a long string indeed", "bool:1"}, {"=", "s:a long string indeed|s:a long string inded!", "bool:0"}, {"=", "s:|s:", "bool:1"},
		{"<", "s:abc|s:abcdefghijklmnop", "bool:1"}, {"<", "s:b|s:abcdefghijklmnop", "bool:0"}, {">", "s:abcdefghijklmnoq|s:abcdefghijklmnop", "bool:1"},
		{"=", "i32:1|s:1.0", "bool:1"}, {"=", "i32:1|s:x", "bool:NULL"}, {"=", "i64:9007199254740993|=s:9007199254740992", "bool:0"},
		{"=", "date:2024-01-02|=s:2024-01-02", "bool:1"}, {"<", "date:2024-01-02|=s:2024-01-02 01:00:00", "bool:1"}, {"=", "date:2024-01-02|s:20240102", "bool:1"},
		{"<", "date:2024-01-02|dt:2024-01-02 00:00:01", "bool:1"}, {"=", "dt6:2024-01-02 00:00:00.5|s:2024-01-02 00:00:00.5", "bool:1"},
		{"=", "bool:1|i32:1", "bool:1"}, {"=", "bool:1|i32:2", "bool:0"}, {"=", "bool:1|=s:true", "bool:1"}, {"<", "d10.2:1.25|i32:2", "bool:1"}, {"<", "d10.2:1.25|f64:1.26", "bool:1"},
		{"=", "null:|i32:1", "bool:NULL"}, {"=", "null:|null:", "bool:NULL"}, {"<=>", "null:|null:", "bool:1"}, {"<", "time:10:00:00|s:10:00:01", "bool:1"},
		{"=", "v5:abc|c3:abc", "bool:1"},
	})
}

func TestLogic(t *testing.T) {
	runCases(t, []scalarCase{
		{"and", "bool:1|bool:1", "bool:1"}, {"and", "bool:1|bool:0", "bool:0"}, {"and", "bool:NULL|bool:0", "bool:0"}, {"and", "bool:NULL|bool:1", "bool:NULL"}, {"and", "bool:0|bool:NULL", "bool:0"}, {"and", "bool:NULL|bool:NULL", "bool:NULL"},
		{"or", "bool:0|bool:0", "bool:0"}, {"or", "bool:NULL|bool:1", "bool:1"}, {"or", "bool:NULL|bool:0", "bool:NULL"}, {"or", "bool:1|bool:NULL", "bool:1"}, {"or", "bool:NULL|bool:NULL", "bool:NULL"},
		{"and", "bool:1|bool:NULL|bool:0|bool:1", "bool:0"}, {"and", "bool:1|bool:NULL|bool:1|bool:1", "bool:NULL"}, {"or", "bool:0|bool:NULL|bool:1", "bool:1"}, {"and", "i32:5|null:", "bool:NULL"},
		{"not", "bool:1", "bool:0"}, {"not", "bool:NULL", "bool:NULL"}, {"not", "i32:0", "bool:1"},
		{"xor", "bool:1|bool:0", "bool:1"}, {"xor", "bool:1|bool:1", "bool:0"}, {"xor", "bool:1|bool:NULL", "bool:NULL"},
		{"is_null", "i32:NULL", "bool:1"}, {"is_null", "i32:1", "bool:0"}, {"is_not_null", "s:NULL", "bool:0"}, {"is_not_null", "s:x", "bool:1"}, {"is_null", "null:", "bool:1"},
		{"is_true", "bool:NULL", "bool:0"}, {"is_true", "bool:1", "bool:1"}, {"is_true", "bool:0", "bool:0"}, {"is_false", "bool:NULL", "bool:0"}, {"is_false", "bool:0", "bool:1"}, {"is_not_true", "bool:NULL", "bool:1"},
		{"in", "i32:2|=i8:1|=i8:2", "bool:1"}, {"in", "i32:3|=i8:1|=i8:2", "bool:0"}, {"in", "i32:NULL|=i8:1|=i8:2", "bool:NULL"},
		{"in", "i32:3|=i8:1|=null:", "bool:NULL"}, {"in", "i32:1|=i8:1|=null:", "bool:1"},
		{"in", "i32:3|i8:1|i8:NULL", "bool:NULL"}, {"in", "i32:1|i8:1|i8:NULL", "bool:1"}, {"in", "i32:1|i8:3|i8:4", "bool:0"}, {"in", "i32:NULL|i8:3|i8:4", "bool:NULL"},
		{"in", "i64:5|=i64:1|=i64:2|=i64:3|=i64:4|=i64:5", "bool:1"}, {"in", "i64:6|=i64:1|=i64:2|=i64:3|=i64:4|=i64:5", "bool:0"}, {"in", "i64:-6|=i64:1|=i64:2|=i64:3|=i64:4|=i64:5", "bool:0"},
		{"in", "i64:-9223372036854775808|=i64:1|=i64:-9223372036854775808|=i64:3|=i64:9223372036854775807|=i64:5", "bool:1"}, {"in", "i64:2|=i64:1|=i64:-9223372036854775808|=i64:3|=i64:9223372036854775807|=i64:5", "bool:0"},
		{"in", "s:AIR|=s:AIR|=s:REG AIR", "bool:1"}, {"in", "s:MAIL|=s:AIR|=s:REG AIR", "bool:0"}, {"in", "s:e|=s:a|=s:b|=s:c|=s:d|=s:e|=s:f", "bool:1"}, {"in", "s:x|=s:a|=s:b|=s:c|=s:d|=s:e|=s:f", "bool:0"},
		{"in", "f64:nan|=f64:1|=f64:nan", "bool:1"}, {"in", "d30.2:1.5|=d10.1:1.5|=d10.1:2.5", "bool:1"}, {"in", "date:2024-01-02|=s:2024-01-02|=s:2024-01-03", "bool:1"},
		{"in", "s:1|=i8:1|=i8:2", "bool:1"}, {"in", "i32:5|=d3.1:5.0", "bool:1"},
		{"case", "bool:1|i8:1|bool:1|i32:2|i64:3", "i64:1"}, {"case", "bool:0|i8:1|bool:1|i32:2|i64:3", "i64:2"}, {"case", "bool:NULL|i8:1|bool:0|i32:2|i64:3", "i64:3"}, {"case", "bool:1|i8:NULL|bool:0|i32:2|i64:3", "i64:NULL"},
		{"case", "bool:0|i8:1", "i8:NULL"}, {"case", "bool:1|s:a long string indeed|s:another long string", "s:a long string indeed"}, {"case", "bool:0|s:a long string indeed|s:another long string", "s:another long string"},
		{"case", "bool:1|date:2024-01-01|dt:2024-01-01 10:00:00", "dt:2024-01-01 00:00:00"}, {"case", "bool:1|d10.2:1.5|i32:7", "d12.2:1.50"}, {"case", "bool:1|null:|null:", "i8:NULL"},
		{"if", "bool:1|i8:1|i8:2", "i8:1"}, {"if", "bool:NULL|i8:1|i8:2", "i8:2"}, {"if", "i32:5|s:a|i8:2", "s:a"},
		{"ifnull", "i8:NULL|i8:2", "i8:2"}, {"nvl", "i8:1|i8:2", "i8:1"}, {"coalesce", "s:NULL|s:NULL|s:a long string indeed", "s:a long string indeed"}, {"coalesce", "s:NULL|s:NULL|s:NULL", "s:NULL"},
		{"coalesce", "i8:NULL|d5.2:1.5|f64:2", "f64:1.5"}, {"nullif", "i8:1|i8:1", "i8:NULL"}, {"nullif", "i8:1|i8:2", "i8:1"}, {"nullif", "i8:NULL|i8:2", "i8:NULL"}, {"nullif", "i8:1|i8:NULL", "i8:1"},
		{"nvl2", "i8:NULL|i8:1|i8:2", "i8:2"}, {"nvl2", "i8:3|i8:1|i8:2", "i8:1"},
	})
}

func TestLike(t *testing.T) {
	runCases(t, []scalarCase{
		{"like", "s:forest green|=s:forest%", "bool:1"}, {"like", "s:a forest|=s:forest%", "bool:0"}, {"like", "s:NULL|=s:forest%", "bool:NULL"},
		{"like", "s:forest green|=s:%green", "bool:1"}, {"like", "s:greenish|=s:%green", "bool:0"},
		{"like", "s:a green b|=s:%green%", "bool:1"}, {"like", "s:a gren b|=s:%green%", "bool:0"}, {"like", "s:NULL|=s:%green%", "bool:NULL"},
		{"like", "s:special packages requests|=s:%special%requests%", "bool:1"}, {"like", "s:requests special|=s:%special%requests%", "bool:0"},
		{"like", "s:abc|=s:abc", "bool:1"}, {"like", "s:abcd|=s:abc", "bool:0"}, {"like", "s:|=s:", "bool:1"}, {"like", "s:a|=s:", "bool:0"}, {"like", "s:|=s:%", "bool:1"},
		{"like", "s:añb|=s:a_b", "bool:1"}, {"like", "s:ab|=s:a_b", "bool:0"}, {"like", "s:日本語|=s:__語", "bool:1"}, {"like", "s:日本語|=s:%_語", "bool:1"}, {"like", "s:日本語|=s:_%_%_", "bool:1"}, {"like", "s:日本|=s:_%_%_", "bool:0"},
		{"like", "s:50%|=s:50\\%", "bool:1"}, {"like", "s:500|=s:50\\%", "bool:0"}, {"like", "s:50%|=s:50!%|=s:!", "bool:1"}, {"like", "s:a_b|=s:a!_b|=s:!", "bool:1"}, {"like", "s:axb|=s:a!_b|=s:!", "bool:0"},
		{"like", "s:aXbXc|=s:a%b%c", "bool:1"}, {"like", "s:abab|=s:%ab", "bool:1"}, {"like", "s:ab|=s:ab%ab", "bool:0"}, {"like", "s:abxab|=s:ab%ab", "bool:1"}, {"like", "s:aab|=s:%a_", "bool:1"},
		{"like", "s:abc|s:a%", "bool:1"}, {"like", "s:abc|s:b%", "bool:0"}, {"like", "s:abc|s:NULL", "bool:NULL"}, {"like", "s:abc|s:a%", "bool:1"}, {"like", "s:abc|s:", "bool:0"},
		{"like", "i32:123|=s:1%", "bool:1"}, {"like", "s:abc|=null:", "bool:NULL"}, {"like", "s:a\\|=s:a\\", "bool:1"},
		{"regexp", "s:abc123|=s:[0-9]+", "bool:1"}, {"regexp", "s:abc|=s:[0-9]+", "bool:0"}, {"regexp", "s:NULL|=s:[0-9]+", "bool:NULL"}, {"rlike", "s:abc|=s:b", "bool:1"}, {"regexp", "s:abc|=s:(", "error"}, {"regexp", "s:abc|s:^a", "bool:1"},
	})
}
