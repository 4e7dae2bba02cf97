"""Processes that share an LMDB database, whose lock is a robust mutex, are killed one after the other while a thread of each writes: what
none of them committed is not there, and whoever comes next can write."""

import subprocess
import sys
import threading

import lmdb

path, times = sys.argv[1], 5


def write_for_ever(environment):
    transaction = environment.begin(write=True)
    transaction.put(b"lost", b"never committed")
    print("writing", flush=True)
    threading.Event().wait()


if len(sys.argv) == 3:
    environment = lmdb.open(path)
    threading.Thread(target=write_for_ever, args=(environment,), daemon=True).start()
    threading.Event().wait()

# Open all the time: LMDB makes its lock anew when nobody has the database open.
environment = lmdb.open(path)
with environment.begin(write=True) as transaction:
    transaction.put(b"count", b"0")
for number in range(times):
    writer = subprocess.Popen([sys.executable, __file__, path, "write"], stdout=subprocess.PIPE, text=True)
    print(writer.stdout.readline().strip(), end=" ")
    writer.kill()
    print(writer.wait(), end=" ")
    with environment.begin(write=True) as transaction:
        transaction.put(b"count", b"%d" % (int(transaction.get(b"count")) + 1))
        print(transaction.get(b"count"), transaction.get(b"lost"))
