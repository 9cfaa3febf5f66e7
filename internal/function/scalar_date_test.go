package function

import (
	"testing"
	"time"

	"github.com/basaltdb/basalt/internal/sqltype"
)

func TestDateParts(t *testing.T) {
	runCases(t, []scalarCase{
		{"extract", "=s:YEAR|date:1998-12-01", "i16:1998"}, {"extract", "=s:YEAR|date:NULL", "i16:NULL"}, {"extract", "=s:year|date:0001-01-01", "i16:1"}, {"extract", "=s:MONTH|dt:1998-12-01 01:02:03", "i8:12"}, {"extract", "=s:hour|s:1998-12-01 01:02:03", "i8:1"}, {"extract", "=s:DAY_SECOND|dt:1998-12-07 01:02:03", "i32:7010203"}, {"extract", "=s:YEAR_MONTH|date:1998-12-07", "i32:199812"}, {"extract", "=s:microsecond|dt6:1998-12-07 01:02:03.5", "i32:500000"}, {"extract", "=s:day_microsecond|dt6:1998-12-07 01:02:03.5", "i64:7010203500000"}, {"extract", "=s:bogus|date:1998-12-07", "error"}, {"extract", "=s:quarter|date:1998-12-07", "i8:4"},
		{"year", "date:2024-02-29", "i16:2024"}, {"year", "dt:1969-12-31 23:59:59", "i16:1969"}, {"year", "s:2024-02-29", "i16:2024"}, {"year", "s:bad", "i16:NULL"}, {"month", "date:2024-02-29", "i8:2"}, {"day", "date:2024-02-29", "i8:29"}, {"dayofmonth", "dt:1969-12-31 23:59:59", "i8:31"}, {"quarter", "date:2024-03-31", "i8:1"}, {"quarter", "date:2024-04-01", "i8:2"},
		{"hour", "dt:1969-12-31 23:59:58", "i8:23"}, {"minute", "dt:1969-12-31 23:59:58", "i8:59"}, {"second", "dt:1969-12-31 23:59:58", "i8:58"}, {"hour", "date:2024-01-01", "i8:0"}, {"hour", "time:10:11:12", "i8:10"}, {"hour", "=s:2024-01-01 10:11:12", "i8:10"}, {"microsecond", "dt6:2024-01-01 00:00:00.000007", "i32:7"},
		{"dayofweek", "date:2024-02-29", "i8:5"}, {"dayofweek", "date:1969-12-28", "i8:1"}, {"weekday", "date:2024-02-29", "i8:3"}, {"weekday", "date:1969-12-29", "i8:0"}, {"dayofyear", "date:2024-12-31", "i16:366"}, {"dayofyear", "date:2023-12-31", "i16:365"},
		{"week", "date:2008-02-20", "i8:7"}, {"week", "date:2008-02-20|i8:1", "i8:8"}, {"week", "date:2008-12-31|i8:1", "i8:53"}, {"week", "date:2000-01-01|i8:0", "i8:0"}, {"week", "date:2000-01-01|i8:2", "i8:52"}, {"week", "date:2023-01-01|i8:4", "i8:1"}, {"week", "date:2023-01-01|i8:5", "i8:0"}, {"week", "date:2023-01-01|i8:7", "i8:52"}, {"week", "date:2023-01-01|i8:6", "i8:1"}, {"weekofyear", "date:2008-02-20", "i8:8"}, {"yearweek", "date:1987-01-01", "i32:198652"}, {"yearweek", "date:2021-01-01|i8:3", "i32:202053"}, {"weekofyear", "date:2024-12-30", "i8:1"},
		{"dayname", "date:2024-02-29", "s:Thursday"}, {"monthname", "date:2024-02-29", "s:February"}, {"last_day", "date:2023-02-05", "date:2023-02-28"}, {"last_day", "dt:2024-02-05 10:00:00", "date:2024-02-29"}, {"to_days", "date:2007-10-07", "i32:733321"}, {"from_days", "i32:733321", "date:2007-10-07"}, {"from_days", "i32:-1", "date:NULL"}, {"makedate", "i16:2011|i8:32", "date:2011-02-01"}, {"makedate", "i16:2011|i8:0", "date:NULL"}, {"maketime", "i8:12|i8:15|i8:30", "time6:12:15:30.000000"}, {"to_monday", "date:2024-02-29", "date:2024-02-26"}, {"next_day", "date:2024-02-29|s:MON", "date:2024-03-04"}, {"next_day", "date:2024-02-29|s:thursday", "date:2024-03-07"}, {"next_day", "date:2024-02-29|s:x", "date:NULL"}, {"is_leap_year", "date:2024-02-29", "bool:1"},
		{"date", "dt:2024-02-05 10:00:00", "date:2024-02-05"}, {"to_date", "s:2024-02-05 10:00:00", "date:2024-02-05"}, {"timestamp", "=s:2024-02-05", "dt:2024-02-05 00:00:00"}, {"time", "dt:2024-02-05 10:00:01", "time:10:00:01"}, {"time_to_sec", "time:22:23:00", "i32:80580"}, {"sec_to_time", "i32:-2378", "time:-00:39:38"},
		{"datediff", "date:2007-12-31|date:2007-12-30", "i32:1"}, {"datediff", "dt:2010-11-30 23:59:59|date:2010-12-31", "i32:-31"}, {"datediff", "s:2007-12-31 23:59:59|s:2007-12-30", "i32:1"}, {"timediff", "dt:2000-01-01 00:00:00|dt:2000-01-01 00:00:01", "time:-00:00:01"},
		{"months_between", "=s:2020-12-26|=s:2020-10-25", "f64:2.03225806"}, {"months_between", "=s:2020-02-29|=s:2020-01-31", "f64:1"}, {"months_between", "dt:2024-03-15 00:00:00|dt:2024-01-15 12:00:00", "f64:2"},
	})
}

