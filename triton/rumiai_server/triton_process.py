"""One ``tritonserver`` process: its command line, its environment, its model processes, its end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

import psutil

from rumiai.core.processes import ProcessIdentity
from rumiai.core.secrets import without_secrets
from rumiai_server.address import ServerAddress
from rumiai_server.leftovers import OWNER_VARIABLE, end_processes, owner_value, pool_prefix, unlink_pools
from rumiai_server.triton_log import TritonLog
from rumiai_server.workspace import TritonFiles, Workspace

LOG = logging.getLogger("rumiai_server")

# PyTriton's choice of endpoints that want the token, and the name of its header.
_GUARDED: Final = "shared-memory,model-repository,statistics,trace,logging"
_TOKEN_NAME: Final = "triton-access-token"
# The pool of a model process grows with its requests; Triton's own first size is 64 MB for each.
_POOL_BYTES: Final = 4 * 2**20
_POOL_GROWTH_BYTES: Final = 2**20

# Run by a bare interpreter that turns into tritonserver: the kernel ends it when the thread that started it ends, so
# that it does not outlive a killed launcher. Between fork and exec of a program with threads no Python may run.
_EXEC_WITH_PARENT: Final = """
import ctypes, os, signal, sys
parent, program = int(sys.argv[1]), sys.argv[2]
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
if os.getppid() == parent:
    os.execv(program, sys.argv[2:])
