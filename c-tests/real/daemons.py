"""Servers of many threads as distributions ship them, under their own load tools, which run natively."""

import re
import time

from event_loops import get, reachable
from harness import HERE, NATIVE, PYTHON, free_port, test

APACHE = "/usr/lib/apache2/modules"


def apache(run, how):
    """Processes with 25 threads each: files and a CGI script under ab, a graceful restart amid the load, a clean end."""
    port, here = free_port(), run.directory
    (here / "www").mkdir()
    (here / "www" / "small").write_bytes(b"hello\n")
    big = bytes(range(256)) * 1200
    (here / "www" / "big").write_bytes(big)
    script = here / "script"
    script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nas asked: %s\\n' \"$QUERY_STRING\"\n")
    script.chmod(0o755)
    here.chmod(0o755)
    modules = (f"mpm_{how}", "authz_core", "alias", "cgid", "status")
    (here / "conf").write_text(
        "".join(f"LoadModule {name}_module {APACHE}/mod_{name}.so\n" for name in modules)
        + f"ServerRoot {here}\nServerName localhost\nPidFile {here}/pid\nListen 127.0.0.1:{port}\nErrorLog {here}/log\n"
        f"DocumentRoot {here}/www\nScriptSock {here}/cgi.sock\nScriptAlias /script {script}\nUser www-data\nGroup www-data\n"
        "<Directory />\nRequire all granted\n</Directory>\n"
        "StartServers 2\nServerLimit 8\nThreadsPerChild 25\nMaxRequestWorkers 100\nMinSpareThreads 25\nMaxSpareThreads 75\n"
        "GracefulShutdownTimeout 5\n"
    )
    seen = []

    def bench(*options):
        out = run.run("ab", "-q", "-r", *options, mode=NATIVE, limit=60).must().out
        seen.append(re.findall(r"(?m)^(?:Complete|Failed|Non-2xx).*", out))

    with run.start("apache2", "-f", here / "conf", "-D", "FOREGROUND") as server:
        reachable(port, server).close()
        base = f"http://127.0.0.1:{port}"
        bench("-n2000", "-c60", f"{base}/small")
        bench("-n60", "-c10", f"{base}/script?x")
        seen.append(get(port, "/script?y"))
        load = run.start("ab", "-q", "-n1000", "-c40", f"{base}/big", mode=NATIVE)
        time.sleep(0.1)
        # SIGUSR1: who serves finishes what it has, and others take its place.
        run.run("kill", "-USR1", server.pid, mode=NATIVE).must()
        with load:
            seen.append(re.findall(r"(?m)^(?:Complete|Failed|Non-2xx).*", load.wait(40).must().out))
        seen.append(get(port, "/big") == (200, big))
        ended = server.stop(20)
    bad = re.findall(r"(?m)^.*:(?:emerg|alert|crit|error)\].*$|exit signal.*", (here / "log").read_text())
    return f"{seen}\n{ended.seen()}\n{bad}"


@test("web/apache-worker", needs=["apache2", "ab"], weight=12)
def apache_worker(run):
    return apache(run, "worker")


@test("web/apache-event", needs=["apache2", "ab"], weight=12)
def apache_event(run):
    return apache(run, "event")


@test("web/haproxy", needs=["haproxy", "wrk"], weight=10)
def haproxy(run):
    """Four threads that each have an event loop, and hand tasks to each other, before a server with a thread a connection."""
    port, here = free_port(), run.directory
    with run.start(PYTHON, HERE / "http_server.py", mode=NATIVE) as behind:
        inner = behind.expect(r"port (\d+)")[1]
        (here / "conf").write_text(
            f"global\n nbthread 4\n maxconn 400\n stats socket {here}/admin.sock mode 600 level admin\n"
            f"defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n timeout check 20s\n"
            f"frontend f\n bind 127.0.0.1:{port}\n default_backend b\n"
            f"backend b\n option httpchk GET /\n server s 127.0.0.1:{inner} check inter 200ms\n"
        )
        with run.start("haproxy", "-W", "-db", "-f", here / "conf") as server:
            reachable(port, server).close()
            seen = [get(port, "/"), get(port, "/nothing")[0]]
            wrk = run.run("wrk", "-t1", "-c50", "-d1s", f"http://127.0.0.1:{port}/", mode=NATIVE, limit=30).must()
            load = run.start("wrk", "-t1", "-c50", "-d1s", f"http://127.0.0.1:{port}/", mode=NATIVE)
            time.sleep(0.3)
            # SIGUSR2 to the master: a new worker takes over the listening sockets.
            run.run("kill", "-USR2", server.pid, mode=NATIVE).must()
            with load:
                again = load.wait(30).must()
            # Its master begins anew, too. Until it has heard of its old worker's end, SIGTERM might end it at once.
            server.expect(r"Former worker .* exited", 20)
            seen.append(get(port, "/"))
            ended = server.stop(20)
        behind.stop()
    seen += [int(re.search(r"(\d+) requests in", one.out)[1]) > 0 for one in (wrk, again)]
    seen.append(re.findall(r"Non-2xx.*|Socket errors.*", wrk.out) + re.findall("Non-2xx.*", again.out))
    alerts = re.findall(r"(?m)ALERT.*|segmentation.*|exit-on-fail.*", ended.err)
    return f"{seen}\nstatus {ended.status}\n{[re.sub(r'[0-9]+', 'N', line) for line in alerts]}"


