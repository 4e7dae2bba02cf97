"""Python's threads, each with a result that does not depend on the order of threads."""

import concurrent.futures
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


def locks():
    total, lock = 0, threading.Lock()

    def add(n):
        nonlocal total
        for _ in range(100):
            with lock:
                total += n

    threads = [threading.Thread(target=add, args=(n,)) for n in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total


def queues():
    """Three stages of four threads each, with little room between them."""
    first, second, third = (queue.Queue(maxsize=3) for _ in range(3))

    def stage(source, sink, change):
        while (item := source.get()) is not None:
            sink.put(change(item))
        source.put(None)

    steps = [(first, second, lambda n: n + 1), (second, third, lambda n: n * n)]
    groups = [[threading.Thread(target=stage, args=step) for _ in range(4)] for step in steps]
    total = 0

    def collect():
        nonlocal total
        while (item := third.get()) is not None:
            total += item

    collector = threading.Thread(target=collect)
    collector.start()
    for group in groups:
        for thread in group:
            thread.start()
    for n in range(2000):
        first.put(n)
    for (source, _, _), group in zip(steps, groups):
        source.put(None)
        for thread in group:
            thread.join()
    third.put(None)
    collector.join()
    return total


def pool():
    def work(n):
        time.sleep(0.001 * (n % 5))
        if n == 77:
            raise ValueError(f"no {n}")
        return n * n

    with concurrent.futures.ThreadPoolExecutor(20) as executor:
        futures = [executor.submit(work, n) for n in range(200)]
        done, pending = concurrent.futures.wait(futures)
        errors = [str(future.exception()) for future in futures if future.exception()]
        total = sum(future.result() for future in done if not future.exception())
    return total, len(pending), errors


def together():
    """Barriers, semaphores, events and conditions."""
    barrier, slots, started = threading.Barrier(10), threading.BoundedSemaphore(3), threading.Event()
    inside, most, lock, leaders = 0, 0, threading.Lock(), 0

    def take_part():
        nonlocal inside, most, leaders
        started.wait()
        for _ in range(5):
            with slots:
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.001)
                with lock:
                    inside -= 1
            if barrier.wait() == 0:
                with lock:
                    leaders += 1

    threads = [threading.Thread(target=take_part) for _ in range(10)]
    for thread in threads:
        thread.start()
    started.set()
    for thread in threads:
        thread.join()
    return most <= 3, leaders


def timeouts():
    began = time.monotonic()
    seen = [threading.Lock().acquire(timeout=0.02)]
    held = threading.Lock()
    with held:
        seen.append(held.acquire(timeout=0.02))
    seen.append(threading.Event().wait(0.02))
    condition = threading.Condition()
    with condition:
        seen.append(condition.wait(0.02))
    try:
        queue.Queue().get(timeout=0.02)
    except queue.Empty:
        seen.append("empty")
    sleeper = threading.Thread(target=time.sleep, args=(0.3,))
    sleeper.start()
    sleeper.join(0.02)
    seen.append(sleeper.is_alive())
    sleeper.join()
    return seen, time.monotonic() - began >= 0.38


def in_order():
    """Whoever sleeps less is there first."""
    order, lock = [], threading.Lock()

    def sleep(n):
        time.sleep(0.05 * n)
        with lock:
            order.append(n)

    threads = [threading.Thread(target=sleep, args=(n,)) for n in (4, 1, 3, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return order


def children():
    """Each thread runs a child that reads more than a pipe holds, and answers with it."""
    code = "import sys; data = sys.stdin.read(); print(len(data)); sys.exit(len(data) % 7)"

    def run(n):
        done = subprocess.run([sys.executable, "-c", code], input="x" * (100_000 + n), capture_output=True, text=True)
        return int(done.stdout), done.returncode, done.stderr

    with concurrent.futures.ThreadPoolExecutor(6) as executor:
        results = list(executor.map(run, range(12)))
    slow = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        slow.wait(timeout=0.05)
    except subprocess.TimeoutExpired:
        slow.send_signal(signal.SIGTERM)
    return results, slow.wait()


def sockets():
    """An echo server with a thread a connection, and as many clients."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve():
        for _ in range(50):
            connection, _ = listener.accept()
            threading.Thread(target=echo, args=(connection,)).start()

    def echo(connection):
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    def client(n):
        with socket.create_connection(listener.getsockname()) as connection:
            message = bytes([n]) * 50_000
            sender = threading.Thread(target=connection.sendall, args=(message,))
            sender.start()
            answer = b""
            while len(answer) < len(message):
                answer += connection.recv(65536)
            sender.join()
            return answer == message

    server = threading.Thread(target=serve)
    server.start()
    with concurrent.futures.ThreadPoolExecutor(50) as executor:
        right = sum(executor.map(client, range(50)))
    server.join()
    listener.close()
    quiet, other = socket.socketpair()
    with quiet, other:
        quiet.settimeout(0.02)
        try:
            quiet.recv(1)
        except TimeoutError as error:
            return right, str(error)


def files():
    """Threads that write and read files while others do the same."""

    def write_and_read(n):
        with tempfile.TemporaryFile("w+") as file:
            for line in range(500):
                print(n, line, file=file)
            file.flush()
            file.seek(0)
            return sum(int(line.split()[1]) for line in file)

    with concurrent.futures.ThreadPoolExecutor(8) as executor:
        return sum(executor.map(write_and_read, range(16)))


def own():
    """Thread-local values, names and the traces of exceptions stay with their thread."""
    local, results = threading.local(), {}

    def use(n):
        local.value = n
        time.sleep(0.001)
        results[threading.current_thread().name] = local.value

    threads = [threading.Thread(target=use, args=(n,), name=f"t{n}") for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    idents = {thread.native_id for thread in threads}
    return all(results[f"t{n}"] == n for n in range(50)), hasattr(local, "value"), None in idents


for part in (locks, queues, pool, together, timeouts, in_order, children, sockets, files, own):
    print(f"{part.__name__}: {part()}", flush=True)
