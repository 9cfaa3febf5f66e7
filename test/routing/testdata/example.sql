-- The examples of DDL: appendix A.1.
CREATE DATABASE d;
CREATE TABLE d.pv_agg (dt DATE NOT NULL, page VARCHAR(32) NOT NULL, pv BIGINT SUM DEFAULT "0", last_ts DATETIME REPLACE_IF_NOT_NULL, mx INT MAX, uv BITMAP BITMAP_UNION)
AGGREGATE KEY(dt, page)
PARTITION BY RANGE(dt) (PARTITION p01 VALUES LESS THAN ("2024-02-01"), PARTITION p02 VALUES [("2024-02-01"),("2024-03-01")))
DISTRIBUTED BY HASH(page) BUCKETS 4
PROPERTIES("replication_num"="1","bloom_filter_columns"="page");
INSERT INTO d.pv_agg VALUES ("2024-01-05","a",1,"2024-01-05 10:00:00",5,to_bitmap(1)), ("2024-01-05","a",2,NULL,3,to_bitmap(2));
SELECT dt,page,pv,last_ts,mx,uv,bitmap_count(uv) FROM d.pv_agg;
INSERT INTO d.pv_agg VALUES ("2024-03-02","a",1,NULL,1,bitmap_empty());
SELECT sum(pv) FROM d.pv_agg WHERE mx > 4;
ALTER TABLE d.pv_agg ADD ROLLUP r_page(page, pv, uv);
ALTER TABLE d.pv_agg ADD ROLLUP r_bad(page,last_ts);
SELECT page, sum(pv), bitmap_union_count(uv) FROM d.pv_agg GROUP BY page;
SELECT page, sum(pv) FROM d.pv_agg WHERE mx > 4 GROUP BY page;
ALTER TABLE d.pv_agg ADD PARTITION p03 VALUES LESS THAN ("2024-04-01");
INSERT INTO d.pv_agg VALUES ("2024-02-05","b",7,NULL,1,to_bitmap(3)), ("2024-03-02","b",1,NULL,1,bitmap_empty());
ALTER TABLE d.pv_agg DROP PARTITION p02;
INSERT INTO d.pv_agg VALUES ("2024-02-05","b",7,NULL,1,to_bitmap(3));
SELECT page, sum(pv), bitmap_union_count(uv) FROM d.pv_agg GROUP BY page;
CREATE TABLE d.au (ts DATETIME NOT NULL, v INT) DUPLICATE KEY(ts) AUTO PARTITION BY RANGE(date_trunc(ts,'month'))() DISTRIBUTED BY RANDOM BUCKETS 2 PROPERTIES("replication_num"="1");
INSERT INTO d.au VALUES ("2024-05-17 01:02:03",1);
SELECT v FROM d.au PARTITION (p20240501000000);
CREATE TABLE d.u (k INT, v INT, s BIGINT) UNIQUE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("replication_num"="1","function_column.sequence_col"="s");
INSERT INTO d.u VALUES (1,10,5);
INSERT INTO d.u VALUES (1,20,3);
SELECT * FROM d.u;
INSERT INTO d.u VALUES (1,30,5);
SELECT * FROM d.u;
CREATE TABLE d.dup_pv (page VARCHAR(32), id BIGINT) DUPLICATE KEY(page) DISTRIBUTED BY HASH(page) BUCKETS 1 PROPERTIES("replication_num"="1");
INSERT INTO d.dup_pv VALUES ("a", 1), ("a", 1), ("a", 7), ("b", NULL), (NULL, 3);
USE d;
CREATE MATERIALIZED VIEW mv_uv AS SELECT page AS p_, bitmap_union(to_bitmap(id)) AS b_ FROM d.dup_pv GROUP BY page;
SELECT page, count(DISTINCT id) FROM d.dup_pv GROUP BY page;
CREATE MATERIALIZED VIEW amv BUILD IMMEDIATE REFRESH AUTO ON SCHEDULE EVERY 1 HOUR PARTITION BY (date_trunc(dt,'month')) DISTRIBUTED BY HASH(page) BUCKETS 2 PROPERTIES("replication_num"="1","grace_period"="60") AS SELECT dt, page, sum(pv) s FROM d.fact GROUP BY dt, page;
CREATE TABLE d.ev (ts DATE NOT NULL, id BIGINT) DUPLICATE KEY(ts,id) PARTITION BY RANGE(ts)(PARTITION p VALUES LESS THAN (MAXVALUE)) DISTRIBUTED BY HASH(id) BUCKETS 2 PROPERTIES("replication_num"="1");
INSERT INTO d.ev VALUES ("2024-06-10", 1);
ALTER TABLE d.ev ADD COLUMN city VARCHAR(20) DEFAULT "x" AFTER id;
INSERT INTO d.ev VALUES ("2024-06-11", 2, "y");
SELECT * FROM d.ev;
ALTER TABLE d.ev MODIFY COLUMN id LARGEINT KEY;
INSERT INTO d.ev SELECT ts, id + 10, upper(city) FROM d.ev WHERE id > 0;
SELECT city, count(*) FROM d.ev GROUP BY city;
