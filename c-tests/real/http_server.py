"""A web server with a thread a connection, as the standard library has it. Prints its port; on SIGTERM it stops and
prints how many answers it gave."""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"the same for everyone\n" * 10


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # A connection stays open for more requests.
    wbufsize = -1  # Head and body leave together.
    answers, lock = 0, threading.Lock()

    def do_GET(self):
        found = self.path == "/"
        with Handler.lock:
            Handler.answers += found
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(BODY)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = False  # server_close() waits for the threads: each ends with its connection.

    def handle_error(self, request, client_address):
        # A client may break off a connection at any time; everything else is to be seen.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", 0), Handler)
# shutdown() waits for serve_forever() to end, which it cannot do from a handler that interrupts it. Nor can that make a thread: it may have
# interrupted the main thread within a lock that every new thread takes.
told, tell = os.pipe()


def stop():
    os.read(told, 1)
    server.shutdown()


threading.Thread(target=stop, daemon=True).start()
signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"!"))
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
server.server_close()
print(f"answers {Handler.answers}")