@test("web/varnish", needs=["varnishd", "wrk"], weight=10)
def varnish(run):
    """A thread a request, and a child process that is watched by its parent through pipes."""
    port, here = free_port(), run.directory
    with run.start(PYTHON, HERE / "http_server.py", mode=NATIVE) as behind:
        inner = behind.expect(r"port (\d+)")[1]
        (here / "vcl").write_text(
            f'vcl 4.1; backend b {{ .host = "127.0.0.1"; .port = "{inner}"; }}\n'
            'sub vcl_recv { if (req.url == "/pass") { set req.url = "/"; return (pass); } }\n'
        )
        with run.start(
            *("varnishd", "-F", "-a", f"127.0.0.1:{port}", "-T", "none", "-f", here / "vcl", "-n", here / "work"),
            *("-s", "malloc,32m", "-j", "none", "-p", "thread_pool_min=20", "-p", "thread_pool_max=200"),
        ) as server:
            reachable(port, server, 40).close()
            seen = [get(port, "/"), get(port, "/nothing")[0]]
            loads = []
            for path in ("/", "/pass"):
                wrk = run.run("wrk", "-t1", "-c60", "-d1s", f"http://127.0.0.1:{port}{path}", mode=NATIVE, limit=30).must()
                loads.append(wrk.out)
            seen.append(get(port, "/pass"))
            ended = server.stop(30)
        behind.stop()
    seen += [int(re.search(r"(\d+) requests in", one)[1]) > 0 for one in loads]
    seen.append([re.findall(r"Non-2xx.*|Socket errors.*", one) for one in loads])
    died = re.findall(r"(?m)^.*(?:died|Panic|panic|not responding).*$", ended.err)
    return f"{seen}\nstatus {ended.status}\n{died}"


def resolvers(run, port, server):
    """Loads a name server with dnsperf: as many answers as questions, all of them right."""
    names = [f"host{i}.example.test" for i in range(200)] + [f"none{i}.example.test" for i in range(50)]
    questions = run.directory / "questions"
    questions.write_text("".join(f"{name} A\n" for name in names))
    seen = []
    for options in ((), ("-m", "tcp")):
        out = run.run(
            *("dnsperf", "-s", "127.0.0.1", "-p", port, "-d", questions, "-n20", "-c20", "-T1", "-t10", "-q50", *options),
            mode=NATIVE,
            limit=60,
        ).must().out
        seen.append(re.findall(r"Queries (?:sent|completed|lost):.*|Response codes:.*", out))
    for name in (names[7], names[-1]):
        dug = run.run("dig", "@127.0.0.1", "-p", port, "+time=5", "+noall", "+answer", "+comments", name, mode=NATIVE).must()
        # Without the time to live, which counts down in a cache.
        seen += re.findall(rf"status: \w+|^{name}|\bA\t.*$", dug.out, re.M)
    return "\n".join(map(str, seen)) + "\n"


ZONE = "$TTL 300\n@ SOA ns.example.test. who.example.test. 1 3600 900 86400 300\n@ NS ns\nns A 127.0.0.1\n" + "".join(
    f"host{i} A 10.1.{i // 250}.{i % 250 + 1}\n" for i in range(200)
)


def named_configuration(here, port):
    (here / "zone").write_text(ZONE)
    (here / "named.conf").write_text(
        f'options {{ directory "{here}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; pid-file none; '
        f'session-keyfile "{here}/session"; recursion no; dnssec-validation no; lock-file none; }};\n'
        'controls { };\nzone "example.test" { type primary; file "zone"; };\n'
    )


