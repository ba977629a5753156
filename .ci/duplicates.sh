# No user gets a dependency in two versions; each one here would be printed.
set -euo pipefail

# Who takes both PostgreSQL and SQLite gets fallible-iterator twice: tokio-postgres is a release of
# it behind rusqlite, and no version of either has the other's.
known='fallible-iterator v0.2.0
fallible-iterator v0.3.0'

tree() {
    cargo tree --locked --duplicates --edges normal --all-features "$@"
}
duplicates=$(tree --depth 0 | sed '/^$/d')
[[ $duplicates == "$known" ]] || { tree; exit 1; }
