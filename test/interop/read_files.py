#!/usr/bin/env python3
"""Files of many writers' options: Basalt reads the values that pyarrow reads.

    pip install pyarrow duckdb
    python3 test/interop/read_files.py [--basalt path/to/basalt] [--match regexp] [FILE ...]

It makes Parquet files with pyarrow and DuckDB and ORC files with pyarrow (codecs, page versions and sizes, every encoding a
column may have, no dictionary, dictionaries given up, no statistics, row groups and stripes of a row, empty ones, INT96, decimals as
integers, blocks, bloom filters, nested columns), or takes the files named. Basalt writes what it reads of each into a Parquet
file; pyarrow reads both, and every column is compared value by value. It ends with 1 where something differs.
"""
import argparse, datetime as dt, decimal, glob, math, os, random, re, shutil, subprocess, sys, tempfile

D = decimal.Decimal
EXACT = decimal.Context(prec=60)
ROWS = 3000


def table(pa):
    """Columns of every type that Parquet has, with NULLs, of repeatable random values."""
    r = random.Random(7)
    words = lambda most: "x" * r.randrange(most) + str(r.randrange(50))

    def col(t, make, nulls=0.2):
        return pa.array([None if r.random() < nulls else make() for _ in range(ROWS)], t)

    def dec(p, s):
        return col(pa.decimal128(p, s), lambda: D(r.randrange(-10 ** p + 1, 10 ** p)).scaleb(-s, EXACT))

    inner = pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string()), ("d", pa.list_(pa.int16()))]))])
    columns = {"i32": col(pa.int32(), lambda: r.randrange(-2 ** 31, 2 ** 31), 0), "f16": col(pa.float16(), lambda: r.choice([0.0, -1.5, 65504.0, 0.1, math.inf]))}
    for bits in (8, 16, 32, 64):
        columns[f"n{bits}"] = col(getattr(pa, f"int{bits}")(), lambda: r.getrandbits(bits) - 2 ** (bits - 1) >> r.randrange(bits))
        columns[f"u{bits}"] = col(getattr(pa, f"uint{bits}")(), lambda: r.getrandbits(bits) >> r.randrange(bits))
    columns |= {
        "f32": col(pa.float32(), lambda: r.uniform(-1e5, 1e5)), "f64": col(pa.float64(), lambda: r.choice([r.uniform(-1e300, 1e300), 0.0, -0.0, 1e-310])),
        "b": col(pa.bool_(), lambda: r.random() < 0.5), "s": col(pa.string(), lambda: words(60)), "ls": col(pa.large_string(), lambda: "é" + words(9)),
        "bin": col(pa.binary(), lambda: r.randbytes(r.randrange(20))), "fsb": col(pa.binary(7), lambda: r.randbytes(7)),
        "d9": dec(9, 2), "d18": dec(18, 5), "d25": dec(25, 0), "d38": dec(38, 10),
        "date": col(pa.date32(), lambda: dt.date(r.choice([1, 1500, 1582, 1899, 1970, 9999]), r.randrange(1, 13), r.randrange(1, 29))),
        "t32": col(pa.time32("ms"), lambda: r.randrange(86400000)), "t64": col(pa.time64("us"), lambda: r.randrange(86400000000)),
        "t64n": col(pa.time64("ns"), lambda: r.randrange(86400000000) * 1000),
        "tsms": col(pa.timestamp("ms"), lambda: r.randrange(-10 ** 13, 10 ** 13)), "tsus": col(pa.timestamp("us"), lambda: r.randrange(-10 ** 16, 10 ** 16)),
        "tsns": col(pa.timestamp("ns"), lambda: r.randrange(-10 ** 15, 10 ** 15) * 1000),
        "tsz": col(pa.timestamp("us", tz="Europe/Berlin"), lambda: r.randrange(-10 ** 15, 10 ** 15)),
        "dict": col(pa.string(), lambda: r.choice(["aa", "b", ""])).dictionary_encode(),
        "l": col(pa.list_(pa.int32()), lambda: [r.choice([None, r.randrange(100)]) for _ in range(r.randrange(4))]),
        "ll": col(pa.list_(pa.list_(pa.string())), lambda: [r.choice([None, ["a", None, words(20)]]) for _ in range(r.randrange(4))]),
        "fl": col(pa.list_(pa.float64(), 3), lambda: [r.random(), None, 1.0]),
        "m": col(pa.map_(pa.string(), pa.float64()), lambda: [(str(k), r.choice([None, k * 1.5])) for k in range(r.randrange(4))]),
        "st": col(inner, lambda: {"a": r.choice([None, 1, 2]), "b": {"c": r.choice([None, "x"]), "d": [r.randrange(5)]}}),
        "lst": col(pa.list_(pa.struct([("k", pa.int32()), ("v", pa.string())])), lambda: [r.choice([None, {"k": i, "v": None if i % 3 else "v"}]) for i in range(r.randrange(3))]),
        "allnull": pa.nulls(ROWS, pa.int32()), "none": pa.nulls(ROWS),
    }
    return pa.table(columns)


