# For the stages: brings in what a bare machine lacks.

# Debian packages, unless they are installed.
debian() {
    dpkg --status "$@" &>/dev/null && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@"
}

# A tool of cargo's in a fixed version, built inside the checkout unless there is one already.
cargo_tool() {
    local name=$1 version=$2
    PATH=$PWD/target/tools/bin:$PATH
    command -v "$name" >/dev/null && return
    cargo install --quiet --locked --root target/tools --target-dir target/tools/build "$name@$version"
}

# keyfob's features, in one line; `features no-std` leaves out those that need std.
features() {
    debian python3
    cargo metadata --locked --no-deps --format-version 1 | python3 .ci/features.py "$@"
}
