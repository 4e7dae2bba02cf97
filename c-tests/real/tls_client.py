"""Opens many TLS connections to a web server, all at the same time, and asks over each several times.

    tls_client.py PORT CERTIFICATE CONNECTIONS REQUESTS
"""

import asyncio
import ssl
import sys

BODY = b"the same for everyone\n" * 10


async def ask(port, context, gate, requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    await gate.wait()
    right = 0
    for _ in range(requests):
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(len(BODY))
        right += head.startswith(b"HTTP/1.1 200 ") and body == BODY
    writer.close()
    return right


async def main(port, certificate, connections, requests):
    context = ssl.create_default_context(cafile=certificate)
    gate = asyncio.Barrier(connections)
    answers = await asyncio.gather(*(ask(port, context, gate, requests) for _ in range(connections)))
    print(f"{len(answers)} connections open at once, {sum(answers)} right answers")


asyncio.run(asyncio.wait_for(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), 60))
