-- FEATURES of Doris: choosing a rollup or view, rule by rule.
CREATE TABLE a (k1 INT, k2 INT, k3 INT, k4 INT, v1 BIGINT SUM, v2 INT MAX, v3 INT MIN, v4 INT REPLACE, uv BITMAP BITMAP_UNION, h HLL HLL_UNION) AGGREGATE KEY(k1, k2, k3, k4) DISTRIBUTED BY HASH(k1) BUCKETS 1 PROPERTIES("replication_num"="1");
ALTER TABLE a ADD ROLLUP r12 (k1, k2, v1, v2), r21 (k2, k1, v1, uv), r3v (k3, v1, v2, uv, h), r3 (k3, v1, uv, h), r3w (k3, v1, uv, h), r_all (k4, k3, k2, k1, v1, v2, v3, v4);
INSERT INTO a SELECT number % 50, number % 40, number % 20, number, number, number % 100, number % 77, number, to_bitmap(number % 1000), hll_hash(number % 777) FROM numbers("number"="40000");
-- a: a column of WHERE must be a key of the index.
SELECT k1, sum(v1) FROM a WHERE k1 = 3 GROUP BY k1;
SELECT count(*) FROM (SELECT k1, sum(v1) FROM a WHERE v2 > 50 GROUP BY k1) x;
SELECT sum(v1) FROM a WHERE k4 = 7;
-- b: the groups are some of its keys, or none; a query without aggregates has no use for it.
SELECT k2, sum(v1) FROM a WHERE k2 < 3 GROUP BY k2;
SELECT sum(v1) FROM a;
SELECT max(k3), min(k3) FROM a;
SELECT k3, v1 FROM a WHERE k4 = 77;
SELECT DISTINCT k3 FROM a WHERE k3 < 2;
-- c: the aggregate is the column's own; count(*) is none.
SELECT k3, max(v1) FROM a WHERE k3 = 3 GROUP BY k3;
SELECT k3, count(*) FROM a WHERE k3 = 3 GROUP BY k3;
SELECT k3, count(v1) FROM a WHERE k3 = 3 GROUP BY k3;
SELECT k3, bitmap_union_count(uv), hll_union_agg(h) > 0 FROM a WHERE k3 = 3 GROUP BY k3;
-- d: it has all that is read.
SELECT k2, max(v2), sum(v1) FROM a WHERE k2 = 3 GROUP BY k2;
SELECT k3, min(v3) FROM a WHERE k3 = 3 GROUP BY k3;
-- f: no candidate, but the index with as many keys as the table, which merges.
SELECT k1, k2, k3, k4, v4 FROM a WHERE k4 = 77;
SELECT max(v4) FROM a WHERE k4 = 77;
-- 1: the longest prefix. 2: the fewest rows. 3: the fewest columns. 4: the first.
SELECT k2, k1, sum(v1) FROM a WHERE k2 = 3 AND k1 = 3 GROUP BY k2, k1;
SELECT k1, sum(v1) FROM a WHERE k1 IN (3, 4) GROUP BY k1;
SELECT k2, sum(v1) FROM a WHERE k2 > 37 GROUP BY k2;
SELECT k3, sum(v1), bitmap_union_count(uv) FROM a WHERE k3 > 17 GROUP BY k3;
SELECT k3, max(v2) FROM a WHERE k3 > 17 GROUP BY k3;
-- For each scan by itself: a table joined with itself, subqueries.
SELECT x.k3, y.s FROM (SELECT k3, sum(v1) AS s FROM a GROUP BY k3) x JOIN (SELECT k1, sum(v1) AS s FROM a WHERE k1 = 3 GROUP BY k1) y ON x.k3 = y.k1;
SELECT sum(v1) FROM a WHERE k1 = (SELECT max(k3) FROM a);
SELECT count(*) FROM a WHERE k3 IN (SELECT k2 FROM a WHERE k2 > 37);