ENCODINGS = {
    "i32": "DELTA_BINARY_PACKED BYTE_STREAM_SPLIT PLAIN", "n64": "DELTA_BINARY_PACKED BYTE_STREAM_SPLIT", "u64": "DELTA_BINARY_PACKED", "u8": "DELTA_BINARY_PACKED",
    "s": "DELTA_LENGTH_BYTE_ARRAY DELTA_BYTE_ARRAY PLAIN", "bin": "DELTA_LENGTH_BYTE_ARRAY DELTA_BYTE_ARRAY", "fsb": "BYTE_STREAM_SPLIT DELTA_BYTE_ARRAY",
    "f16": "BYTE_STREAM_SPLIT", "f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "b": "RLE PLAIN", "d38": "BYTE_STREAM_SPLIT DELTA_BYTE_ARRAY",
    "date": "DELTA_BINARY_PACKED", "tsus": "DELTA_BINARY_PACKED", "allnull": "DELTA_BINARY_PACKED",
}
NOT_IN_ORC = "u8 u16 u32 u64 f16 t32 t64 t64n dict none fl fsb tsms tsus tsz".split()  # and times whose nanoseconds exceed 64 bits, which pyarrow does not read


def make(folder, t, pa, pq, orc):
    """Writes the files of pyarrow."""
    def parquet(name, of=t, **options):
        pq.write_table(of, f"{folder}/{name}.parquet", **options)
    for v in ("1.0", "2.0"):
        for codec in "none snappy gzip brotli zstd lz4".split():
            parquet(f"codec_{codec}_v{v}", compression=codec, data_page_version=v, row_group_size=1000)
        for size in (1, 100, 5000):
            parquet(f"page{size}_v{v}", data_page_size=size, data_page_version=v, write_batch_size=17)
        for c, list_ in ENCODINGS.items():
            for e in list_.split():
                parquet(f"{c}_{e}_v{v}", t.select(sorted({c, "i32"})), use_dictionary=False, column_encoding={c: e}, data_page_version=v, data_page_size=700, row_group_size=1100)
    for v in ("1.0", "2.4", "2.6"):
        parquet(f"format_{v}", version=v)
    parquet("no_dictionary", use_dictionary=False)
    parquet("dictionary_given_up", dictionary_pagesize_limit=200, data_page_size=300)
    parquet("no_statistics", write_statistics=False)
    parquet("page_index", write_page_index=True, write_page_checksum=True, data_page_size=500)
    parquet("int96", t.drop(["tsms", "tsus"]), use_deprecated_int96_timestamps=True)  # their years do not fit pyarrow's nanoseconds
    parquet("list_names", use_compliant_nested_type=False)
    parquet("integer_decimals", store_decimal_as_integer=True)
    parquet("empty", t.slice(0, 0))
    parquet("groups_of_a_row", t.slice(0, 50), row_group_size=1)
    parquet("nested_delta", t.select(["l", "ll", "st", "m"]), use_dictionary=False, data_page_size=300,
            column_encoding={"l.list.element": "DELTA_BINARY_PACKED", "ll.list.element.list.element": "DELTA_BYTE_ARRAY"})
    with pq.ParquetWriter(f"{folder}/empty_group.parquet", t.schema) as w:
        for part in (t.slice(0, 100), t.slice(0, 0), t.slice(100, 5)):
            w.write_table(part, row_group_size=max(2, part.num_rows // 3))
    t = t.drop(NOT_IN_ORC)

    def stripes(name, of=t, **options):
        orc.write_table(of, f"{folder}/{name}.orc", **options)
    for codec in "uncompressed zlib snappy lz4 zstd".split():
        stripes(f"codec_{codec}", compression=codec)
    for v in ("0.11", "0.12"):
        stripes(f"format_{v}", file_version=v)
        for c in t.column_names:
            stripes(f"{c}_format_{v}", t.select([c]), compression="zlib", file_version=v)
    stripes("block", compression="zlib", compression_block_size=65536)
    stripes("small_stripes", stripe_size=4096, batch_size=64)
    stripes("index_of_a_row", row_index_stride=1)
    stripes("direct", dictionary_key_size_threshold=0.0)
    stripes("dictionary", dictionary_key_size_threshold=1.0, compression="zstd", compression_strategy="compression")
    stripes("bloom", bloom_filter_columns=list(range(1, 10)), bloom_filter_fpp=0.01, row_index_stride=500)
    stripes("empty", t.slice(0, 0))


def make_duckdb(folder, duckdb):
    """Writes the files of DuckDB."""
    con = duckdb.connect()
    con.execute("""CREATE TABLE t AS SELECT i::BIGINT id, CASE WHEN i % 7 = 0 THEN NULL ELSE i::HUGEINT * 1000000007 END h, (i % 100)::UTINYINT ut, (i * i)::UBIGINT ub,
        TIME '01:02:03.456789' + to_seconds(i) tm, DATE '1960-01-01' + i::INT d, TIMESTAMP '1899-12-31 23:59:59.123456' + to_hours(i) ts, (TIMESTAMP '2020-01-01' + to_seconds(i))::TIMESTAMP_S tss,
        (TIMESTAMP '2020-01-01' + to_milliseconds(i))::TIMESTAMP_MS tsm, (TIMESTAMP '2020-01-01' + to_microseconds(i))::TIMESTAMP_NS tsn, (i / 7.0)::DECIMAL(4, 1) d4, (i / 7.0)::DECIMAL(9, 3) d9,
        CASE WHEN i % 5 = 0 THEN NULL ELSE ['red', 'green', 'blue'][1 + i % 3]::ENUM('red', 'green', 'blue') END e, (i / 7.0)::DECIMAL(18, 6) d18, (i / 7.0)::DECIMAL(38, 12) d38,
        (i / 3.0)::FLOAT f, (i / 3.0)::DOUBLE g, i % 2 = 0 b, 'text' || (i % 50) s, repeat('z', (i % 300)::INT) || i l, ('\\xAA\\x0' || (i % 10))::BLOB bl, CASE WHEN i % 3 = 0 THEN NULL ELSE [i, NULL, i + 1] END li,
        [[i], [], NULL] ll, {'a': i, 'b': {'c': 'x' || i, 'd': [i]}} st, map(['k' || i, 'z'], [i, NULL]) m, CASE WHEN i % 4 = 0 THEN NULL ELSE [{'q': i, 'r': ['s']}] END ls, [1.5, i]::DOUBLE[2] arr FROM range(5000) r(i)""")
    for v in ("V1", "V2"):
        for codec in "uncompressed snappy gzip zstd brotli lz4_raw".split():
            con.execute(f"COPY t TO '{folder}/duckdb_{codec}_{v}.parquet' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION {v}, ROW_GROUP_SIZE 2048)")
        con.execute(f"COPY t TO '{folder}/duckdb_direct_{v}.parquet' (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION {v})")


def plain(v, t, types):
    """A value of type t in a form in which both readings are equal."""
    if v is None:
        return None
    if types.is_dictionary(t):
        return plain(v, t.value_type, types)
    if types.is_map(t):
        return [(plain(k, t.key_type, types), plain(x, t.item_type, types)) for k, x in v]
    if types.is_struct(t):
        return {f.name: plain(v[f.name], f.type, types) for f in t}
    if hasattr(t, "value_type"):
        return [plain(x, t.value_type, types) for x in v]
    if types.is_floating(t):
        return "NaN" if math.isnan(v) else round(v, 4) if types.is_float16(t) else v
    if types.is_integer(t):
        return int(v)  # unsigned ones of 64 bits are DECIMAL
    if types.is_time(t):
        return re.sub(r"\.?0*$", "", v if "." in v else v + ".") if isinstance(v, str) else plain(v.isoformat(), t, types)
    if isinstance(v, dt.datetime):
        return v.astimezone(dt.timezone.utc).replace(tzinfo=None) if v.tzinfo else v
    return v.encode() if isinstance(v, str) else v


def compare(program, path, folder, pa, pq, orc):
    """Says what differs between the readings of a file."""
    types = pa.types
    want = pq.ParquetFile(path).read() if path.endswith(".parquet") else orc.ORCFile(path).read()
    out = tempfile.mkdtemp(dir=folder)
    items = [f"CAST(`{f.name}` AS STRING) AS `{f.name}`" if types.is_time(f.type) else f"`{f.name}`" for f in want.schema]
    sql = f"SET time_zone = '+00:00'; SET parallel_pipeline_task_num = 1; SELECT {', '.join(items)} FROM '{path}' INTO OUTFILE 'file://{out}/x' FORMAT AS PARQUET"
    run = subprocess.run([program, "sql", "-e", sql], capture_output=True, text=True)
    if run.returncode:
        return [run.stderr.strip()]
    got = pa.concat_tables([pq.read_table(f) for f in sorted(glob.glob(out + "/*.parquet"))])
    wrong = []
    for f in want.schema:
        a, b = want[f.name], got[f.name]
        if types.is_timestamp(f.type) and f.type.unit == "ns":
            a = a.cast(pa.timestamp("us", f.type.tz), safe=False)
        if types.is_string(b.type) and (types.is_binary(f.type) or types.is_fixed_size_binary(f.type)):
            b = b.cast(pa.binary())
        a, b = ([plain(v, f.type, types) for v in x.to_pylist()] for x in (a, b))
        at = [i for i in range(max(len(a), len(b))) if a[i:i + 1] != b[i:i + 1]]
        if at:
            wrong.append(f"{f.name} {f.type}: {len(at)} of {len(a)} rows, row {at[0]}: {b[at[0]:at[0] + 1]!r} for {a[at[0]:at[0] + 1]!r}")
    return wrong


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--basalt", help="the program; default: built from this folder")
    p.add_argument("--match", default="", help="only files whose names this regular expression finds")
    p.add_argument("files", nargs="*", metavar="FILE", help="compare these instead of made ones")
    args = p.parse_args()
    try:
        import duckdb, pyarrow as pa, pyarrow.orc as orc, pyarrow.parquet as pq
    except ImportError as e:
        print(f"SKIPPED: {e}")
        sys.exit(0)
    folder = tempfile.mkdtemp(prefix="basalt-files-")
    try:
        program = args.basalt and os.path.abspath(args.basalt)
        if not program:
            program = os.path.join(folder, "basalt-program")
            subprocess.run(["go", "build", "-o", program, "./cmd/basalt"], check=True, cwd=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
        files = [os.path.abspath(f) for f in args.files]
        if not files:
            make(folder, table(pa), pa, pq, orc)
            make_duckdb(folder, duckdb)
            files = sorted(glob.glob(folder + "/*.parquet") + glob.glob(folder + "/*.orc"))
        files = [f for f in files if re.search(args.match, os.path.basename(f))]
        equal = 0
        for path in files:
            wrong = compare(program, path, folder, pa, pq, orc)
            equal += not wrong
            for w in wrong:
                print(f"WRONG {os.path.basename(path)}: {w}", flush=True)
        print(f"{equal} of {len(files)} files are read as pyarrow {pa.__version__} reads them")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(equal < len(files))


if __name__ == "__main__":
    main()
