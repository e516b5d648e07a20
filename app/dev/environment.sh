#!/bin/sh
# Makes .venv from the pinned, hashed requirements-dev.txt. Does nothing when it already holds exactly that file.
set -eu

venv=.venv
wanted=requirements-dev.txt
installed=$venv/installed-requirements.txt

if cmp -s "$wanted" "$installed" && "$venv/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

say() { echo "environment: $*"; }

fail() {
    echo "environment: $*" >&2
    exit 1
}

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

can_make_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# Prints the first Python that is new enough and can make environments; names what is missing otherwise.
find_python() {
    lacking=
    for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && suitable "$candidate"; then
            if can_make_environments "$candidate"; then
                command -v "$candidate"
                return
            fi
            lacking=$candidate
        fi
    done
    if [ -n "$lacking" ]; then
        fail "$lacking lacks the modules venv and ensurepip. On Debian and Ubuntu: apt-get install python3-venv"
    fi
    fail "no Python 3.11 to 3.14 found on PATH. On Debian and Ubuntu: apt-get install python3 python3-venv"
}

# The lines of one package, with its hashes, out of the requirements.
pinned() {
    awk -v name="$1==" 'index($0, name) == 1 { on = 1 } on { print } on && !/\\$/ { exit }' "$wanted"
}

with_uv() {
    if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
        pinned uv >"$venv/uv-requirement.txt"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
            -r "$venv/uv-requirement.txt" || return 1
    fi
    rm -f "$venv/failed"
    {
        "$venv/bin/uv" pip sync --python "$venv/bin/python" --require-hashes --compile-bytecode "$wanted" 2>&1 ||
            touch "$venv/failed"
    } | sed '/^ [-+~] /d'
    ! [ -e "$venv/failed" ]
}

with_pip() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --require-hashes -r "$wanted"
}

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(find_python)
    say "making $venv with $("$python" -V) ($python)"
    "$python" -m venv --clear "$venv"
fi
rm -f "$installed"
say "installing the packages of $wanted"
with_uv || {
    say "uv could not do it; trying pip"
    with_pip || fail "the packages could not be installed; the lines above say why. Is a package index reachable?"
}
cp "$wanted" "$installed"
say "ready"
