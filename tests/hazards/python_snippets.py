"""Python that is not the same everywhere, and Python that looks like it but is."""

BAD = {
    "groups_of_polars": """\
import polars as pl

t = pl.read_parquet("x.parquet")
t.group_by("a").agg(pl.len()).write_parquet("y.parquet")  # <- unordered-rows
u = t.unique(subset="a")  # <- unordered-rows
v = t.group_by("a", maintain_order=False).len()  # <- unordered-rows
""",
    "shell_that_is_started": """\
import subprocess

subprocess.run(["sh", "-c", "date > x.txt"])  # <- clock
""",
    "glob": """\
import glob
for name in glob.glob("*.csv"):  # <- unordered-listing
    print(name)
""",
    "listdir_alias": """\
from os import listdir as ls
names = ls('.')  # <- unordered-listing
print(names[0])
""",
    "assigned_function": """\
import os
ls = os.listdir
first = ls('.')[0]  # <- unordered-listing
""",
    "star_import": "from os import *\nfirst = listdir('.')[0]  # <- unordered-listing\n",
    "path_glob": """
from pathlib import Path

def read(folder: Path) -> list[str]:
    rows = []
    for path in folder.glob("*.csv"):  # <- unordered-listing
        rows.append(path.read_text(encoding="utf-8"))
    return rows
""",
    "concat_of_iterdir": """
import pandas as pd
from pathlib import Path
frame = pd.concat(pd.read_csv(p) for p in Path("x").iterdir())  # <- unordered-listing
""",
    "walk": """
import os
for folder, folders, files in os.walk("x"):  # <- unordered-listing
    for name in sorted(files):
        print(name)
""",
    "next_of_glob": """\
from pathlib import Path
source = next(Path('x').glob('*.csv'))  # <- unordered-listing
""",
    "for_over_set": "for x in {1, 2, 3}:  # <- set-order\n    print(x)\n",
    "list_of_named_set": """
def kinds(rows):
    seen = set()
    for row in rows:
        seen.add(row["kind"])
    return list(seen)  # <- set-order
""",
    "join_of_set": "names = {'b', 'a'}\ntext = ', '.join(names)  # <- set-order\n",
    "comprehension_over_set": "rows = [n for n in set('hello')]  # <- set-order\nfirst = rows[0]\n",
    "set_pop": "names = {'b', 'a'} | {'c'}\nfirst = names.pop()  # <- set-order\n",
    "set_in_text": "names = {'b', 'a'}\ntext = f'{names}'  # <- set-order\n",
    "parameter_set": "def f(names: set[str]) -> str:\n    return ''.join(names)  # <- set-order\n",
    "set_from_function": """
def provinces():
    return {"QC", "ON"}

for province in provinces():  # <- set-order
    print(province)
""",
    "keys_difference": """\
def f(a, b):
    for k in a.keys() - b.keys():  # <- set-order
        print(k)
""",
    "array_of_set": "import pyarrow as pa\ncolumn = pa.array({1, 2})  # <- set-order\n",
    "hash": "number = hash('Iqaluit') % 16  # <- hash-seed\n",
    "id": """\
rows = [object(), object()]
rows.sort(key=id)  # <- address
n = id(rows)  # <- address
""",
    "time": "import time as t\nstamp = t.time()  # <- clock\n",
    "now": "from datetime import datetime as dt, UTC\nmade = dt.now(UTC)  # <- clock\n",
    "today": "import datetime\nyear = datetime.date.today().year  # <- clock\n",
    "pandas_now": """\
import pandas as pd
now = pd.Timestamp.now()  # <- clock
day = pd.to_datetime('today')  # <- clock
""",
    "localtime": """\
import time
a = time.localtime()  # <- clock
b = time.localtime(0)  # <- time-zone
""",
    "strftime_of_now": "import time\nyear = time.strftime('%Y')  # <- clock\n",
    "clock_as_default": """
import time
def stamp(clock=time.time):  # <- clock
    return clock()
""",
    "fromtimestamp": "import datetime as d\nx = d.datetime.fromtimestamp(0)  # <- time-zone\n",
    "astimezone": "def f(x):\n    return x.astimezone()  # <- time-zone\n",
    "random": "import random\nx = random.random()  # <- unseeded-random\n",
    "from_random": "from random import shuffle as mix\nmix([1, 2])  # <- unseeded-random\n",
    "unseeded_generator": """\
import numpy as np
rng = np.random.default_rng()  # <- unseeded-random
""",
    "old_numpy": "import numpy as np\nx = np.random.rand(3)  # <- unseeded-random\n",
    "seed_none": "import random\nrng = random.Random(None)  # <- unseeded-random\n",
    "frame_sample": "def f(frame):\n    return frame.sample(n=10)  # <- unseeded-random\n",
    "urandom": """\
import os, secrets
a = os.urandom(4)  # <- unseeded-random
b = secrets.token_hex()  # <- unseeded-random
""",
    "uuid4": "from uuid import uuid4\nrows = [str(uuid4()) for _ in range(3)]  # <- uuid\n",
    "uuid1_nested": """
import uuid
def outer():
    def inner():
        return uuid.uuid1()  # <- uuid
    return inner()
""",
    "requests": """\
import requests
x = requests.get('https://example.invalid/a.csv')  # <- network
""",
    "urlopen": """\
from urllib.request import urlopen
x = urlopen('https://example.invalid/')  # <- network
""",
    "read_remote": """\
import pandas as pd
A = 'https://example.invalid/a.csv'
x = pd.read_csv(A)  # <- network
""",
    "vsicurl": """\
import pyogrio
x = pyogrio.read_dataframe('/vsicurl/https://example.invalid/a.shp')  # <- network
""",
    "open_without_encoding": "text = open('names.txt').read()  # <- locale\n",
    "read_text": "from pathlib import Path\ntext = Path('names.txt').read_text()  # <- locale\n",
    "path_open": """\
from pathlib import Path
p = Path('x') / 'y'
with p.open() as f:  # <- locale
    pass
""",
    "setlocale": """\
import locale
locale.setlocale(locale.LC_ALL, '')  # <- locale
x = locale.atof('1,5')  # <- locale
""",
    "month_name": """\
import datetime
d = datetime.datetime.strptime('2 mai 2020', '%d %b %Y')  # <- locale
""",
    "as_completed": """
from concurrent.futures import ThreadPoolExecutor, as_completed
def main(work, rows):
    with ThreadPoolExecutor() as pool:
        for done in as_completed([pool.submit(work, row) for row in rows]):  # <- thread-order
            print(done.result())
""",
    "imap_unordered": """\
def f(pool, work, rows):
    return list(pool.imap_unordered(work, rows))  # <- thread-order
""",
    "thread_that_appends": """
import threading
rows = []
def work(n):
    rows.append(n)
for n in range(4):
    threading.Thread(target=work, args=(n,)).start()  # <- thread-order
""",
    "pool_that_appends": """
from concurrent.futures import ThreadPoolExecutor
def main(names):
    rows = []
    pool = ThreadPoolExecutor()
    for name in names:
        pool.submit(lambda: rows.append(name))  # <- thread-order
""",
    "pool_that_calls_what_appends": """
from concurrent.futures import ThreadPoolExecutor
rows = []
def keep(row):
    rows.append(row)
def work(name):
    keep(name.upper())
def main(names):
    with ThreadPoolExecutor(4) as pool:
        pool.map(work, names)  # <- thread-order
    return rows
""",
    "pool_given_to_a_function": """
from concurrent.futures import Executor
from functools import partial
def main(pool: Executor, names, out):
    def work(mark, name):
        out.writerow([mark, name])
    for name in names:
        pool.submit(partial(work, "x"), name)  # <- thread-order
""",
    "thread_that_appends_to_a_file": """
from threading import Thread
def work(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)
Thread(None, work, args=("out.txt", "a")).start()  # <- thread-order
""",
    "pool_that_prints_to_a_file": """
import multiprocessing.pool
def main(names, out):
    def work(name):
        print(name, file=out)
    with multiprocessing.pool.ThreadPool(4) as pool:
        pool.map(work, names)  # <- thread-order
""",
    "thread_that_adds_keys": """
import asyncio
found = {}
def work(name):
    found[name] = len(name)
async def main(names):
    await asyncio.gather(*(asyncio.to_thread(work, name) for name in names))  # <- thread-order
    return list(found)
""",
    "float32_sum": """\
import numpy as np
x = np.ones(9, dtype=np.float32)
y = x.sum()  # <- float-sum
""",
    "float32_astype": """\
import numpy as np
def f(v):
    return np.mean(v.astype('float32'))  # <- float-sum
""",
    "float32_total": """\
import numpy as np
def f(v):
    return np.sum(v, dtype=np.float32)  # <- float-sum
""",
    "cpu_count": "import os\nparts = os.cpu_count()  # <- cpu-count\n",
    "multiprocessing": """\
from multiprocessing import cpu_count as n
parts = n() * 2  # <- cpu-count
""",
    "host_name": "import socket\nname = socket.gethostname()  # <- host\n",
    "platform": "import platform\nname = platform.release()  # <- host\n",
    "user": """\
import getpass, os
a = getpass.getuser()  # <- host
b = os.getuid()  # <- host
""",
    "meminfo": "text = open('/proc/meminfo', encoding='ascii').read()  # <- host\n",
    "variable": """\
import os
a = os.environ['EDITOR']  # <- environment-variable
b = os.getenv('LANGUAGE')  # <- environment-variable
""",
    "all_variables": """\
import os
for k in os.environ:  # <- environment-variable
    print(k)
""",
    "variable_alias": """\
from os import environ
x = environ.get('DEBUG', '0')  # <- environment-variable
""",
    "getcwd": """\
import os
from pathlib import Path
a = os.getcwd()  # <- place
b = Path.cwd()  # <- place
""",
    "mtime": """\
import os
a = os.path.getmtime('x')  # <- file-metadata
b = os.stat('x').st_mode  # <- file-metadata
""",
    "gzip": """\
import gzip
x = gzip.compress(b'')  # <- archive-times
f = gzip.open('x.gz', 'wb')  # <- archive-times
""",
    "zip": """\
import zipfile
with zipfile.ZipFile('x.zip', 'w') as z:
    z.writestr('a.txt', b'')  # <- archive-times
""",
    "subprocess": """\
import subprocess
subprocess.run(['date'])  # <- clock
subprocess.run('find . | head', shell=True)  # <- unordered-listing
""",
    "os_system": "import os\nos.system('curl https://example.invalid/')  # <- network\n",
    "sql_in_python": '''
import duckdb
con = duckdb.connect()
rows = con.execute("""
    SELECT DISTINCT name
    FROM places
    LIMIT 10  -- <- unordered-pick
""").fetchall()
''',
    "sql_in_f_string": """
import duckdb
def f(table):
    return duckdb.sql(
        f"SELECT name, random() AS r "  # <- unseeded-random
        f"FROM {table} "
        "WHERE made < now()"  # <- clock
    ).fetchall()
""",
    "sql_by_name": '''
import duckdb
QUERY = """
SELECT kind, first(name) AS name  -- <- unordered-pick
FROM places GROUP BY kind ORDER BY kind
"""
print(duckdb.query(QUERY))
''',
    "sql_result": """\
import duckdb
x = duckdb.sql('SELECT DISTINCT a FROM t').fetchall()  # <- unordered-rows
""",
    "sql_format": """
def f(con, name):
    return con.execute("SELECT sum(v::DOUBLE) FROM {}".format(name)).fetchone()  # <- float-sum
""",
    "sql_added": """
def f(con, name):
    sql = "SELECT a FROM t JOIN u USING (a) " + "LIMIT 5"  # <- unordered-pick
    return con.execute(sql).fetchall()
""",
    "insertion_order": """
import duckdb
con = duckdb.connect(config={"preserve_insertion_order": False})  # <- insertion-order
con.execute("SET preserve_insertion_order = false")  # <- insertion-order
""",
}

