#!/usr/bin/env bash
# Firmware in C for a Cortex-M0: it links without a panic path, and passes its checks in QEMU.
#
# Debian's Rust comes with the sources of core, so no toolchain for the target is needed.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=thumbv6m-none-eabi
build=$(realpath -m "${CARGO_TARGET_DIR:-../target}/firmware")
library=$build/$target/firmware/libkeyfob_capi.a
tests=tests/firmware
flags=(-mcpu=cortex-m0 -mthumb -Os -std=c11 -Wall -Wextra -Werror -pedantic -ffunction-sections
    -fdata-sections -nostartfiles -Wl,--gc-sections -Wl,-z,noexecstack -T "$tests/link.ld" -Iinclude -Itests/c)
bare=(-ffreestanding -nostdlib)
newlib=(--specs=nano.specs --specs=nosys.specs -DNEWLIB)

build_library() {
    RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1 /usr/bin/cargo rustc --quiet --locked \
        --lib --crate-type staticlib --profile firmware --target "$target" --target-dir "$build" \
        -Zbuild-std=core,alloc --no-default-features --features "$1"
}

# Links sources with the library: `link OUTPUT ARGUMENT…`.
link() {
    local output=$1
    shift
    arm-none-eabi-gcc "${flags[@]}" -o "$build/$output" "$@" "$tests/startup.c" "$library" -lgcc
}

# The functions that the header declares, but for those whose features are off: recovery takes sha2.
declared() {
    local off=keyfob_system_entropy
    if [[ -z $1 ]]; then off+='|keyfob_.*recover.*'; fi
    sed -nE 's/^[a-z].*\b(keyfob_[a-z0-9_]+)\(.*/\1/p' include/keyfob.h | grep -vxE "$off"
}

# All that C can call with these features, and with it every way that could lead to a panic.
link_everything() {
    local functions
    functions=$(declared "$1" | sed 's/^/-Wl,--require-defined=/')
    # shellcheck disable=SC2086 # one argument a function
    link everything.elf "${bare[@]}" $functions -DCHECKS=token "$tests/main.c" tests/c/{token,memory}.c
    echo "no panic path with [$1] in $(wc -l <<<"$functions") functions"
}

run() {
    timeout 120 qemu-system-arm -machine microbit -nographic -semihosting-config enable=on,target=native \
        -kernel "$build/$1" </dev/null
}

# Runs a file's checks on the board: `check NAME LIBC ARGUMENT…`.
check() {
    local name=$1 libc=$2
    shift 2
    link "$name.elf" "$@" -DCHECKS="$name" "$tests/main.c" tests/c/{"$name",memory}.c
    printf '%s with %s: %s bytes of text; ' "$name" "$libc" \
        "$(arm-none-eabi-size "$build/$name.elf" | awk 'NR == 2 { print $1 }')"
    run "$name.elf" 2>&1
}

for features in pbkdf2 sha2 ''; do
    build_library "$features"
    link_everything "$features"
    if [[ $features == sha2 ]]; then check hashes 'no libc' "${bare[@]}"; fi
done
for name in token life; do
    check "$name" 'no libc' "${bare[@]}"
    check "$name" newlib-nano "${newlib[@]}"
done

echo 'what fails its checks must say so:'
link wrong.elf "${bare[@]}" -DCHECKS=wrong "$tests/main.c" "$tests/wrong.c"
if run wrong.elf 2>&1; then
    echo 'but it passed'
    exit 1
fi

echo 'what can panic must not link:'
build_library panic-control
if link control.elf "${bare[@]}" "$tests/control.c" 2>"$build/errors"; then
    echo 'but it did'
    exit 1
fi
grep -o 'undefined reference to .keyfob_has_a_panic_path.' "$build/errors" || { cat "$build/errors"; exit 1; }
