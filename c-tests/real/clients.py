"""Client libraries used from many threads: libcurl against a web server, libpq against PostgreSQL, the NSS module of
systemd-resolved against a stand-in for that. The servers run natively."""

import os
import pwd
from pathlib import Path

from harness import HERE, NATIVE, PYTHON, ROOT, Failure, Skip, built, free_port, test

CURL = "/usr/lib/x86_64-linux-gnu/libcurl.so.4"
PQ = "/usr/lib/x86_64-linux-gnu/libpq.so.5"
# Unpacked there by scripts/setup: installed, it would change how this machine resolves names.
NSS = ROOT / "target/packages/libnss-resolve/usr/lib/x86_64-linux-gnu"


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


@test("clients/nss-resolve", needs=[f"{NSS}/libnss_resolve.so.2", "unshare"], weight=12)
def nss_resolve(run):
    """500 threads at once resolve through systemd's module, which speaks JSON over a Unix socket; a fifth gets no answer. In a mount
    namespace of its own: there it has the configuration and the socket that the module looks for."""
    enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    script = f"""
        mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/resolve && echo 'hosts: resolve' > /run/nsswitch.conf &&
        mount --bind /run/nsswitch.conf /etc/nsswitch.conf || exit 99
        socket=/run/systemd/resolve/io.systemd.Resolve
        env -u LD_PRELOAD PYTHONHASHSEED=0 {PYTHON} {HERE}/varlink_resolver.py $socket &
        until [ -S $socket ]; do sleep 0.05; done
        LD_LIBRARY_PATH={NSS} {built("resolve_names.c")} 500
        status=$?
        kill $!
        exit $status
    """
    finished = run.run(*enter, "sh", "-c", script, limit=60)
    if finished.status == 99:
        raise Skip("no mount namespace to be had")
    if "127.1.1.241" not in finished.must().out or "name-of-10-9-1-243" not in finished.out:
        raise Failure(f"the module was not asked\n{finished.seen()[-500:]}")
    return finished.seen()
