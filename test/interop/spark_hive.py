#!/usr/bin/env python3
"""Tables in Hive's layout between Basalt and Spark: what one writes the other reads.

    pip install pyspark             (and a Java that it runs on)
    python3 test/interop/spark_hive.py [--basalt path/to/basalt] [--rows 20000]

A partitioned and bucketed table, as Parquet and as ORC, with NULLs, with texts that a folder's name must escape and with
every type that both have:

  1. Spark writes it, Basalt reads it: equal rows, and a filter on the bucket column finds what it should.
  2. Basalt writes it, by dynamic partitions and Spark's hash: Spark reads equal rows, and every row lies in the file whose
     name has the bucket that Spark computes for it.
     A table that Basalt owns is read by Spark, too.
  3. Basalt overwrites single partitions that Spark wrote, and Spark adds to those that Basalt wrote.

Without pyspark or Java it says so and ends well. It prints what it compared and ends with 1 where something differs.
"""
import argparse, csv, io, os, shutil, subprocess, sys, tempfile

BUCKETS = 8
COLUMNS = ["id", "big", "name", "price", "ratio", "day", "at", "flag"]
DDL = "id INT, big BIGINT, name STRING, price DECIMAL(12,2), ratio DOUBLE, day DATE, at DATETIME(6), flag BOOLEAN"
# Spark's type of a DATETIME. Its ORC reader takes files for TIMESTAMP_NTZ only where Spark wrote them; its zone is UTC here.
SPARK_TIME = {"parquet": "TIMESTAMP_NTZ", "orc": "TIMESTAMP"}
PARTITIONS = "dt DATE, cc STRING"
# dt, cc of a row: some NULL, some that must be escaped.
SPARK_ROW = """
  CAST(CASE WHEN id % 11 = 0 THEN NULL ELSE id * 7919 % 100003 END AS INT) AS id,
  CAST(id AS BIGINT) * 1000000007 AS big,
  CASE WHEN id % 13 = 0 THEN NULL ELSE concat('name ', id % 97, ' \u00e9') END AS name,
  CAST(id % 1000 / 8 AS DECIMAL(12,2)) AS price,
  CASE WHEN id % 17 = 0 THEN NULL ELSE id / 4 END AS ratio,
  date_add(DATE'1969-12-20', CAST(id % 20000 AS INT)) AS day,
  CAST(timestamp_micros(id * 86400123456) AS {time}) AS at,
  id % 3 = 0 AS flag,
  CASE WHEN id % 5 = 4 THEN NULL ELSE date_add(DATE'2024-01-01', CAST(id % 5 AS INT)) END AS dt,
  element_at(array('us', 'a/b=c', '100%', NULL, 'x y'), CAST(id % 5 + 1 AS INT)) AS cc
"""
# One text for a row that both engines print alike.
TEXT = """concat_ws('|', coalesce(CAST(id AS STRING), '-'), CAST(big AS STRING), coalesce(name, '-'), coalesce(CAST(price AS STRING), '-'),
  coalesce(CAST(CAST(ratio * 4 AS BIGINT) AS STRING), '-'), CAST(day AS STRING), {micros}, CASE WHEN flag THEN 't' ELSE 'f' END,
  coalesce(CAST(dt AS STRING), '-'), coalesce(cc, '-'))"""
BASALT_TEXT = TEXT.format(micros="date_format(at, '%Y-%m-%d %H:%i:%s.%f')")
SPARK_TEXT = TEXT.format(micros="date_format(at, 'yyyy-MM-dd HH:mm:ss.SSSSSS')")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--basalt", help="the program; default: built from this folder")
    p.add_argument("--rows", type=int, default=20000)
    return p.parse_args()


class Basalt:
    def __init__(self, program, folder):
        self.program, self.folder = program, os.path.join(folder, "basalt")

    def run(self, *statements):
        text = ";\n".join(("SET hive.exec.dynamic.partition.mode = nonstrict",) + statements) + ";\n"
        out = subprocess.run([self.program, "sql", "--data", self.folder, "--format", "csv"], input=text, capture_output=True, text=True)
        if out.returncode != 0 or "ERROR" in out.stderr + out.stdout:
            raise SystemExit(f"basalt: {out.stdout}\n{out.stderr}\n{text}")
        return out.stdout

    def column(self, query):
        """The values of a query of one column."""
        return [r[0] if r else "" for r in list(csv.reader(io.StringIO(self.run(query))))[1:]]


