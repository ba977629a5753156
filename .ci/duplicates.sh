# No user gets a dependency in two versions; each one here would be printed.
set -euo pipefail

duplicates=$(cargo tree --locked --duplicates --edges normal --all-features)
echo "$duplicates"
[[ -z $duplicates ]]
