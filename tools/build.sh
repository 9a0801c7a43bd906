#!/bin/sh
# build.sh PRESET [JOBS]: configures and builds; shows the configuration only when it fails.
set -eu
cd "$(dirname "$0")/.."
preset=$1
jobs=${2:-2}

mkdir -p build
if ! cmake --preset "$preset" >"build/$preset.configure.log" 2>&1; then
    cat "build/$preset.configure.log"
    exit 1
fi
cmake --build "build/$preset" -j "$jobs"
