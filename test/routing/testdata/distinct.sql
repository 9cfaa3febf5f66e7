-- FEATURES of Doris: counts of distinct values and their rewrites, R1 to R9.
CREATE TABLE pv (page VARCHAR(10), id BIGINT, small TINYINT, n INT, name VARCHAR(10)) DUPLICATE KEY(page) DISTRIBUTED BY HASH(page) BUCKETS 2 PROPERTIES("replication_num"="1");
CREATE MATERIALIZED VIEW mv_uv AS SELECT page AS p_, bitmap_union(to_bitmap(id)) AS b_, hll_union(hll_hash(name)) AS h_, count(n) AS c_, bitmap_union(to_bitmap(small)) AS s_ FROM pv GROUP BY page;
CREATE TABLE agg (page VARCHAR(10), uv BITMAP BITMAP_UNION, h HLL HLL_UNION) AGGREGATE KEY(page) DISTRIBUTED BY HASH(page) BUCKETS 2 PROPERTIES("replication_num"="1");
INSERT INTO pv SELECT concat('p', number % 5), if(number % 9 = 0, NULL, number % 321), cast(number % 3 AS tinyint), if(number % 3 = 0, NULL, cast(number AS int)), concat('n', number % 40) FROM numbers("number"="20000");
INSERT INTO pv VALUES ('empty', NULL, NULL, NULL, NULL);
INSERT INTO agg SELECT page, to_bitmap(id), hll_hash(name) FROM pv;
-- R1, R2.
SELECT page, count(DISTINCT uv) FROM agg GROUP BY page;
SELECT count(DISTINCT h) = hll_union_agg(h) FROM agg;
-- R3: a single bare column.
SELECT page, count(DISTINCT id) FROM pv GROUP BY page;
SELECT count(DISTINCT small) FROM pv;
SELECT count(DISTINCT id + 0) FROM pv;
SELECT count(DISTINCT id, page) FROM pv;
SELECT count(DISTINCT cast(id AS varchar(20))) FROM pv;
SELECT page, count(DISTINCT id) AS users FROM pv GROUP BY page HAVING users > 0 ORDER BY users DESC, page LIMIT 2;
SELECT page, count(DISTINCT id) FROM pv WHERE n > 5 GROUP BY page;
SELECT page, count(DISTINCT id) OVER (PARTITION BY page) AS c FROM pv WHERE page = 'empty';
-- R4.
SELECT bitmap_union_count(to_bitmap(id)) FROM pv;
SELECT bitmap_count(bitmap_union(to_bitmap(cast(id AS bigint)))) FROM pv;
SELECT intersect_count(to_bitmap(id), page, 'p1', 'p2') FROM pv;
SELECT bitmap_union_int(small) FROM pv;
-- R5, R6: a sketch of the values, never a count of them.
SELECT ndv(name), approx_count_distinct(name) FROM pv;
SELECT hll_union_agg(hll_hash(name)) FROM pv;
SELECT hll_cardinality(hll_raw_agg(hll_hash(name))) FROM pv;
SELECT count(DISTINCT name) FROM pv;
-- R7: 0 for no rows.
SELECT page, count(n) FROM pv GROUP BY page;
SELECT count(n) FROM pv WHERE page = 'nothing';
SELECT count(n) + 1 FROM pv;
SELECT count(id) FROM pv;
-- R8: several with different arguments.
SELECT count(DISTINCT id), count(DISTINCT small), count(DISTINCT page) FROM pv;
SELECT page, count(DISTINCT id), count(DISTINCT n) FROM pv GROUP BY page;
SELECT count(DISTINCT n), count(DISTINCT name), sum(DISTINCT small), count(*) FROM pv;
SELECT small, sum(DISTINCT n), sum(DISTINCT id), avg(DISTINCT id) FROM pv GROUP BY small;
-- R9: one group of distinct values, with others that are not.
SELECT count(DISTINCT n) FROM pv;
SELECT small, count(DISTINCT n), sum(n), max(id) FROM pv GROUP BY small;
SELECT count(DISTINCT n, id), count(*) FROM pv;
-- No rows: 0, 0 and an empty set.
SELECT count(DISTINCT id), bitmap_union_count(to_bitmap(id)), bitmap_to_string(bitmap_union(to_bitmap(id))) FROM pv WHERE page = 'nothing';
SELECT count(DISTINCT NULL), bitmap_union_count(NULL) FROM pv;
-- The switch.
SET rewrite_count_distinct_to_bitmap_hll = 0;
SELECT page, count(DISTINCT id) FROM pv GROUP BY page;
SET rewrite_count_distinct_to_bitmap_hll = 1;
-- What a bitmap cannot hold is refused by the load, never lost.
INSERT INTO pv VALUES ('neg', -1, 1, 1, 'x');
INSERT INTO pv VALUES ('neg', 1, -1, 1, 'x');
SELECT count(*) FROM pv WHERE page = 'neg';
CREATE TABLE neg (k INT, id INT) DUPLICATE KEY(k) DISTRIBUTED BY HASH(k) BUCKETS 1 PROPERTIES("replication_num"="1");
INSERT INTO neg VALUES (1, 5), (1, -5), (2, 7);
CREATE MATERIALIZED VIEW mv_neg AS SELECT k, bitmap_union(to_bitmap(id)) FROM neg GROUP BY k;
SELECT k, count(DISTINCT id) FROM neg GROUP BY k;
SELECT k, bitmap_union_count(to_bitmap(id)) FROM neg GROUP BY k;