// TestWeekAgainstISO compares mode 3 with package time over 60 years.
func TestWeekAgainstISO(t *testing.T) {
	for d := int32(0); d < 60*365; d++ {
		y, w := weekOf(d, 3)
		wy, ww := time.Unix(int64(d)*86400, 0).UTC().ISOWeek()
		if y != wy || w != ww {
			t.Fatalf("day %d: got %d-%d, want %d-%d", d, y, w, wy, ww)
		}
	}
}

func TestDateArithmetic(t *testing.T) {
	runCases(t, []scalarCase{
		{"date_sub", "date:1998-12-01|i8:90|=s:DAY", "date:1998-09-02"}, {"date_sub", "date:NULL|i8:90|=s:DAY", "date:NULL"}, {"date_sub", "date:0000-01-01|i8:90|=s:DAY", "date:NULL"}, {"date_add", "date:1994-01-01|i8:1|=s:YEAR", "date:1995-01-01"}, {"date_add", "date:2024-02-29|i8:1|=s:year", "date:2025-02-28"}, {"date_add", "date:2024-01-31|i8:1|=s:MONTH", "date:2024-02-29"}, {"date_add", "date:2024-01-31|i8:-2|=s:MONTH", "date:2023-11-30"}, {"date_add", "date:9999-12-31|i8:1|=s:MONTH", "date:NULL"}, {"date_add", "date:2024-01-31|i8:1|=s:quarter", "date:2024-04-30"}, {"date_add", "date:2024-01-31|i8:1|=s:week", "date:2024-02-07"},
		{"date_add", "date:2024-01-31|i8:25|=s:HOUR", "dt:2024-02-01 01:00:00"}, {"date_add", "dt:2024-01-31 23:59:59|i8:1|=s:SECOND", "dt:2024-02-01 00:00:00"}, {"date_add", "dt:2024-01-31 23:59:59|d3.1:1.5|=s:SECOND", "dt6:2024-02-01 00:00:00.500000"}, {"date_add", "dt:2024-01-31 23:59:59|i8:1|=s:MICROSECOND", "dt6:2024-01-31 23:59:59.000001"}, {"date_add", "dt:2024-01-31 10:00:00|i8:1|=s:MONTH", "dt:2024-02-29 10:00:00"}, {"date_add", "dt:2024-01-31 10:00:00|i64:9223372036854775807|=s:DAY", "dt:NULL"},
		{"date_add", "=s:2024-01-31|i8:1|=s:DAY", "date:2024-02-01"}, {"date_add", "=s:2024-01-31 10:00:00|i8:1|=s:DAY", "dt:2024-02-01 10:00:00"}, {"date_add", "s:bad|i8:1|=s:DAY", "dt6:NULL"}, {"+", "date:2024-01-31|i8:1|=s:DAY", "date:2024-02-01"}, {"-", "date:2024-01-31|i8:1|=s:DAY", "date:2024-01-30"}, {"adddate", "date:2024-01-31|i8:1", "date:2024-02-01"}, {"date_add", "null:|i8:1|=s:DAY", "date:NULL"}, {"date_add", "date:2024-01-31|null:|=s:DAY", "date:NULL"},
		{"date_add", "dt:2024-01-31 10:00:00|=s:1:30|=s:HOUR_MINUTE", "dt:2024-01-31 11:30:00"}, {"date_sub", "dt:2025-01-01 00:00:00|=s:1 1:1:1|=s:DAY_SECOND", "dt:2024-12-30 22:58:59"}, {"date_add", "date:2024-01-31|=s:1-1|=s:YEAR_MONTH", "date:2025-02-28"}, {"date_add", "dt:1992-12-31 23:59:59|=s:1.999999|=s:SECOND_MICROSECOND", "dt6:1993-01-01 00:00:00.999999"}, {"date_add", "date:2024-01-31|=s:1|=s:bogus", "error"},
		{"years_add", "date:2024-02-29|i8:1", "date:2025-02-28"}, {"months_sub", "date:2024-03-31|i8:1", "date:2024-02-29"}, {"days_add", "dt:2024-02-29 01:00:00|i8:1", "dt:2024-03-01 01:00:00"}, {"hours_sub", "date:2024-03-01|i8:1", "dt:2024-02-29 23:00:00"}, {"weeks_add", "date:2024-03-01|i8:-1", "date:2024-02-23"}, {"add_months", "date:2024-01-31|i8:1", "date:2024-02-29"}, {"timestampadd", "=s:MINUTE|i8:1|dt:2003-01-02 00:00:00", "dt:2003-01-02 00:01:00"}, {"timestampadd", "=s:SQL_TSI_WEEK|i8:1|date:2003-01-02", "date:2003-01-09"},
		{"timestampdiff", "=s:MONTH|=s:2003-02-01|=s:2003-05-01", "i64:3"}, {"timestampdiff", "=s:YEAR|=s:2002-05-01|=s:2001-01-01", "i64:-1"}, {"timestampdiff", "=s:MINUTE|dt:2003-02-01 00:00:00|dt:2003-05-01 12:05:55", "i64:128885"}, {"timestampdiff", "=s:MONTH|date:2024-01-31|date:2024-02-29", "i64:0"}, {"days_diff", "dt:2024-01-02 00:00:00|dt:2024-01-01 00:00:01", "i64:0"}, {"months_diff", "date:2024-03-01|date:2024-01-01", "i64:2"}, {"seconds_diff", "dt:2024-01-02 00:00:00|dt:2024-01-01 23:59:58", "i64:2"},
		{"date_trunc", "dt:2024-05-17 10:11:12|=s:hour", "dt:2024-05-17 10:00:00"}, {"date_trunc", "dt:2024-05-17 10:11:12|=s:month", "dt:2024-05-01 00:00:00"}, {"date_trunc", "date:2024-05-17|=s:quarter", "date:2024-04-01"}, {"date_trunc", "=s:week|date:2024-05-17", "date:2024-05-13"}, {"date_trunc", "dt:1969-05-17 10:11:12|=s:day", "dt:1969-05-17 00:00:00"}, {"date_trunc", "date:2024-05-17|=s:year", "date:2024-01-01"}, {"month_floor", "date:2024-05-17", "date:2024-05-01"}, {"month_ceil", "date:2024-05-17", "date:2024-06-01"}, {"month_ceil", "date:2024-05-01", "date:2024-05-01"}, {"hour_ceil", "dt:2024-05-17 10:11:12", "dt:2024-05-17 11:00:00"},
	})
}

