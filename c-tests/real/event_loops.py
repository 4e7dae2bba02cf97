"""Servers built on an event loop, with threads beside it, under load from clients that run natively."""

import hashlib
import re
import signal
import socket
import threading
import time

from harness import NATIVE, Failure, free_port, test


def reachable(port, server, seconds=15):
    """Waits until somebody accepts connections on the port."""
    until = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            if server.process.poll() is not None or time.monotonic() > until:
                raise Failure(f"it does not listen\n{server.output()}") from None
            time.sleep(0.05)


def get(port, path):
    """The status and the body of a web page."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@test("loop/nginx", needs=["nginx", "wrk"], weight=14)
def nginx(run):
    """Two worker processes, files read by a pool of threads, a reload under load, a graceful end."""
    port, here = free_port(), run.directory
    (here / "www").mkdir()
    big = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(8000))
    (here / "www" / "big").write_bytes(big)
    (here / "www" / "small").write_bytes(b"hello\n")
    temporary = " ".join(f"{kind}_temp_path {here}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    configuration = here / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 2; pid {here}/nginx.pid; error_log {here}/error.log info; user root;\n"
        f"thread_pool default threads=4;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; {temporary} aio threads; sendfile off; output_buffers 2 16k;\n"
        f"server {{ listen 127.0.0.1:{port}; root {here}/www; }} }}\n"
    )
    here.chmod(0o755)
    with run.start("nginx", "-e", here / "error.log", "-c", configuration, "-p", here) as server:
        reachable(port, server).close()
        seen = [get(port, "/small"), get(port, "/nothing")[0], get(port, "/big") == (200, big)]
        load = run.start("wrk", "-t1", "-c32", "-d1s", f"http://127.0.0.1:{port}/big", mode=NATIVE)
        time.sleep(0.4)
        run.run("nginx", "-e", here / "error.log", "-c", configuration, "-p", here, "-s", "reload", mode=NATIVE).must()
        with load:
            wrk = load.wait(30).must()
        seen.append(get(port, "/big") == (200, big))
        finished = server.stop(by=signal.SIGQUIT)
    requests = int(re.search(r"(\d+) requests in", wrk.out)[1])
    run.note = f"{requests} requests"
    # A reload may end connections that are kept alive; an answer that is not the right one it may not give.
    errors = re.findall(r"Non-2xx.*|read \d+|timeout \d+", wrk.out)
    bad = [e for e in errors if not e.endswith(" 0") and not e.startswith("read")]
    log = [line for line in (here / "error.log").read_text().splitlines() if re.search(r"\[(alert|emerg|crit)\]|signal 11", line)]
    return f"{seen}\n{requests > 0}\n{bad}\n{log}\n{finished.seen()}"


@test("loop/redis", needs=["redis-server", "redis-benchmark", "redis-cli"], weight=14)
def redis(run):
    """Threads for I/O and for slow work (an append-only file, lazy frees) beside the loop; its own load tool."""
    port = free_port()
    server = run.start(
        *("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--io-threads", "2", "--io-threads-do-reads", "yes", "--lazyfree-lazy-user-del", "yes", "--dir", run.directory),
    )

    def client(*words):
        return run.run("redis-cli", "-p", port, *words, mode=NATIVE, limit=30).must().out.strip()

    with server:
        reachable(port, server).close()
        load = run.run(
            *("redis-benchmark", "-p", port, "-n", "3000", "-c", "20", "-P", "4", "--csv", "-t", "set,get,lpush,lrange_100"),
            mode=NATIVE,
            limit=90,
        ).must()
        seen = [re.match(r'"[^"]*"', line)[0] for line in load.out.splitlines()]
        seen.append(client("eval", "for i = 1, 5000 do redis.call('rpush', 'list', i) end return redis.call('llen', 'list')", "0"))
        seen.append(client("del", "list"))
        seen.append(client("bgrewriteaof"))
        until = time.monotonic() + 20
        while "aof_rewrite_in_progress:0" not in client("info", "persistence") and time.monotonic() < until:
            time.sleep(0.1)
        information = client("info", "persistence")
        seen += re.findall(r"aof_last_bgrewrite_status:\w+|aof_last_write_status:\w+", information)
        run.run("redis-cli", "-p", port, "shutdown", "nosave", mode=NATIVE, limit=30)
        finished = server.wait(20)
    return "\n".join([*seen, f"status {finished.status}"])


@test("loop/memcached", needs=["memcached"], weight=10)
def memcached(run):
    """Four threads with an event loop each; 24 clients that set, get, add and count at once."""
    port = free_port()
    server = run.start("memcached", "-u", "root", "-p", str(port), "-U", "0", "-l", "127.0.0.1", "-t", "4", "-m", "32")
    wrong = []

    def client(number):
        with reachable(port, server) as connection, connection.makefile("rwb") as stream:

            def ask(request, lines):
                stream.write(request)
                stream.flush()
                return [stream.readline() for _ in range(lines)]

            for i in range(60):
                value = hashlib.sha256(b"%d %d" % (number, i)).hexdigest().encode() * (1 + i % 40)
                key = b"k%d.%d" % (number, i % 7)
                stored = ask(b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value), 1)
                got = ask(b"get %s\r\n" % key, 3)
                counted = ask(b"incr all 1\r\n", 1)
                if stored != [b"STORED\r\n"] or got[1] != value + b"\r\n" or not counted[0].strip().isdigit():
                    wrong.append((number, i, stored, got[:1], counted))

    with server:
        with reachable(port, server) as first:
            first.sendall(b"set all 0 0 1\r\n0\r\n")
            if first.recv(100) != b"STORED\r\n":
                raise Failure("the first set was not stored")
        threads = [threading.Thread(target=client, args=(i,)) for i in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        with reachable(port, server) as last:
            last.sendall(b"get all\r\n")
            total = last.recv(100)
        finished = server.stop()
    return f"{wrong[:3]}\n{total}\n{finished.seen()}"


NODE = """
const fs = require('fs'), http = require('http'), crypto = require('crypto'), path = require('path');
const file = path.join(process.argv[2], 'data');
fs.writeFileSync(file, Buffer.alloc(300000, 'libcoop'));
const digest = data => crypto.createHash('sha256').update(data).digest('hex').slice(0, 12);
let left = 120;
const seen = new Map();
const server = http.createServer((request, response) => {
  // The pool's threads read, and derive a key.
  fs.readFile(file, (error, data) => crypto.pbkdf2('a', 'b', 50, 16, 'sha256', () => response.end(error ? 'error' : data)));
}).listen(0, '127.0.0.1', () => {
  const one = () => http.get({port: server.address().port, agent: false}, response => {
    const parts = [];
    response.on('data', part => parts.push(part));
    response.on('end', () => {
      const what = digest(Buffer.concat(parts));
      seen.set(what, (seen.get(what) || 0) + 1);
      if (--left > 0) { if (left >= 12) one(); } else server.close(() => console.log([...seen]));
    });
  });
  for (let i = 0; i < 12; i++) one();
});
"""


@test("loop/node", needs=["node"], weight=8)
def node(run):
    """Node's loop and its pool of threads: a web server and its clients in one process."""
    script = run.directory / "server.js"
    script.write_text(NODE)
    return run.run("node", script, run.directory, limit=60).seen()
