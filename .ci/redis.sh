# The Redis store among servers that are killed, cut off and replaced.
set -euo pipefail
source .ci/helpers.bash
debian redis-server

KEYFOB_REQUIRE_SERVERS=1 cargo test --quiet --locked --features redis,conformance --test redis
