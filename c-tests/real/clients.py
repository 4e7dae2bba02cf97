"""Client libraries used from many threads: libcurl against a web server, libpq against PostgreSQL. The servers run natively."""

import os
import pwd
from pathlib import Path

from harness import HERE, NATIVE, PYTHON, Skip, built, test

CURL = "/usr/lib/x86_64-linux-gnu/libcurl.so.4"
PQ = "/usr/lib/x86_64-linux-gnu/libpq.so.5"


@test("clients/libcurl", needs=[CURL], weight=8)
def libcurl(run):
    """100 threads and libcurl's own, which resolve names."""
    with run.start(PYTHON, HERE / "http_server.py", mode=NATIVE) as server:
        port = server.expect(r"port (\d+)")[1]
        client = run.run(built("curl_threads.c", f"-l:{Path(CURL).name}"), f"http://localhost:{port}/", 100, 6, limit=60)
        server.stop()
    return client.seen()


def postgres():
    """Where PostgreSQL's programs are, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: -int(p.parts[-3]))
    if not found:
        raise Skip("needs postgresql")
    return found[0].parent


@test("clients/libpq", needs=[PQ], weight=20)
def libpq(run):
    """50 connections at once, by a Unix socket and by TCP."""
    programs = postgres()
    data = run.directory / "data"
    data.mkdir(mode=0o700)
    user = []
    if os.geteuid() == 0:
        # The server refuses to run as root.
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            raise Skip("needs a user named postgres") from None
        run.directory.chmod(0o711)
        os.chown(data, owner.pw_uid, owner.pw_gid)
        user = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    made = ("-D", data, "-U", "tester", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8")
    run.run(*user, programs / "initdb", *made, mode=NATIVE, limit=60).must()
    seen = []
    for host in (str(data), "127.0.0.1"):
        options = {"listen_addresses": "", "port": 5432} if host != "127.0.0.1" else {"listen_addresses": host, "port": free_port()}
        options |= {"unix_socket_directories": data, "fsync": "off", "max_connections": 80}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with run.start(*user, programs / "postgres", "-D", data, *words, mode=NATIVE) as server:
            server.expect("ready to accept connections", 30)
            database = "postgres" if host == str(data) else "template1"
            where = f"host={host} port={options['port']} user=tester dbname={database}"
            client = run.run(built("libpq_threads.c", f"-l:{Path(PQ).name}"), where, 50, 20, limit=60)
            seen.append(client.seen())
            # SIGINT: at once, in order.
            server.stop(20, by=2)
    return "\n".join(seen)


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
