#!/usr/bin/env python3
"""One table of every type, with NULLs and nesting, as Parquet and as ORC: other readers see the rows that were inserted.

    pip install pyarrow duckdb
    python3 test/interop/same_rows.py [--basalt path/to/basalt] [--rows 3000]

The rows are made here and inserted into a table of Basalt, which writes them as Parquet and as ORC, each with every codec of
its own. pyarrow reads both and DuckDB the Parquet files; every column of every reader is compared with what was made.
It prints what it compared and ends with 1 where something differs; without pyarrow or DuckDB it says so and ends well.
"""
import argparse, datetime as dt, decimal, glob, os, random, shutil, subprocess, sys, tempfile

D = decimal.Decimal
decimal.getcontext().prec = 60


def text(r, most):
    return "".join(r.choice("abcxyz 0129é中🙂'\\%") for _ in range(r.randrange(most + 1)))


FAR = "DATETIME(6) "  # in years that nanoseconds in 64 bits do not reach: pyarrow does not read those from ORC


def scalar(t):
    """The generator of values of a scalar type."""
    def integer(bits):
        edge = [-(1 << bits - 1), (1 << bits - 1) - 1, 0, -1]
        return lambda r: r.choice(edge) if r.random() < 0.1 else r.getrandbits(bits) - (1 << bits - 1) >> r.randrange(bits)

    def dec(p, s):
        return lambda r: D(r.choice([-1, 1]) * r.randrange(10 ** r.randrange(1, p + 1))).scaleb(-s)

    def moment(digits, years=(1700, 1900, 1970, 2024, 2261)):
        def make(r):
            micros = r.randrange(1_000_000) // 10 ** (6 - digits) * 10 ** (6 - digits)
            return dt.datetime(r.choice(years), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24), r.randrange(60), r.randrange(60), micros)
        return make
    return {
        "BOOLEAN": lambda r: r.random() < 0.5, "TINYINT": integer(8), "SMALLINT": integer(16), "INT": integer(32), "BIGINT": integer(64),
        "FLOAT": lambda r: r.randrange(-1 << 20, 1 << 20) / 64, "DOUBLE": lambda r: r.choice([0.0, 1e300, -1e-300, r.uniform(-1e9, 1e9)]),
        "DECIMAL(5,2)": dec(5, 2), "DECIMAL(18,4)": dec(18, 4), "DECIMAL(38,10)": dec(38, 10),
        "DATE": lambda r: dt.date(r.choice([1, 1582, 1969, 1970, 2024, 9999]), r.randrange(1, 13), r.randrange(1, 29)),
        "DATETIME": moment(0), "DATETIME(3)": moment(3), "DATETIME(6)": moment(6),
        FAR: moment(6, (1, 1582, 1969, 2300, 9999)), "STRING": lambda r: text(r, 40), "VARCHAR(130)": lambda r: text(r, 30), "CHAR(5)": lambda r: "%05d" % r.randrange(99999),
    }[t]


class Array:
    def __init__(self, of): self.of, self.sql = of, f"ARRAY<{of.sql}>"
    def make(self, r): return [some(self.of, r) for _ in range(r.choice([0, 1, 2, 3, 9]))]
    def literal(self, v): return "[" + ", ".join(literal(self.of, x) for x in v) + "]" if v else f"CAST([] AS {self.sql})"
    def plain(self, v): return [plain(self.of, x) for x in v]


class Map:
    def __init__(self, of): self.of, self.sql = of, f"MAP<STRING,{of.sql}>"
    def make(self, r): return {f"k{i}": some(self.of, r) for i in range(r.choice([0, 1, 2, 5]))}
    def literal(self, v): return "map(" + ", ".join(f"'{k}', {literal(self.of, x)}" for k, x in v.items()) + ")" if v else f"CAST(map() AS {self.sql})"
    def plain(self, v): return {k: plain(self.of, x) for k, x in (v.items() if isinstance(v, dict) else v)}


class Struct:
    def __init__(self, **of): self.of, self.sql = of, "STRUCT<" + ",".join(f"{k}:{t.sql}" for k, t in of.items()) + ">"
    def make(self, r): return {k: some(t, r) for k, t in self.of.items()}
    def literal(self, v): return "named_struct(" + ", ".join(f"'{k}', {literal(t, v[k])}" for k, t in self.of.items()) + ")"
    def plain(self, v): return {k: plain(t, v[k]) for k, t in self.of.items()}


class Scalar:
    def __init__(self, sql): self.sql, self.make = sql, scalar(sql)
    def literal(self, v):
        if isinstance(v, bool): return "TRUE" if v else "FALSE"
        if isinstance(v, float): return f"CAST('{v!r}' AS {self.sql})"
        if isinstance(v, (int, D)): return f"CAST('{v:f}' AS {self.sql})" if isinstance(v, D) else f"CAST('{v}' AS {self.sql})"
        if isinstance(v, dt.datetime): return f"CAST('{v.year:04}-{v:%m-%d %H:%M:%S.%f}' AS {self.sql})"
        if isinstance(v, dt.date): return f"CAST('{v.year:04}-{v:%m-%d}' AS DATE)"
        return "'" + v.replace("\\", "\\\\").replace("'", "''") + "'"
    def plain(self, v):
        if isinstance(v, dt.datetime): return v.replace(tzinfo=None)
        if isinstance(v, bytes): return v.decode()
        return v


def some(t, r): return None if r.random() < 0.15 else t.make(r)
def literal(t, v): return f"CAST(NULL AS {t.sql})" if v is None else t.literal(v)
def plain(t, v): return None if v is None else t.plain(v)


