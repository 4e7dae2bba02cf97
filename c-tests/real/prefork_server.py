"""A pre-fork server: a parent that listens, workers of several threads that accept and answer, and an orderly end."""

import os
import signal
import socket
import sys
import threading

WORKERS, THREADS, CLIENTS, REQUESTS = 3, 4, 8, 25


def serve(listener, ready):
    """A worker: its threads accept on the same socket; SIGTERM ends it with status 3."""
    # No Event: the handler may interrupt the main thread within its lock.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(3))

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    lines.write(f"{line.strip()[::-1]}\n")
                    lines.flush()

    for _ in range(THREADS):
        threading.Thread(target=accept, daemon=True).start()
    os.write(ready, b"!")
    while True:
        signal.pause()


def new_worker(listener):
    """Gives its process id, once it has its handler."""
    begun, ready = os.pipe()
    child = os.fork()
    if child == 0:
        serve(listener, ready)
    os.read(begun, 1)
    os.close(begun)
    os.close(ready)
    return child


def ask(port, number, wrong):
    for i in range(REQUESTS):
        with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rw") as lines:
            word = f"request-{number}-{i}"
            lines.write(word + "\n")
            lines.flush()
            if lines.readline() != word[::-1] + "\n":
                wrong.append(word)


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    # The parent has had threads before it forks, as servers with a logger or a pool have.
    first = threading.Thread(target=lambda: None)
    first.start()
    first.join()
    workers = [new_worker(listener) for _ in range(WORKERS)]
    wrong = []
    clients = [threading.Thread(target=ask, args=(port, n, wrong)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    # One of them dies, and is replaced, as such servers do.
    os.kill(workers[0], signal.SIGKILL)
    _, status = os.waitpid(workers[0], 0)
    print("killed by", os.WTERMSIG(status))
    workers[0] = new_worker(listener)
    again = [threading.Thread(target=ask, args=(port, n, wrong)) for n in range(CLIENTS)]
    for client in again:
        client.start()
    for client in again:
        client.join()
    for worker in workers:
        os.kill(worker, signal.SIGTERM)
        _, status = os.waitpid(worker, 0)
        print("worker ended with", os.waitstatus_to_exitcode(status))
    print("wrong answers:", wrong)


sys.exit(main())