"""

# Triton waits so long for requests in flight and then some; a model process that has died holds it up until the end.
_STOP_S: Final = 33.0
_STOP_AFTER_DEATH_S: Final = 2.0


def triton_environment(base: Mapping[str, str], space: Workspace, files: TritonFiles, owner: str) -> dict[str, str]:
    """Environment of tritonserver and of the model processes, without secrets.

    Args:
        base: Environment of the launcher.
        space: Private folders for settings and temporary files.
        files: Where Triton's libraries are.
        owner: Value of :data:`OWNER_VARIABLE`.
    """
    out = without_secrets(base)
    # The stub links libpython dynamically and must find the one of this very interpreter. The linker looks into
    # /usr/lib anyway; naming it would put it before the CUDA libraries that torch brings.
    libdir = Path(sysconfig.get_config_var("LIBDIR"))
    first = [] if Path("/usr/lib") in (libdir, libdir.parent) else [str(libdir)]
    given = [path for path in base.get("LD_LIBRARY_PATH", "").split(os.pathsep) if path]
    out["LD_LIBRARY_PATH"] = os.pathsep.join([*first, *given, str(files.libraries)])
    # The stub takes the python3 that it finds first, and with it this virtual environment.
    out["PATH"] = os.pathsep.join([str(Path(sys.exec_prefix, "bin")), *filter(None, [base.get("PATH")])])
    # Idle OpenMP threads that spin would take the cores from the other models' instances.
    out.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out.setdefault("KMP_BLOCKTIME", "0")
    # oneDNN keeps primitives for every shape of tile that OCR ever met, 1024 by default: memory that grows with the
    # length of a video. YOLO alone needs more than a hundred; with 64 it made them anew for every batch.
    out.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    out.setdefault("YOLO_VERBOSE", "false")
    # Private, and gone with the server: in a shared folder a stranger's link could lead the writing elsewhere.
    out.update(YOLO_CONFIG_DIR=str(space.settings), MPLCONFIGDIR=str(space.settings), TMPDIR=str(space.temporary))
    # The stub's standard streams are ASCII otherwise, and a library that logs a dash fails.
    out.setdefault("PYTHONIOENCODING", "utf-8")
    out[OWNER_VARIABLE] = owner
    return out


def triton_command(
    address: ServerAddress, space: Workspace, files: TritonFiles, pools: str, *, verbose: bool
) -> list[str]:
    """Command line of tritonserver.

    Args:
        address: Where it listens, and the token.
        space: Its models and backend.
        files: The program.
        pools: Beginning of its pools' names.
        verbose: Triton's verbose log.
    """
    guard = f"{_GUARDED}:{_TOKEN_NAME}={address.token}"
    host, _, grpc_port = address.grpc.rpartition(":")
    out = [str(files.program), f"--model-repository={space.models}", f"--backend-directory={space.backends}"]
    out += ["--model-control-mode=explicit", "--load-model=*"]
    # The configurations are complete. Else Triton would run each model's file a first time, in a process that it throws
    # away, to ask it for what is missing.
    out.append("--disable-auto-complete-config")
    # A model that cannot be loaded must not end the server before it was asked for the reason.
    out += ["--exit-on-error=false", "--strict-readiness=true"]
    out += [f"--grpc-address={host}", f"--grpc-port={grpc_port}", f"--grpc-restricted-protocol={guard}"]
    if address.http is None or address.metrics is None:
        out += ["--allow-http=false", "--allow-metrics=false"]
    else:
        out += [f"--http-address={host}", f"--http-port={address.http.rpartition(':')[2]}"]
        out += [f"--http-restricted-api={guard}", f"--metrics-address={host}"]
        out += [f"--metrics-port={address.metrics.removesuffix('/metrics').rpartition(':')[2]}"]
    settings = {
        "shm-region-prefix-name": pools,
        "shm-default-byte-size": _POOL_BYTES,
        "shm-growth-byte-size": _POOL_GROWTH_BYTES,
    }
    out += [f"--backend-config=python,{name}={value}" for name, value in settings.items()]
    return [*out, "--log-verbose=1"] if verbose else out


class TritonProcess:
    """A running tritonserver. The thread that makes it must live until it has ended; see :data:`_EXEC_WITH_PARENT`.

    Args:
        address: Where it listens, and the token.
        space: Its folder.
        files: Its program.
        owner: The launcher.
        generation: A number that no other tritonserver of this launcher has.
        log: Takes what it and its models print.
        verbose: Triton's verbose log.

    Raises:
        OSError: It could not be started.
    """

    def __init__(
        self,
        address: ServerAddress,
        space: Workspace,
        files: TritonFiles,
        owner: ProcessIdentity,
        generation: int,
        log: TritonLog,
        *,
        verbose: bool = False,
    ) -> None:
        self._space = space
        self._owner = owner_value(owner, generation)
        self._pools = pool_prefix(owner, generation)
        self._a_model_died = False
        command = triton_command(address, space, files, self._pools, verbose=verbose)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _EXEC_WITH_PARENT, str(os.getpid()), *command],
            env=triton_environment(os.environ, space, files, self._owner),
            cwd=space.packages,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            umask=0o077,
            process_group=0,  # Ctrl-C in a terminal is for the launcher, which stops it in order
        )
        assert self._process.stdout is not None
        threading.Thread(target=_pump, args=(self._process.stdout, log), daemon=True, name="triton-log").start()

    @property
    def exit_status(self) -> str | None:
        """How it has ended; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def model_processes(self, model: str) -> list[ProcessIdentity]:
        """The running processes of one model, one for each instance."""
        path = f"{self._space.models}/{model}/1/model.py"
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):  # each may end while it is looked at
            for child in psutil.Process(self._process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    process = ProcessIdentity.of(child.pid)
                    if child.cmdline()[1:2] == [path] and process is not None:
                        found.append(process)
        return found

    def processes(self) -> list[ProcessIdentity]:
        """Tritonserver and the processes below it, those that run."""
        with contextlib.suppress(psutil.NoSuchProcess):
            pids = [self._process.pid, *(child.pid for child in psutil.Process(self._process.pid).children())]
            return [process for process in map(ProcessIdentity.of, pids) if process is not None]
        return []

    def a_model_died(self) -> None:
        """Note that Triton still waits for a dead model process, as it does when it is stopped, for half a minute."""
        self._a_model_died = True

    def kill(self) -> None:
        """End it without its consent; to be followed by :meth:`stop`. May be called by any thread."""
        self._process.kill()

    def stop(self, *, at_once: bool = False) -> None:
        """End it and every process below it, and remove its pools.

        Args:
            at_once: Do not wait for requests in flight.
        """
        if self._process.poll() is None and not at_once:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_AFTER_DEATH_S if self._a_model_died else _STOP_S)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        # A model process that was in a request when its server was killed does not notice.
        if orphans := end_processes(self._owner.__eq__):
            LOG.info("ended %d processes of tritonserver %d", len(orphans), self._process.pid)
        unlink_pools(self._pools)


def _pump(stream: IO[bytes], log: TritonLog) -> None:
    with stream:
        for line in stream:
            log.write(line.decode("utf-8", errors="replace"))