COLUMNS = [Scalar(s) for s in [FAR, "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(5,2)", "DECIMAL(18,4)", "DECIMAL(38,10)", "DATE",
                               "DATETIME", "DATETIME(3)", "DATETIME(6)", "STRING", "VARCHAR(130)", "CHAR(5)"]] + [
    Array(Scalar("INT")), Array(Array(Scalar("STRING"))), Map(Scalar("BIGINT")), Map(Array(Scalar("DECIMAL(18,4)"))), Struct(a=Scalar("INT"), b=Scalar("STRING")),
    Struct(d=Scalar("DATE"), s=Struct(x=Array(Scalar("DOUBLE")), y=Scalar("BOOLEAN"))), Array(Struct(a=Scalar("SMALLINT"), m=Map(Array(Scalar("DATETIME(6)")))))]
CODECS = {"parquet": ("snappy", "zstd", "gzip", "uncompressed"), "orc": ("zlib", "zstd", "snappy", "none")}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def basalt(program, folder, statements):
    out = subprocess.run([program, "sql", "--data", folder, "--format", "csv"], input=";\n".join(statements) + ";\n", capture_output=True, text=True)
    if out.returncode != 0 or "ERROR" in out.stdout + out.stderr:
        raise SystemExit(f"basalt: {out.stdout[:2000]}\n{out.stderr[:2000]}")
    return out.stdout


def compare(what, columns, names, got):
    """columns: name to type and values; got: a list for each of the names, in the order of id."""
    wrong = 0
    for name, b in zip(names, got):
        t, a = columns[name]
        b = [plain(t, v) for v in b]
        at = [i for i in range(max(len(a), len(b))) if a[i:i + 1] != b[i:i + 1]]
        if at:
            wrong += 1
            print(f"WRONG {what}: {t.sql}: {len(at)} of {len(a)} rows, row {at[0]}: {b[at[0]:at[0] + 1]!r} for {a[at[0]:at[0] + 1]!r}")
    if not wrong:
        print(f"ok    {what}: {len(names)} columns, {len(got[0])} rows")
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--basalt", help="the program; default: built from this folder")
    p.add_argument("--rows", type=int, default=3000)
    args = p.parse_args()
    try:
        import duckdb, pyarrow as pa, pyarrow.orc as orc, pyarrow.parquet as pq
    except ImportError as e:
        skip(e)
    r = random.Random(1)
    rows = [[some(t, r) for t in COLUMNS] for _ in range(args.rows)]
    want = [[row[i] for row in rows] for i in range(len(COLUMNS))]
    names = [f"c{i}" for i in range(len(COLUMNS))]
    folder = tempfile.mkdtemp(prefix="basalt-rows-")
    try:
        program = args.basalt and os.path.abspath(args.basalt)
        if not program:
            program = os.path.join(folder, "basalt-program")
            subprocess.run(["go", "build", "-o", program, "./cmd/basalt"], check=True, cwd=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
        data = os.path.join(folder, "data")
        made = ["CREATE TABLE made (id INT, " + ", ".join(f"{n} {t.sql}" for n, t in zip(names, COLUMNS)) + ")"]
        for start in range(0, len(rows), 200):
            made.append("INSERT INTO made VALUES " + ", ".join("(" + ", ".join([str(start + i)] + [literal(t, v) for t, v in zip(COLUMNS, row)]) + ")" for i, row in enumerate(rows[start:start + 200])))
        basalt(program, data, made)
        wrong = 0
        columns = dict(zip(names, zip(COLUMNS, want)))
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        print(f"pyarrow {pa.__version__}, DuckDB {duckdb.__version__}")
        for kind, codecs in CODECS.items():
            for codec in codecs:
                what = f"{kind}, {codec}"
                seen = [n for n, t in zip(names, COLUMNS) if kind == "parquet" or t.sql != FAR]
                out = f"{folder}/{kind}_{codec}"
                property = {"parquet": "parquet.compression", "orc": "orc.compress"}[kind]
                basalt(program, data, [f"CREATE EXTERNAL TABLE t_{kind}_{codec} (id INT, " + ", ".join(f"{n} {t.sql}" for n, t in zip(names, COLUMNS)) +
                                       f") STORED AS {kind.upper()} LOCATION '{out}' TBLPROPERTIES ('{property}' = '{codec}')", f"INSERT INTO t_{kind}_{codec} SELECT * FROM made"])
                files = sorted(f for f in glob.glob(out + "/*") if not os.path.basename(f).startswith(("_", ".")))
                table = pa.concat_tables([pq.read_table(f, partitioning=None) if kind == "parquet" else orc.read_table(f, columns=["id"] + seen) for f in files]).sort_by("id")
                wrong += compare(f"{what}, read by pyarrow", columns, seen, [table[n].to_pylist() for n in seen])
                if kind == "parquet":
                    result = con.execute(f"SELECT {', '.join(names)} FROM read_parquet({files}) ORDER BY id").fetchall()
                    wrong += compare(f"{what}, read by DuckDB", columns, names, [[row[i] for row in result] for i in range(len(names))])
                back = f"SELECT count(*) AS n FROM t_{kind}_{codec} a JOIN made b ON a.id = b.id WHERE " + " AND ".join(f"a.{n} <=> b.{n}" for n in names)
                same = basalt(program, data, [back]).split()[-1]
                print(f"{'ok   ' if same == str(len(rows)) else 'WRONG'} {what}, read by Basalt: {same} rows equal")
                wrong += same != str(len(rows))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
