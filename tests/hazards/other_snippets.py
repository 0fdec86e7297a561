"""SQL and shell that are not the same everywhere, and such that look like it but are."""

BAD_SQL = {
    "limit_after_distinct": """\
SELECT DISTINCT a
FROM t
LIMIT 5; -- <- unordered-pick
""",
    "limit_after_group": "SELECT a, count(*) FROM t GROUP BY a\nLIMIT 5; -- <- unordered-pick\n",
    "limit_after_join": """\
SELECT * FROM t
JOIN u ON t.a = u.a
LIMIT 5 -- <- unordered-pick
""",
    "limit_of_common_table": """
WITH kinds AS (SELECT DISTINCT kind FROM t)
SELECT kind FROM kinds
LIMIT 1 -- <- unordered-pick
""",
    "distinct_on": "SELECT DISTINCT ON (a) a, b -- <- unordered-pick unordered-rows\nFROM t\n",
    "first": """\
SELECT a,
 first(b) -- <- unordered-pick
FROM t GROUP BY a ORDER BY a
""",
    "list": """\
SELECT list(a), -- <- unordered-pick
string_agg(b, ','), -- <- unordered-pick
any_value(c) -- <- unordered-pick
FROM t
""",
    "row_number": """\
SELECT a,
 row_number() OVER () AS id -- <- unordered-pick
FROM t
""",
    "group_result": "SELECT a, count(*) FROM t GROUP BY a; -- <- unordered-rows\n",
    "union_result": "SELECT a FROM t UNION SELECT a FROM u -- <- unordered-rows\n",
    "copy_result": "COPY (SELECT t.a FROM t JOIN u USING (a)) TO 'x.csv' -- <- unordered-rows\n",
    "sum_of_double": """\
SELECT
 sum(a::DOUBLE) -- <- float-sum
FROM t
""",
    "average": """\
SELECT avg(CAST(a AS FLOAT)), -- <- float-sum
 stddev(b) -- <- float-sum
FROM t
""",
    "sum_of_unknown": "SELECT sum(area) -- <- float-sum\nFROM read_csv('x.csv')\n",
    "sum_of_quotient": "SELECT sum(a / 3) FROM t -- <- float-sum\n",
    "clock": """\
SELECT now(), -- <- clock
current_date, -- <- clock
today() -- <- clock
""",
    "random": "SELECT a FROM t ORDER BY random() -- <- unseeded-random\n",
    "sample": "SELECT a FROM t\nUSING SAMPLE 10 -- <- unseeded-random\n",
    "uuid": "SELECT gen_random_uuid(), uuid() -- <- uuid\n",
    "extension": """\
INSTALL httpfs; -- <- network
SELECT a FROM read_csv('https://example.invalid/a.csv') -- <- network
""",
    "insertion_order": "SET preserve_insertion_order = false; -- <- insertion-order\n",
    "insertion_order_to": "SET preserve_insertion_order TO 'off'; -- <- insertion-order\n",
    "getenv": "SELECT getenv('HOME') -- <- environment-variable\n",
    "threads": "SELECT current_setting('threads') -- <- cpu-count\n",
}

GOOD_SQL = {
    "ordered": "SELECT DISTINCT a FROM t ORDER BY a LIMIT 5;\n",
    "plain_rows": "SELECT a, b FROM t WHERE a > 1;\nSELECT a FROM t LIMIT 3;\n",
    "one_row": "SELECT count(*), max(a), sum(CAST(b AS BIGINT)) FROM t JOIN u USING (a);\n",
    "first_with_order": """\
SELECT a, first(b ORDER BY c), list(b ORDER BY c) FROM t GROUP BY a ORDER BY a
""",
    "ordered_rows_inside": "SELECT list(a) FROM (SELECT a FROM t ORDER BY a)\n",
    "row_number": """\
SELECT row_number() OVER (ORDER BY a), lag(a) OVER w FROM t WINDOW w AS (ORDER BY a)
""",
    "sum_of_exact": """\
SELECT sum(a::INTEGER), sum(1), sum(a::DECIMAL(18, 2)), sum(length(b)) FROM t
""",
    "sum_of_truth": """\
SELECT sum(CASE WHEN a > 1 THEN 1 ELSE 0 END), count(*) FILTER (a > 1.5) FROM t
""",
    "declared": """\
SELECT sum(n) FROM read_csv('x.csv', columns = {'n': 'INTEGER', 'a': 'VARCHAR'})
""",
    "counted_inside": "SELECT sum(n) FROM (SELECT a, count(*) AS n FROM t GROUP BY a)\n",
    "one_thread": "SET threads = 1;\nSELECT sum(a::DOUBLE) FROM t;\n",
    "temporary": "CREATE TABLE u AS SELECT DISTINCT a FROM t;\nSELECT a FROM u ORDER BY a;\n",
    "repeatable": "SELECT a FROM t USING SAMPLE reservoir(10 ROWS) REPEATABLE (1)\n",
    "column_names": 'SELECT "now", t.current_date, random FROM t\n',
    "in_text": "SELECT 'now() and random()' AS a -- uuid() is only named here\n",
    "exists": "SELECT a FROM t WHERE EXISTS (SELECT DISTINCT b FROM u LIMIT 1)\n",
    "union_all": "SELECT a FROM t UNION ALL SELECT a FROM u\n",
    "unnest": "SELECT a, x FROM t, unnest(t.list) AS n(x)\n",
    "insertion_order": "SET preserve_insertion_order = true;\n",
}