class Checks:
    failed = 0

    def equal(self, what, got, want):
        got, want = sorted(got), sorted(want)
        if got == want:
            print(f"ok    {what}: {len(got)} rows")
            return
        Checks.failed += 1
        extra, missing = sorted(set(got) - set(want)), sorted(set(want) - set(got))
        print(f"WRONG {what}: {len(got)} rows, {len(want)} expected; not expected {extra[:3]}; missing {missing[:3]}")

    def true(self, what, ok, detail=""):
        print(f"{'ok   ' if ok else 'WRONG'} {what}{'' if ok else ': ' + detail}")
        Checks.failed += not ok


def spark_session(folder):
    from pyspark.sql import SparkSession
    os.environ["TZ"] = "UTC"
    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.warehouse.dir", folder + "/warehouse")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "4")
             .config("spark.driver.extraJavaOptions", f"-Duser.timezone=UTC -Dderby.system.home={folder}").config("spark.log.level", "ERROR").config("spark.ui.showConsoleProgress", "false").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def rows_of(spark, table):
    return [r[0] for r in spark.sql(f"SELECT {SPARK_TEXT} FROM {table}").collect()]


def basalt_table(basalt, name, kind, location):
    basalt.run(f"CREATE EXTERNAL TABLE {name} ({DDL}) PARTITIONED BY ({PARTITIONS}) CLUSTERED BY (id) SORTED BY (id) INTO {BUCKETS} BUCKETS "
               f"STORED AS {kind.upper()} LOCATION '{location}' TBLPROPERTIES ('bucket_hash' = 'spark')")


def check_files(spark, checks, what, table):
    """Every row must be in the file of its bucket, and the files in order."""
    wrong = spark.sql(f"""SELECT count(*) FROM (SELECT pmod(hash(id), {BUCKETS}) AS want,
        CAST(regexp_extract(input_file_name(), '_([0-9]{{5}})[.]c', 1) AS INT) AS have FROM {table}) WHERE want <> have OR have IS NULL""").collect()[0][0]
    files = spark.sql(f"SELECT count(DISTINCT f) FROM (SELECT input_file_name() AS f FROM {table}) x").collect()[0][0]
    checks.true(f"{what}: buckets of {files} files are those of their rows", wrong == 0, f"{wrong} rows")


