#!/bin/sh
# run.sh [MINUTES]: the soak test for that long, 30 when not said; a line a minute.
set -eu
cd "$(dirname "$0")/../.."
TH_SOAK_MINUTES=${1:-30}
export TH_SOAK_MINUTES
tools/build.sh dev 2
build/dev/tests/test.soak.soak --filter 'soak/under_load' --verbose=0
echo "soak: $TH_SOAK_MINUTES minutes, nothing lost and nothing grown"
