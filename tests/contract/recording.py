"""Run a command cut off from the network, and tell what it sent and which files it wrote.

    unshare --net --mount --propagation private python recording.py FOLDER COMMAND...

Needs root. FOLDER is an empty one, for the layers that record what is written. In its network namespace there is a
default route to nowhere, so that packets to the outside are made, and recorded. The folders for files (home, /tmp,
/var/tmp) are overlaid: what is written there is recorded, and gone afterwards. /dev/shm is a new one. Prints one JSON
object; the command's own output goes to standard error.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_SETUP = """
ip link add rec0 type veth peer name rec1
ip link set lo up
ip link set rec1 up
ip link set rec0 up
ip addr add 192.0.2.1/24 dev rec0
ip route add default via 192.0.2.2 dev rec0
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev rec0 nud permanent
ip -6 addr add 2001:db8::1/64 dev rec0 nodad
ip -6 route add default via 2001:db8::2 dev rec0
ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev rec0 nud permanent
"""
_ALL_PROTOCOLS = 3
_TRANSPORTS = {6: "tcp", 17: "udp"}
_DNS_PORTS = (53, 853, 5353)


def packet(frame: bytes) -> tuple[str, str, int, bytes] | None:
    """Transport, destination, port and payload of an Ethernet frame; None of what is neither TCP nor UDP."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        protocol, start = frame[23], 14 + 4 * (frame[14] & 15)
        address = ipaddress.ip_address(frame[30:34])
    elif kind == 0x86DD:
        protocol, start = frame[20], 54
        address = ipaddress.ip_address(frame[38:54])
    else:
        return None
    if protocol not in _TRANSPORTS:
        return None
    return _TRANSPORTS[protocol], str(address), struct.unpack_from("!H", frame, start + 2)[0], frame[start + 8 :]


def looked_up(payload: bytes) -> str:
    """The name that a DNS query asks for."""
    labels, at = [], 12
    while at < len(payload) and payload[at]:
        labels.append(payload[at + 1 : at + 1 + payload[at]].decode("ascii", "replace"))
        at += 1 + payload[at]
    return ".".join(labels)


def record(interface: str, seen: set[str], *, only_dns: bool) -> None:
    """Add a line for every packet on the interface, until the program ends."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)) as tap:
        tap.bind((interface, 0))
        while True:
            found = packet(tap.recv(65536))
            if found is None:
                continue
            transport, address, port, payload = found
            if port in _DNS_PORTS and transport == "udp":
                seen.add(f"look-up of {looked_up(payload)}")
            elif not only_dns or port in _DNS_PORTS:
                seen.add(f"{transport} to {address} port {port}")


def overlay(folder: Path, layers: Path) -> int:
    """Lay a writable layer over a folder.

    Returns:
        A descriptor of the layer: its path leads elsewhere when it lies in the folder.
    """
    upper, work = (Path(tempfile.mkdtemp(dir=layers)) for _ in range(2))
    handle = os.open(upper, os.O_RDONLY)
    options = f"lowerdir={folder},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(folder)], check=True)
    return handle


def written(folder: Path, handle: int) -> list[str]:
    """The files in a layer, by their paths in the folder; deleted ones are no files there."""
    root = Path(f"/proc/self/fd/{handle}")
    return sorted(str(folder / path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def main() -> None:
    """Run the command and print what was recorded."""
    for line in _SETUP.strip().splitlines():
        subprocess.run(line.split(), check=True)
    layers = Path(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(layers)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"], check=True)
    folders = [Path.home(), Path("/var/tmp"), Path("/tmp")]  # the layers may lie in the last
    handles = {folder: overlay(folder, layers) for folder in folders if folder.is_dir()}
    seen: set[str] = set()
    for interface, only_dns in (("rec1", False), ("lo", True)):
        threading.Thread(target=record, args=(interface, seen), kwargs={"only_dns": only_dns}, daemon=True).start()
    time.sleep(0.5)
    code = subprocess.run(sys.argv[2:], stdout=sys.stderr, check=False).returncode
    time.sleep(0.5)
    files = [path for folder, handle in handles.items() for path in written(folder, handle)]
    shared = sorted(path.name for path in Path("/dev/shm").iterdir())
    json.dump({"code": code, "sent": sorted(seen), "files": files, "shared_memory": shared}, sys.stdout)


if __name__ == "__main__":
    main()