BAD_SHELL = {
    "python_in_an_argument": "python -c 'import time; print(time.time())' # <- clock\n",
    "sql_in_an_argument": 'duckdb x.db -c "SELECT DISTINCT a FROM t" # <- unordered-rows\n',
    "shell_in_an_argument": "bash -ec 'date +%F' # <- clock\n",
    "python_in_a_document": """\
python3 - <<'END'
import uuid
print(uuid.uuid4()) # <- uuid
END
""",
    "sql_in_a_document": """\
duckdb x.db <<END
SELECT a,
 first(b) -- <- unordered-pick
FROM t GROUP BY a ORDER BY a;
END
""",
    "date": "made=$(date +%Y) # <- clock\n",
    "find": "find . -name '*.csv' | head # <- unordered-listing\n",
    "ls": "ls -U # <- unordered-listing\nls -l # <- file-metadata\n",
    "random": 'n="$RANDOM" # <- unseeded-random\nshuf a.txt # <- unseeded-random\n',
    "urandom": "head -c 4 /dev/urandom # <- unseeded-random\n",
    "uuid": "uuidgen # <- uuid\n",
    "curl": """\
if ! curl -O https://example.invalid/a.csv; then # <- network
  exit 1
fi
""",
    "git": "git clone https://example.invalid/a # <- network\n",
    "awk": "awk 'BEGIN { print rand() }' > x # <- unseeded-random\n",
    "awk_seeded_by_the_clock": "awk '{ srand(); x = rand (); print x }' a # <- unseeded-random\n",
    "awk_clock": "gawk 'BEGIN { print systime() }' # <- clock\n",
    "background": "python a.py & # <- thread-order\nwait\n",
    "xargs": "ls | xargs -P 4 -n 1 python a.py # <- thread-order\n",
    "nproc": "make_parts $(nproc) # <- cpu-count\n",
    "host": """\
hostname # <- host
uname -r # <- host
echo $USER # <- host
""",
    "meminfo": "grep MemTotal /proc/meminfo # <- host\n",
    "variable": 'echo "${EDITOR:-vi}" # <- environment-variable\n',
    "locale": "LC_ALL=fr_CA.UTF-8 sort a.txt # <- locale\nexport LANG=fr_CA # <- locale\n",
    "pwd": "pwd > a.txt # <- place\n",
    "stat": "stat -c %Y a.txt # <- file-metadata\n",
    "gzip": """\
gzip a.csv # <- archive-times
tar -cf a.tar a # <- archive-times
zip a.zip a # <- archive-times
""",
    "wrapped": "env -i date # <- clock\n",
    "in_quotes": 'echo "made on $(date)" # <- clock\n',
}

GOOD_SHELL = {
    "awk_seeded": "awk 'BEGIN { srand(7); print rand() }' > x\n",
    "awk_words": "awk '{ brand = operand($1); print \"rand()\", brand }' a > x\n",
    "document_that_is_no_shell": """\
cat <<'END' > words.txt
date
hostname $USER
END
duckdb x.db <<END
SELECT
id
FROM t ORDER BY id
END
""",
    "python_that_is_the_same": "python -c 'print(sorted({1, 2}))'\n",
    "python_that_the_shell_fills_in": "python -c 'print($A'\n",
    "string_of_here": "cat <<< END\nsort x\n",
    "date_of_epoch": 'date -u -d "@$SOURCE_DATE_EPOCH" +%Y\n',
    "find_sorted": "find . -name '*.csv' | sort | head -n 1\nfind . -type f | wc -l\n",
    "own_variables": """\
name=a
for file in *.csv; do echo "$name $file"; done
while read -r line; do echo "$line"; done
""",
    "contract": 'cat "$D4C_SOURCES/a.csv" > "$D4C_OUT/a.csv"\n',
    "comment": "# date, uuidgen and $RANDOM are only named here\necho '$RANDOM' date\n",
    "gzip": """\
gzip -n a.csv
gzip -d a.gz
tar -xf a.tar
""",
    "tar": "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf a.tar a\n",
    "redirect": "python a.py > a.log 2>&1 && echo done\n",
    "locale": "LC_ALL=C sort a.txt\n",
    "seeded": "shuf --random-source=seed.bin a.txt\n",
    "positional": 'echo "$1" "$@" "$#" "$?"\n',
}
