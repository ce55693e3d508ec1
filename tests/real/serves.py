#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small server: each line that comes to its socket is kept; `serves.py ask SOCKET N` sends N of them."""
import os
import signal
import socket
import sys


def serve(path):
    kept, server = [], socket.socket(socket.AF_UNIX)
    signal.signal(signal.SIGUSR1, lambda *_: (os.unlink(path), sys.exit(0)))
    server.bind(path)
    server.listen()
    while True:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            kept += list(lines)
            connection.sendall(b"%d\n" % len(kept))


def ask(path, count):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"".join(b"%d %s\n" % (i, b"x" * 100) for i in range(count)))
        client.shutdown(socket.SHUT_WR)
        sys.exit(0 if int(client.recv(64)) >= count else 1)


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    ask(sys.argv[2], int(sys.argv[3]))