def check(spark, basalt, checks, folder, kind, rows):
    # 1. Spark writes.
    theirs = f"{folder}/spark_{kind}"
    (spark.range(rows).selectExpr(*[c.strip() for c in split(SPARK_ROW.format(time=SPARK_TIME[kind]))]).repartition(3).write.partitionBy("dt", "cc").bucketBy(BUCKETS, "id").sortBy("id")
     .format(kind).option("path", theirs).saveAsTable(f"theirs_{kind}"))
    want = rows_of(spark, f"theirs_{kind}")
    checks.true(f"{kind}: Spark wrote {rows} rows", len(want) == rows)
    basalt_table(basalt, f"theirs_{kind}", kind, theirs)
    checks.equal(f"{kind}: written by Spark, read by Basalt", basalt.column(f"SELECT {BASALT_TEXT} FROM theirs_{kind}"), want)
    ids = [r[0] for r in spark.sql(f"SELECT DISTINCT id FROM theirs_{kind} WHERE id IS NOT NULL ORDER BY id LIMIT 40").collect()]
    counts = basalt.run(*[f"SELECT count(*) FROM theirs_{kind} WHERE id = {i}" for i in ids]).split()
    want_counts = {r[0]: r[1] for r in spark.sql(f"SELECT id, count(*) FROM theirs_{kind} WHERE id IS NOT NULL GROUP BY id").collect()}
    checks.equal(f"{kind}: Basalt's filters on the bucket column", [c for c in counts if c.isdigit()], [str(want_counts[i]) for i in ids])
    plan = basalt.run(f"EXPLAIN SELECT * FROM theirs_{kind} WHERE id = {ids[0]} AND dt = '2024-01-01'")
    parts = len([d for d, _, files in os.walk(theirs) if any(f.startswith("part-") for f in files)])
    checks.true(f"{kind}: Basalt reads one bucket of one of {parts} partitions", f"partitions=1/{parts}" in plan and f"tabletRatio=1/{parts * BUCKETS}" in plan, plan)

    # 2. Basalt writes.
    ours = f"{folder}/basalt_{kind}"
    basalt_table(basalt, f"ours_{kind}", kind, ours)
    basalt.run(f"INSERT INTO ours_{kind} SELECT * FROM theirs_{kind} WHERE big % 2 = 0", f"INSERT INTO ours_{kind} SELECT * FROM theirs_{kind} WHERE big % 2 <> 0")
    spark.sql(f"CREATE TABLE ours_{kind} ({DDL.replace('DATETIME(6)', SPARK_TIME[kind])}, {PARTITIONS}) USING {kind} PARTITIONED BY (dt, cc) CLUSTERED BY (id) SORTED BY (id) INTO {BUCKETS} BUCKETS LOCATION '{ours}'")
    spark.sql(f"MSCK REPAIR TABLE ours_{kind}")
    checks.equal(f"{kind}: written by Basalt, read by Spark", rows_of(spark, f"ours_{kind}"), want)
    check_files(spark, checks, f"{kind}: written by Basalt", f"ours_{kind}")
    joined = spark.sql(f"SELECT count(*) FROM ours_{kind} a JOIN theirs_{kind} b ON a.id = b.id").collect()[0][0]
    checks.true(f"{kind}: Spark's join by buckets, {joined} rows", joined == sum(c * c for c in want_counts.values()))

    # A table that Basalt owns is a folder like any other, for who reads only.
    basalt.run(f"CREATE TABLE owned_{kind} PARTITIONED BY (dt, cc) STORED AS {kind.upper()} AS SELECT * FROM theirs_{kind}")
    home = os.path.join(basalt.folder, "warehouse", "default.db")
    owned = [os.path.join(home, d) for d in os.listdir(home) if d.startswith(f"owned_{kind}")]
    spark.read.format(kind).load(owned[0]).createOrReplaceTempView(f"owned_{kind}")
    checks.equal(f"{kind}: a table of Basalt's own, read by Spark", rows_of(spark, f"owned_{kind}"), want)

    # 3. Each changes what the other wrote.
    basalt.run(f"INSERT OVERWRITE TABLE theirs_{kind} PARTITION (dt = '2024-01-02', cc = 'a/b=c') SELECT {', '.join(COLUMNS)} FROM theirs_{kind} WHERE cc = '100%'")
    spark.sql(f"REFRESH TABLE theirs_{kind}")
    changed = [t for t in want if not t.endswith("|2024-01-02|a/b=c")] + [t.replace("|2024-01-03|100%", "|2024-01-02|a/b=c") for t in want if t.endswith("|100%")]
    checks.equal(f"{kind}: a partition of Spark's overwritten by Basalt, read by Spark", rows_of(spark, f"theirs_{kind}"), changed)
    checks.equal(f"{kind}: the same read by Basalt", basalt.column(f"SELECT {BASALT_TEXT} FROM theirs_{kind}"), changed)
    spark.sql(f"SELECT * FROM ours_{kind} WHERE cc = 'us'").write.insertInto(f"ours_{kind}")
    grown = want + [t for t in want if t.endswith("|us")]
    checks.equal(f"{kind}: rows that Spark added to Basalt's, read by Basalt", basalt.column(f"SELECT {BASALT_TEXT} FROM ours_{kind}"), grown)


def split(columns):
    """Cuts a select list at commas outside of brackets."""
    out, depth, start = [], 0, 0
    for i, ch in enumerate(columns):
        depth += (ch == "(") - (ch == ")")
        if ch == "," and depth == 0:
            out.append(columns[start:i])
            start = i + 1
    return out + [columns[start:]]


def main():
    args = arguments()
    try:
        import pyspark
    except ImportError:
        skip("pyspark is not installed (pip install pyspark)")
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        skip("there is no Java")
    folder = tempfile.mkdtemp(prefix="basalt-spark-")
    os.chdir(folder if args.basalt else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    program = args.basalt and os.path.abspath(os.path.join(os.environ.get("PWD", "."), args.basalt))
    try:
        if not program:
            program = os.path.join(folder, "basalt-program")
            subprocess.run(["go", "build", "-o", program, "./cmd/basalt"], check=True)
            os.chdir(folder)
        spark = spark_session(folder)
        print(f"Spark {pyspark.__version__}")
        for kind in ("parquet", "orc"):
            check(spark, Basalt(program, folder), Checks(), folder, kind, args.rows)
        spark.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if Checks.failed else 0)


if __name__ == "__main__":
    main()
