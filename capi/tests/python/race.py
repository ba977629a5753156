"""Several processes register one person, then take one code, at one database at once: one may succeed.

`race.py LIBRARY atomic` holds the library to that; with `naive` the store writes without comparing,
and the race has to show it. In every round all processes load before any of them writes.
"""

import ctypes
import multiprocessing
import os
import sqlite3
import sys
import tempfile

from keyfob import LOAD_FOUND, LOAD_NOTHING, OK, REPLAYED, SWAP_CONFLICT, SWAP_STORED
from keyfob import WRITE_DELETE, WRITE_INSERT, WRITE_REPLACE, Keyfob

PROCESSES, ROUNDS = 4, 25
# The windows of two rounds have no step in common, so no code of one is a replay in the next.
NOON, ROUND_SECONDS = 1_800_000_000, 90

TABLE = "CREATE TABLE IF NOT EXISTS registrations (id TEXT PRIMARY KEY, revision BLOB, record BLOB)"
COMPARING = {
    WRITE_INSERT: "INSERT INTO registrations VALUES (:id, :next, :record) ON CONFLICT DO NOTHING",
    WRITE_REPLACE: "UPDATE registrations SET revision = :next, record = :record WHERE id = :id AND revision = :expected",
    WRITE_DELETE: "DELETE FROM registrations WHERE id = :id AND revision = :expected",
}
OVERWRITE = "INSERT OR REPLACE INTO registrations VALUES (:id, :next, :record)"
NAIVE = {WRITE_INSERT: OVERWRITE, WRITE_REPLACE: OVERWRITE}


class Database:
    """A row a registration; SQLite's integers are signed, so the revision is kept as bytes."""

    def __init__(self, path, naive):
        self.connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(TABLE)
        self.statements = NAIVE if naive else COMPARING
        self.after_loading = lambda: None
        self.swaps = []

    def load(self, _context, id, record):
        query = "SELECT revision, record FROM registrations WHERE id = ?"
        row = self.connection.execute(query, (ctypes.string_at(id).decode(),)).fetchone()
        self.after_loading()
        if row is None:
            return LOAD_NOTHING
        record[0].revision = int.from_bytes(row[0], "big")
        record[0].length = len(row[1])
        ctypes.memmove(record[0].bytes, row[1], len(row[1]))
        return LOAD_FOUND

    def compare_and_swap(self, _context, id, write):
        following = write[0].next
        values = {
            "id": ctypes.string_at(id).decode(),
            "expected": write[0].expected_revision.to_bytes(8, "big"),
            "next": following.revision.to_bytes(8, "big"),
            "record": bytes(following.bytes[: following.length]),
        }
        changed = self.connection.execute(self.statements[write[0].kind], values).rowcount
        self.swaps.append(SWAP_STORED if changed == 1 else SWAP_CONFLICT)
        return self.swaps[-1]


def wait_once(barrier):
    """Waits for the others the first time that it is called."""
    waits = iter([barrier.wait])
    return lambda: next(waits, int)()


class Race:
    """Processes that do the same at once, each with a connection of its own."""

    def __init__(self, library, path, naive):
        self.library, self.path, self.naive = library, path, naive
        self.barrier = multiprocessing.Barrier(PROCESSES, timeout=60)

    def open(self, person):
        database = Database(self.path, self.naive)
        return database, Keyfob(self.library, database.load, database.compare_and_swap, person)

    def open_with_the_others(self, person):
        """All of them load before any of them writes."""
        database, keyfob = self.open(person)
        database.after_loading = wait_once(self.barrier)
        return database, keyfob

    def run(self, part):
        """What each process says in each round: `part` gives one after the other."""
        results = multiprocessing.Queue()
        work = lambda: results.put(list(part()))
        processes = [multiprocessing.Process(target=work) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        told = [results.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        return zip(*told)

    def register(self):
        """In each round somebody new is registered by all: what the first swap of each came to."""
        for index in range(ROUNDS):
            database, keyfob = self.open_with_the_others(f"person {index}")
            keyfob.create(NOON)
            yield database.swaps[0]
            self.barrier.wait()

    def log_in(self, person, secret):
        """In each round all have the same new code: the status of each."""
        for now in range(NOON, NOON + ROUNDS * ROUND_SECONDS, ROUND_SECONDS):
            _, keyfob = self.open_with_the_others(person)
            yield keyfob.authenticate(keyfob.code(secret, now), now)
            self.barrier.wait()


def main():
    library, store = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        race = Race(library, os.path.join(directory, "registrations.sqlite"), store == "naive")
        race.open("nobody")[0].connection.close()  # makes the file: only one process at a time can
        for swaps in race.run(race.register):
            if (stored := swaps.count(SWAP_STORED)) != 1:
                print(f"{stored} were stored where there was none")
        database, alice = race.open("alice")
        secret = alice.create(NOON)
        for statuses in race.run(lambda: race.log_in("alice", secret)):
            if (let_in := statuses.count(OK)) != 1:
                print(f"{let_in} were let in with one code")
            elif statuses.count(REPLAYED) != PROCESSES - 1:
                print(f"the others were told {statuses}")
        if store == "atomic":
            alice.delete()
            rows = "SELECT COUNT(*) FROM registrations WHERE id = 'alice'"
            if database.connection.execute(rows).fetchone() != (0,):
                print("what was deleted is there")


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    main()
