"""Many threads with a connection each write to one SQLite database, in WAL mode: they wait for each other's locks."""

import sqlite3
import sys
import threading

path, writers, each = sys.argv[1], 32, 15
setup = sqlite3.connect(path)
setup.execute("pragma journal_mode=wal")
setup.execute("create table entry(id integer primary key, writer int, number int)")
setup.execute("create table counter(id integer primary key, value int)")
setup.executemany("insert into counter values(?, 0)", [(i,) for i in range(5)])
setup.commit()
setup.close()
failures = []


def write(writer):
    try:
        connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        connection.execute("pragma synchronous=normal")
        for number in range(each):
            connection.execute("begin immediate")
            connection.execute("insert into entry(writer, number) values(?, ?)", (writer, number))
            connection.execute("update counter set value = value + 1 where id = ?", (number % 5,))
            connection.execute("commit")
        connection.close()
    except sqlite3.Error as error:
        failures.append(repr(error))


threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
after = sqlite3.connect(path)
print(after.execute("select count(*), count(distinct writer), sum(number) from entry").fetchall())
print(after.execute("select value from counter").fetchall(), after.execute("pragma integrity_check").fetchall(), failures)