@test("dns/named", needs=["named", "dnsperf", "dig"], weight=8)
def named(run):
    """BIND: an event loop a thread, four of them, and a pool for slow work."""
    port, here = free_port(), run.directory
    named_configuration(here, port)
    with run.start("named", "-g", "-n", "4", "-c", here / "named.conf") as server:
        server.expect("all zones loaded", 30)
        seen = resolvers(run, port, server)
        # SIGHUP: read all again, under way.
        run.run("kill", "-HUP", server.pid, mode=NATIVE).must()
        server.expect(r"all zones loaded[\s\S]*all zones loaded", 20)
        seen += resolvers(run, port, server)
        ended = server.stop(20)
    return f"{seen}status {ended.status}"


@test("dns/unbound", needs=["unbound", "named", "dnsperf", "dig"], weight=8)
def unbound(run):
    """Four threads, each with its own loop, that ask a name server of the test's and share a cache."""
    port, inner, here = free_port(), free_port(), run.directory
    named_configuration(here, inner)
    (here / "unbound.conf").write_text(
        f"server:\n interface: 127.0.0.1\n port: {port}\n num-threads: 4\n so-reuseport: no\n do-daemonize: no\n chroot: \"\"\n"
        f" username: \"\"\n directory: {here}\n pidfile: {here}/pid\n use-syslog: no\n do-not-query-localhost: no\n"
        f" local-zone: test. nodefault\n module-config: iterator\n"
        f"remote-control:\n control-enable: no\n"
        f"stub-zone:\n name: example.test\n stub-addr: 127.0.0.1@{inner}\n"
    )
    with run.start("named", "-g", "-n", "1", "-c", here / "named.conf", mode=NATIVE) as behind:
        behind.expect("all zones loaded", 30)
        with run.start("unbound", "-d", "-c", here / "unbound.conf") as server:
            server.expect("start of service", 30)
            seen = resolvers(run, port, server)
            ended = server.stop(20)
        behind.stop(20)
    return f"{seen}status {ended.status}"


@test("ldap/slapd", needs=["slapd", "slapadd", "ldapsearch"], weight=8)
def slapd(run):
    """OpenLDAP's pool of threads over a database that is mapped into memory: many clients search and write at once."""
    port, here = free_port(), run.directory
    (here / "data").mkdir()
    (here / "slapd.conf").write_text(
        "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nthreads 16\n"
        f"pidfile {here}/pid\nargsfile {here}/args\ndatabase mdb\nmaxsize 33554432\nsuffix dc=test\nrootdn cn=root,dc=test\n"
        f"rootpw secret\ndirectory {here}/data\ndbnosync\n"
    )
    entries = ["dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\no: test\ndc: test\n"]
    entries += [f"dn: cn=p{i},dc=test\nobjectClass: person\ncn: p{i}\nsn: of {i % 7}\n" for i in range(300)]
    (here / "entries").write_text("\n".join(entries))
    url = f"ldap://127.0.0.1:{port}"
    run.run("slapadd", "-f", here / "slapd.conf", "-l", here / "entries", mode=NATIVE).must()
    with run.start("slapd", "-d", "0", "-f", here / "slapd.conf", "-h", url) as server:
        reachable(port, server).close()
        clients = []
        for i in range(24):
            (here / f"new{i}").write_text(
                "".join(f"dn: cn=n{i}-{k},dc=test\nobjectClass: person\ncn: n{i}-{k}\nsn: new\n\n" for k in range(20))
            )
            who = ("-x", "-H", url, "-D", "cn=root,dc=test", "-w", "secret")
            if i % 2:
                clients.append(run.start("ldapadd", *who, "-f", here / f"new{i}", mode=NATIVE))
            else:
                search = ("-b", "dc=test", "-LLL", f"(sn=of {i % 7})", "cn")
                clients.append(run.start("ldapsearch", *who, *search, mode=NATIVE))
        ends = [client.wait(60).seen() for client in clients]
        count = run.run("ldapsearch", "-x", "-H", url, "-b", "dc=test", "-LLL", "(sn=new)", "cn", mode=NATIVE).must()
        ended = server.stop(20)
    return "\n".join(ends) + f"\n{count.out.count('dn: ')} are new\n{ended.seen()}"
