#!/usr/bin/env python3
"""breaker.py HOST:PORT BREAKS SEED: passes bytes on, and breaks its connections BREAKS times.

Prints the address it listens on. Each connection is reset after some bytes, as SEED decides, both
ways at once and wherever a frame may be; after BREAKS of them it only passes on. On SIGTERM it
prints how many it broke.
"""
import random
import selectors
import signal
import socket
import struct
import sys

READ = 65536


class Pair:
    """A connection and what it is passed on to, until `left` bytes have gone through."""

    def __init__(self, near, far, left):
        self.other = {near: far, far: near}
        self.left = left

    def reset(self):
        for sock in self.other:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


class Breaker:
    def __init__(self, target, breaks, seed):
        self.target = target
        self.breaks = breaks
        self.broken = 0
        self.chance = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.selector.register(self.listener, selectors.EVENT_READ)

    def drop(self, pair):
        for sock in pair.other:
            self.selector.unregister(sock)
        pair.reset()

    def accept(self):
        near, _ = self.listener.accept()
        try:
            far = socket.create_connection(self.target)
        except OSError:
            near.close()
            return
        left = None
        if self.broken < self.breaks:
            left = int(self.chance.expovariate(1 / 20000)) + 1
        pair = Pair(near, far, left)
        for sock in pair.other:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(sock, selectors.EVENT_READ, pair)

    def pass_on(self, sock, pair):
        try:
            got = sock.recv(READ if pair.left is None else min(READ, pair.left))
            if got:
                pair.other[sock].sendall(got)
        except OSError:
            got = b""
        if not got:
            self.drop(pair)
            return
        if pair.left is None:
            return
        pair.left -= len(got)
        if pair.left == 0:
            self.broken += 1
            self.drop(pair)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj.fileno() >= 0:
                    self.pass_on(key.fileobj, key.data)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    breaker = Breaker((host, int(port)), int(sys.argv[2]), int(sys.argv[3]))

    def end(_number, _frame):
        print(breaker.broken, flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("%s:%d" % breaker.listener.getsockname(), flush=True)
    breaker.run()


if __name__ == "__main__":
    main()
