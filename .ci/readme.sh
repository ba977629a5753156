# The first thing a stranger types: the README's test command, as it stands there.
#
# With the servers that some tests start and kill, so that none of them can be skipped unseen.
set -euo pipefail
source .ci/helpers.bash
debian postgresql redis-server

command=$(awk '/^```/ { fenced = !fenced } fenced && /^cargo test --all-features( |$)/' README.md)
if [[ -z $command ]]; then
    echo 'README.md has no fenced line `cargo test --all-features`'
    exit 1
fi
KEYFOB_REQUIRE_SERVERS=1 bash -euxc "$command"
