"""A TCP proxy that cuts one connection in the middle of its request.

Call: cutting_proxy.py SERVER_HOST:PORT BYTES
Prints its own address. The first connection that sends more than BYTES is cut
on both sides; everything after it passes.
"""

import socket
import sys
import threading

host, port = sys.argv[1].rsplit(":", 1)
budget = int(sys.argv[2])
lock = threading.Lock()
armed = True


def close(*ends):
    for end in ends:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()


def forward(source, target, counted):
    global armed
    passed = 0
    try:
        while data := source.recv(16 * 1024):
            target.sendall(data)
            passed += len(data)
            with lock:
                if counted and armed and passed > budget:
                    armed = False
                    break
    except OSError:
        pass
    close(source, target)


listener = socket.create_server(("127.0.0.1", 0))
print(f"127.0.0.1:{listener.getsockname()[1]}", flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection((host, int(port)))
    threading.Thread(target=forward, args=(client, server, True), daemon=True).start()
    threading.Thread(target=forward, args=(server, client, False), daemon=True).start()
