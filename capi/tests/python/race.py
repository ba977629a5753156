"""Several processes take one code to one database at once: exactly one may be let in.

`race.py LIBRARY atomic` holds the library to that; with `naive` the store writes without comparing,
and the race has to show it. In every round all processes load before any of them writes.
"""

import ctypes
import multiprocessing
import os
import sqlite3
import sys
import tempfile

from keyfob import LOAD_FOUND, LOAD_NOTHING, OK, REPLAYED, SWAP_CONFLICT, SWAP_STORED, WRITE_INSERT, Keyfob

PROCESSES, ROUNDS = 4, 25
NOON, PERIOD_SECONDS = 1_800_000_000, 30

SWAP = "UPDATE registrations SET revision = ?, record = ? WHERE revision = ?"
OVERWRITE = "UPDATE registrations SET revision = ?, record = ? WHERE ? IS NOT NULL"


class Database:
    """One row; SQLite's integers are signed, so the revision is kept as bytes."""

    def __init__(self, path, naive):
        self.connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("CREATE TABLE IF NOT EXISTS registrations (revision BLOB, record BLOB)")
        self.swap = OVERWRITE if naive else SWAP
        self.after_loading = lambda: None

    def load(self, _context, _id, record):
        row = self.connection.execute("SELECT revision, record FROM registrations").fetchone()
        self.after_loading()
        if row is None:
            return LOAD_NOTHING
        record[0].revision = int.from_bytes(row[0], "big")
        record[0].length = len(row[1])
        ctypes.memmove(record[0].bytes, row[1], len(row[1]))
        return LOAD_FOUND

    def compare_and_swap(self, _context, _id, write):
        following = write[0].next
        values = [following.revision.to_bytes(8, "big"), bytes(following.bytes[: following.length])]
        if write[0].kind == WRITE_INSERT:
            self.connection.execute("INSERT INTO registrations VALUES (?, ?)", values)
            return SWAP_STORED
        values.append(write[0].expected_revision.to_bytes(8, "big"))
        return SWAP_STORED if self.connection.execute(self.swap, values).rowcount == 1 else SWAP_CONFLICT


def wait_once(barrier):
    """Waits for the others the first time that it is called."""
    waits = iter([barrier.wait])
    return lambda: next(waits, int)()


def take_part(library, path, naive, codes, barrier, results):
    database = Database(path, naive)
    keyfob = Keyfob(library, database.load, database.compare_and_swap)
    for now, code in codes:
        database.after_loading = wait_once(barrier)
        results.put((now, keyfob.authenticate(code, now)))
        barrier.wait()


def race(library, naive, directory):
    path = os.path.join(directory, "registrations.sqlite")
    database = Database(path, naive)
    keyfob = Keyfob(library, database.load, database.compare_and_swap)
    secret = keyfob.create(NOON)
    times = [NOON + PERIOD_SECONDS * index for index in range(ROUNDS)]
    codes = [(now, keyfob.code(secret, now)) for now in times]

    barrier, results = multiprocessing.Barrier(PROCESSES, timeout=60), multiprocessing.Queue()
    arguments = library, path, naive, codes, barrier, results
    processes = [multiprocessing.Process(target=take_part, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    told = [results.get(timeout=60) for _ in range(PROCESSES * ROUNDS)]
    for process in processes:
        process.join()
    return [[status for at, status in told if at == now] for now in times]


def main():
    library, store = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        rounds = race(library, store == "naive", directory)
    for statuses in rounds:
        if statuses.count(OK) != 1:
            sys.exit(f"{statuses.count(OK)} were let in with one code")
        if statuses.count(REPLAYED) != PROCESSES - 1:
            sys.exit(f"the others were told {statuses}")


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
