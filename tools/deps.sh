#!/bin/sh
# deps.sh build|test|verify ...: installs what is missing for these purposes, through apt-get.
#
# Presence is probed by use, not by package name, so what came another way counts too.
set -eu

missing=

need() {            # PACKAGE PROBE...
    package=$1
    shift
    if ! "$@" >/dev/null 2>&1; then
        missing="$missing $package"
    fi
}

header() {          # PATH below an include folder of the compiler
    [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]
}

command_is() {
    command -v "$1"
}

includes() {        # HEADER, wherever the compiler looks
    printf '#include <%s>\n' "$1" | gcc -E -
}

for purpose in "$@"; do
    case $purpose in
    build)
        need gcc command_is gcc
        need libc6-dev header stdio.h
        need cmake command_is cmake
        need ninja-build command_is ninja
        need pkg-config command_is pkg-config
        need libck-dev header ck_ring.h
        need liburcu-dev pkg-config --exists liburcu-qsbr
        need libuv1-dev pkg-config --exists libuv
        need libssl-dev pkg-config --exists openssl
        need libcbor-dev pkg-config --exists libcbor
        ;;
    test)
        need g++ command_is g++
        need libcriterion-dev pkg-config --exists criterion
        need systemtap-sdt-dev includes sys/sdt.h
        need python3 command_is python3
        ;;
    verify)
        need clang command_is clang
        need clang-format-14 command_is clang-format-14
        need spin command_is spin
        need valgrind command_is valgrind
        ;;
    *)
        echo "deps.sh: build, test or verify, not '$purpose'" >&2
        exit 2
        ;;
    esac
done

[ -n "$missing" ] || exit 0

echo "Missing on this machine:$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt-get here; please install them by hand." >&2
    exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Neither root nor sudo; please run: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "Installing them with apt-get ..."
log=$(mktemp)
# $missing and $as_root are lists of words on purpose.
# shellcheck disable=SC2086
if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
       $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
           --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 30 "$log"
    rm -f "$log"
    exit 1
fi
rm -f "$log"
echo "Installed:$missing"
