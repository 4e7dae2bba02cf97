"""Servers with a thread a connection, under load from clients that run natively."""

import re

from harness import HERE, NATIVE, PYTHON, Failure, test


def web_server(run):
    server = run.start(PYTHON, HERE / "http_server.py")
    return server, int(server.expect(r"port (\d+)")[1])


def answers(server):
    """Stops a web server whose clients have gone; how many answers it gave."""
    finished = server.stop().must()
    if finished.err:
        raise Failure(finished.err)
    return int(re.search(r"^answers (\d+)$", finished.out, re.M)[1])


def load(run, *options):
    """Has wrk load the server: no error, no answer but 200, and it agrees with the server about their number."""
    connections = 64
    server, port = web_server(run)
    with server:
        url = f"http://127.0.0.1:{port}/"
        wrk = run.run("wrk", "-t1", f"-c{connections}", "-d2s", *options, url, mode=NATIVE, limit=30).must()
        given = answers(server)
    requests = int(re.search(r"(\d+) requests in", wrk.out)[1])
    run.note = f"{requests} requests"
    if requests == 0:
        raise Failure(f"no request was answered\n{wrk.out}")
    # wrk stops while an answer may be on its way on each connection.
    if not requests <= given <= requests + connections:
        raise Failure(f"{given} answers given, {requests} received\n{wrk.out}")
    # What is not the same from run to run: the figures of a run without errors.
    errors = [line.strip() for line in wrk.out.splitlines() if re.search("error|Non-2xx", line)]
    if errors:
        raise Failure("\n".join(errors))
    return "no errors"


@test("http/connections-kept", needs=["wrk"], weight=14)
def kept(run):
    return load(run)


@test("http/connection-a-request", needs=["wrk"], weight=14)
def new_each_time(run):
    """A new thread for every request."""
    return load(run, "-H", "Connection: close")


def certificate(run):
    """A certificate for localhost, and its key, valid for as long as the test takes."""
    key, cert = run.directory / "key.pem", run.directory / "cert.pem"
    run.run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert),
        mode=NATIVE,
    ).must()
    return key, cert


@test("tls/stunnel", needs=["stunnel4", "openssl"], weight=16)
def stunnel(run):
    """200 connections at once through stunnel to a web server, both in the mode."""
    key, cert = certificate(run)
    server, port = web_server(run)
    configuration = run.directory / "stunnel.conf"
    configuration.write_text(
        f"foreground = yes\npid =\ndebug = info\nsyslog = no\n"
        f"[web]\naccept = 127.0.0.1:0\nconnect = 127.0.0.1:{port}\ncert = {cert}\nkey = {key}\n"
    )
    with server, run.start("stunnel4", configuration) as tunnel:
        # Bound first, told after: the kernel chose the port, so that no other program can have it.
        outside = tunnel.expect(r"bound to 127\.0\.0\.1:(\d+)")[1]
        client = run.run(PYTHON, HERE / "tls_client.py", outside, cert, 200, 5, mode=NATIVE, limit=70).must()
        # As natively: how it ends when told to.
        ended = tunnel.stop()
        given = answers(server)
    return f"{client.seen()}\n{given} answers\nstunnel: status {ended.status}"
