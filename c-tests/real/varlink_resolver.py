"""A systemd-resolved of a kind, for its NSS module: answers slowly and in pieces, and hangs up on some.

    varlink_resolver.py SOCKET

A name begins with what becomes of it: good-N is an address made of N, none-N there is not, gone-N gets no answer.
"""

import asyncio
import json
import sys


def answer(question):
    name = question["parameters"].get("name")
    if name is None:
        address = "-".join(map(str, question["parameters"]["address"]))
        return {"parameters": {"names": [{"ifindex": 1, "name": f"name-of-{address}.test"}], "flags": 1}}
    kind, number = name.split(".")[0].split("-")
    if kind == "gone":
        return None
    if kind == "none":
        return {"error": "io.systemd.Resolve.NoSuchResourceRecord", "parameters": {}}
    address = {"ifindex": 1, "family": 2, "address": [127, 1, int(number) // 256, int(number) % 256]}
    return {"parameters": {"addresses": [address], "name": name, "flags": 1}}


async def serve(reader, writer):
    try:
        while True:
            question = json.loads((await reader.readuntil(b"\0"))[:-1])
            await asyncio.sleep(0.1 + hash(str(question)) % 5 * 0.1)
            given = answer(question)
            if given is None:
                break
            text = json.dumps(given).encode() + b"\0"
            writer.write(text[:20])
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.write(text[20:])
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_unix_server(serve, sys.argv[1], backlog=1024)
    await server.serve_forever()


asyncio.run(main())
