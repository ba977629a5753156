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

# All that C can call, and with it every way that could lead to a panic.
link_everything() {
    local functions
    functions=$(arm-none-eabi-nm "$library" 2>/dev/null | awk '$2 == "T" && $3 ~ /^keyfob_/ { print "-Wl,-u," $3 }')
    # shellcheck disable=SC2086 # one argument a function
    link everything.elf "${bare[@]}" $functions -DCHECKS=token "$tests/main.c" tests/c/{token,memory}.c
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
    link_everything
    echo "no panic path with [$features]"
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