GOOD = {
    "groups_of_polars_in_order": """\
import polars as pl

t = pl.read_parquet("x.parquet")
t.group_by("a", maintain_order=True).agg(pl.len()).write_parquet("y.parquet")
t.group_by("a").agg(pl.len()).sort("a").write_parquet("y.parquet")
u = t.unique(subset="a").select("a")
u.sort("a").write_parquet("y.parquet")
t.unique(subset="a", maintain_order=True).write_parquet("y.parquet")
""",
    "groups_of_others": "t.group_by('a')\n",
    "sorted_glob": """\
import glob
for name in sorted(glob.glob("*.csv")):
    print(name)
""",
    "sorted_generator": """\
from pathlib import Path
x = sorted(p.name for p in Path('x').iterdir() if p.is_file())
""",
    "sorted_later": """\
import os
names = os.listdir('.')
names.sort()
print(names[0])
""",
    "sorted_into_same_name": """\
import os
names = os.listdir('.')
names = sorted(names)
print(names[0])
""",
    "appended_then_sorted": """
from pathlib import Path
rows = []
for path in Path("x").rglob("*.csv"):
    rows.append(path.name)
rows.sort()
print(rows)
""",
    "listing_for_membership": """\
import os
if 'a.csv' in os.listdir('.') and len(os.listdir('.')) == 1:
    pass
""",
    "the_only_one": "from pathlib import Path\n(source,) = Path('x').glob('*.csv')\n",
    "lookup_table": """
from pathlib import Path
by_name = {p.stem: p for p in Path("x").glob("*.csv")}
print(by_name["a"], len(by_name))
""",
    "sorted_by_caller": """
from pathlib import Path
def files(folder):
    return folder.glob("*.csv")
for path in sorted(files(Path("x"))):
    print(path)
""",
    "sorted_walk": """
import os
for folder, folders, files in os.walk("x"):
    folders.sort()
    for name in sorted(files):
        print(name)
""",
    "members_of_archive": """\
import zipfile
for n in zipfile.ZipFile('x.zip').namelist():
    print(n)
""",
    "set_for_membership": "KNOWN = {'a', 'b'}\nprint('a' in KNOWN, len(KNOWN), KNOWN <= {'a'})\n",
    "set_sorted": """\
names = set('hello')
print(sorted(names), max(names), ','.join(sorted(names)))
""",
    "set_to_set": "a = {x + 1 for x in {1, 2}}\nb = any(x > 1 for x in a)\n",
    "set_in_error": """\
names = {'a'}
if names:
    raise SystemExit(f'unknown: {names}')
""",
    "set_only_checked": """
def f(names: set[str], known: dict[str, int]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(name)
""",
    "set_becomes_list": """\
names = {'b', 'a'}
names = sorted(names)
for n in names:
    print(n)
""",
    "dict_keys": """\
table = {'b': 1, 'a': 2}
for k in table.keys():
    print(k)
x = list(table)
""",
    "dict_fromkeys": "x = list(dict.fromkeys(['b', 'a', 'b']))\n",
    "own_hash": """\
class P:
    def __hash__(self):
        return hash((1, 2))
""",
    "own_id": """\
def f(row):
    id = row['id']
    return sorted([id], key=str)
""",
    "own_time": """\
class T:
    def time(self):
        return 1
x = T().time()
""",
    "parameter_named_time": "def f(time):\n    return time.time()\n",
    "epoch": """
import os
from datetime import datetime, UTC
epoch = int(os.environ["SOURCE_DATE_EPOCH"])
a = datetime.fromtimestamp(epoch, tz=UTC)
b = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]))
c = datetime.fromtimestamp(epoch)
""",
    "epoch_fallback": """\
import os, time
x = int(os.environ.get('SOURCE_DATE_EPOCH', time.time()))
""",
    "durations": """\
import time
start = time.perf_counter()
print(f'took {time.perf_counter() - start}')
""",
    "date_of_data": """\
import datetime
d = datetime.date.fromisoformat('2020-01-02')
x = d.strftime('%Y-%m-%d')
""",
    "seeded": """\
import random
import numpy as np
random.seed(1)
a = random.random()
r = np.random.default_rng(1)
b = r.random(3)
""",
    "seeded_generator": """\
import random
rng = random.Random(5)
x = rng.sample(range(9), 3)
y = rng.sample([1])
""",
    "seeded_sample": "def f(frame):\n    return frame.sample(n=10, random_state=1)\n",
    "uuid5": "import uuid\nx = uuid.uuid5(uuid.NAMESPACE_URL, 'https://example.invalid/1')\n",
    "url_as_text": """\
NAMESPACE = 'http://www.opengis.net/gml'
x = {'a': NAMESPACE}
print(NAMESPACE)
""",
    "url_parsing": """\
from urllib.parse import urlsplit
x = urlsplit('https://example.invalid/').path
""",
    "with_encoding": """\
from pathlib import Path
a = open('x', encoding='utf-8').read()
b = Path('x').read_text('cp1252')
""",
    "binary": "a = open('x', 'rb').read()\nb = open('x', mode='wb')\n",
    "numbers_of_months": """\
import datetime
d = datetime.datetime.strptime('2020-05-02', '%Y-%m-%d')
""",
    "pool_map": """
from concurrent.futures import ThreadPoolExecutor
def work(n):
    rows = []
    rows.append(n)
    return rows
with ThreadPoolExecutor() as pool:
    print(list(pool.map(work, range(4))))
""",
    "sum_of_ints": """\
import numpy as np
a = sum(len(x) for x in 'abc')
b = np.array([1, 2], dtype='int32').sum()
c = np.ones(3).sum()
""",
    "contract_variables": """\
import os
a = os.environ['D4C_SOURCES']
b = os.getenv('TZ')
os.environ['OMP_NUM_THREADS'] = '1'
""",
    "environment_of_child": """\
import os, subprocess
subprocess.run(['true'], env={**os.environ, 'A': 'b'})
""",
    "size": "import os\nx = os.path.getsize('x') + os.stat('x').st_size\n",
    "place_of_code": "from pathlib import Path\nTABLE = Path(__file__).parent / 'table.csv'\n",
    "gzip_without_time": """\
import gzip
x = gzip.compress(b'', mtime=0)
y = gzip.open('x.gz', 'rb')
""",
    "zip_with_info": """\
import zipfile
with zipfile.ZipFile('x.zip', 'w') as z:
    z.writestr(zipfile.ZipInfo('a'), b'')
""",
    "sql_ordered": """\
import duckdb
x = duckdb.sql('SELECT DISTINCT a FROM t ORDER BY a LIMIT 3').fetchall()
""",
    "sql_sorted_after": """\
def f(con):
    return sorted(con.execute('SELECT DISTINCT a FROM t').fetchall())
""",
    "sql_relation_ordered": """\
import duckdb
x = duckdb.sql('SELECT DISTINCT a FROM t').order('a').fetchall()
""",
    "sql_relation_used": """
import duckdb
kinds = duckdb.sql("SELECT kind, count(*) AS n FROM t GROUP BY kind")
print(duckdb.sql("SELECT * FROM kinds ORDER BY kind"))
""",
    "sql_one_thread": """
import duckdb
con = duckdb.connect(config={"threads": 1})
x = con.execute("SELECT sum(v::DOUBLE) FROM t").fetchone()
""",
    "query_of_frame": "def f(frame):\n    return frame.query('a > 1 and b < now')\n",
    "subprocess_sorted": "import subprocess\nsubprocess.run('find . | sort | head', shell=True)\n",
    "pool_with_a_file_for_each": """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
def work(path):
    rows = []
    rows.append(path.name)
    with Path(f"{path}.txt").open("w", encoding="utf-8") as file:
        file.writelines(rows)
        print("end", file=file)
    return rows
def main(paths):
    with ThreadPoolExecutor() as pool:
        return list(pool.map(work, paths))
""",
    "pool_that_appends_and_sorts": """
from concurrent.futures import ThreadPoolExecutor
def main(names):
    rows = []
    def work(name):
        rows.append(name)
    with ThreadPoolExecutor() as pool:
        pool.map(work, names)
    return sorted(rows)
""",
    "thread_that_appends_and_sorts": """
import threading
def main(names):
    rows = []
    threads = [threading.Thread(target=lambda: rows.append(name)) for name in names]
    for thread in threads:
        thread.start()
    rows.sort()
    return rows
""",
    "pool_that_fills_places": """
from concurrent.futures import ThreadPoolExecutor
def main(names):
    found = [None] * len(names)
    sizes = {}
    def work(place):
        found[place] = names[place].upper()
        sizes[names[place]] = place
    with ThreadPoolExecutor() as pool:
        pool.map(work, range(len(names)))
    return found, [sizes[name] for name in names]
""",
    "map_of_something_else": """
rows = []
def work(frame):
    return frame.column.map(rows.append), map(rows.append, frame)
""",
    "word_in_text": "print('time.time() and glob.glob() are not called here: uuid4(), now()')\n",
}
