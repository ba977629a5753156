# The first thing a stranger types: the README's test command, as it stands there.
set -euo pipefail

command=$(awk '/^```/ { fenced = !fenced } fenced && /^cargo test --all-features( |$)/' README.md)
if [[ -z $command ]]; then
    echo 'README.md has no fenced line `cargo test --all-features`'
    exit 1
fi
bash -euxc "$command"