func TestDateText(t *testing.T) {
	runCases(t, []scalarCase{
		{"date_format", "dt:2009-10-04 22:23:00|=s:%W %M %Y", "s:Sunday October 2009"}, {"date_format", "dt:2007-10-04 22:23:00|=s:%H:%i:%s", "s:22:23:00"}, {"date_format", "dt:1900-10-04 22:23:00|=s:%D %y %a %d %m %b %j", "s:4th 00 Thu 04 10 Oct 277"}, {"date_format", "dt:1997-10-04 22:23:00|=s:%H %k %I %r %T %S %w", "s:22 22 10 10:23:00 PM 22:23:00 00 6"}, {"date_format", "dt:1999-01-01 00:00:00|=s:%X %V", "s:1998 52"}, {"date_format", "date:2006-06-01|=s:%d%%%q", "s:01%q"}, {"date_format", "date:2006-06-01|=s:yyyy-MM-dd", "s:2006-06-01"}, {"date_format", "dt6:2006-06-01 00:00:00.5|=s:%f %p %e %c %l %h", "s:500000 AM 1 6 12 12"}, {"date_format", "date:2006-06-01|s:%Y", "s:2006"}, {"date_format", "date:2006-06-01|s:NULL", "s:NULL"}, {"date_format", "date:2006-06-01|s:%m", "s:06"}, {"date_format", "date:2024-02-29|=s:%u %U %v %x", "s:09 08 09 2024"},
		{"str_to_date", "s:01,5,2013|=s:%d,%m,%Y", "date:2013-05-01"}, {"str_to_date", "s:May 1, 2013|=s:%M %d,%Y", "date:2013-05-01"}, {"str_to_date", "s:a09:30:17|=s:a%h:%i:%s", "dt:0000-01-01 09:30:17"}, {"str_to_date", "s:abc|=s:%Y", "date:NULL"}, {"str_to_date", "s:2014-12-21 12:34:56|=s:%Y-%m-%d %H:%i:%s", "dt:2014-12-21 12:34:56"}, {"str_to_date", "s:2014-12-21 12:34%3A56|=s:%Y-%m-%d %H:%i%%3A%s", "dt:2014-12-21 12:34:56"}, {"str_to_date", "s:200442 Monday|=s:%X%V %W", "date:2004-10-18"}, {"str_to_date", "s:9999-02-30|=s:%Y-%m-%d", "date:NULL"}, {"str_to_date", "s:20140102|=s:%Y%m%d", "date:2014-01-02"}, {"str_to_date", "s:12:30 PM|=s:%h:%i %p", "dt:0000-01-01 12:30:00"}, {"str_to_date", "s:2014-12-21 12:34:56.789|=s:%Y-%m-%d %T.%f", "dt6:2014-12-21 12:34:56.789000"}, {"str_to_date", "s:2024-02-29 junk|=s:%Y-%m-%d", "date:2024-02-29"}, {"str_to_date", "s:1-Feb-99|=s:%e-%b-%y", "date:1999-02-01"}, {"str_to_date", "s:2024 366|=s:%Y %j", "date:2024-12-31"},
		{"now", "", "dt:2024-02-29 15:14:15"}, {"now", "=i8:3", "dt3:2024-02-29 15:14:15.123"}, {"curdate", "", "date:2024-02-29"}, {"current_date", "", "date:2024-02-29"}, {"curtime", "", "time:15:14:15"}, {"utc_timestamp", "", "dt:2024-02-29 13:14:15"}, {"now", "i8:3", "error"},
		{"unix_timestamp", "", "i64:1709212455"}, {"unix_timestamp", "dt:1970-01-01 02:00:01", "i64:1"}, {"unix_timestamp", "date:1970-01-02", "i64:79200"}, {"unix_timestamp", "s:bad", "i64:NULL"}, {"unix_timestamp", "dt3:1970-01-01 02:00:01.5", "d18.3:1.500"}, {"unix_timestamp", "dt:1960-01-01 02:00:01", "i64:0"}, {"unix_timestamp", "s:02/01/1970|=s:%d/%m/%Y", "i64:79200"}, {"from_unixtime", "i32:1", "dt:1970-01-01 02:00:01"}, {"from_unixtime", "i32:-1", "dt:NULL"}, {"from_unixtime", "i32:0|=s:%Y-%m-%d %H", "s:1970-01-01 02"}, {"from_millisecond", "i32:1500", "dt6:1970-01-01 02:00:01.500000"}, {"microsecond_timestamp", "dt:1970-01-01 02:00:01", "i64:1000000"},
		{"convert_tz", "dt:2004-01-01 12:00:00|=s:+00:00|=s:+10:00", "dt6:2004-01-01 22:00:00.000000"}, {"convert_tz", "dt:2004-01-01 12:00:00|=s:GMT|=s:nowhere", "dt6:NULL"}, {"convert_tz", "dt:2004-01-01 12:00:00|s:+08:00|s:UTC", "dt6:2004-01-01 04:00:00.000000"},
	})
	if _, err := ParseZone("Local"); err == nil {
		t.Error("Local is a zone")
	}
	if z, err := ParseZone("+8:00"); err != nil || z.String() != "+08:00" {
		t.Error(z, err)
	}
}

// TestDateTimeText parses what it writes, for odd moments.
func TestDateTimeText(t *testing.T) {
	for _, v := range []int64{0, -1, 1, minMicros, maxMicros, sqltype.MicrosPerDay - 1, -sqltype.MicrosPerDay} {
		text := timeText(v)
		if got, ok := parseDateTime([]byte(text)); !ok || got != v {
			t.Errorf("%d: %s reads as %d %v", v, text, got, ok)
		}
	}
}
