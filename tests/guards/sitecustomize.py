"""Python runs this at start when the folder is on PYTHONPATH: no socket leaves the machine.

Every attempt to reach anything but the loopback, and every look-up of a name, is refused and added
as a line to the file `ATTEMPTS`. Processes that the guarded one starts are guarded as well.
"""

import ipaddress
import os
import socket
import sys


def _leaves(host):
    if host in (None, "", "localhost", b"localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _guard(event, arguments):
    """An audit hook sees each call below Python's sockets, however it was reached."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        host = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if _leaves(host):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{os.getpid()} {sys.argv[:3]} {event} {host}\n")
        raise ConnectionRefusedError(f"the guard refuses {event} to {host}")


sys.addaudithook(_guard)
try:  # the positive control: the guard works in this very process
    socket.getaddrinfo("control.invalid", 443)
except ConnectionRefusedError:
    pass
else:
    raise SystemExit("the guard let an attempt pass")
