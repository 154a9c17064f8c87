"""The yardstick of `cargo xtask bench put`: one row after the other with Python's sqlite3, a log and FULL.

    python put.py DIR BYTES [PAGE_BYTES]

Obeys `round N` on its input and answers like agent/store/benches/put.rs: nanoseconds, bytes towards the disk, bytes to the
kernel. A row is one text of BYTES in a table without an index; everything else is as SQLite has it by default.
"""

import sqlite3
import sys
import time
from pathlib import Path


def written():
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["write_bytes"]), int(counts["wchar"])


def main():
    folder, size_bytes = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    connection = sqlite3.connect(folder / "records.sqlite", isolation_level=None)
    if len(sys.argv) > 3:
        connection.execute(f"PRAGMA page_size = {int(sys.argv[3])}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, record TEXT NOT NULL)")
    record = ("the camera does not answer; " * (size_bytes // 28 + 1))[:size_bytes]
    print(f"ready {sqlite3.sqlite_version}", flush=True)
    for line in sys.stdin:
        puts = int(line.split()[1])
        before = written()
        started = time.perf_counter_ns()
        for _ in range(puts):
            connection.execute("INSERT INTO records (record) VALUES (?)", (record,))
        took_ns = time.perf_counter_ns() - started
        after = written()
        print(took_ns, after[0] - before[0], after[1] - before[1], flush=True)


if __name__ == "__main__":
    main()
