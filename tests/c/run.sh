#!/usr/bin/env bash
# Builds and runs the C checks in five ways and compares what they print: the same bits whatever the target, compiler and processor.
#   tests/c/run.sh                       all five: native, sanitized, threads (ThreadSanitizer, the check of threads alone), clang, arm
#   tests/c/run.sh native arm            some of them
# CC, CLANG, ARM_CC and QEMU name the tools. Says at the end what was not run for want of one.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: "${CC:=cc}" "${CLANG:=$(compgen -c clang | grep -E -m1 '^clang(-[0-9]+)?$' || echo clang)}"
: "${ARM_CC:=aarch64-linux-gnu-gcc}" "${QEMU:=qemu-aarch64}"
flags="-std=gnu11 -pthread -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-unused-parameter -Wconversion -Werror -Icsrc -Icsrc/engine"
wrap="-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free"
missing=""

# check NAME RUNNER COMPILER...: everything built with that compiler and run by that runner; the first NAME's hashes are what the others must print.
check() {
    local name=$1 runner=$2 out=$work/$1 bits simd
    shift 2
    mkdir "$out"
    echo "== $name: $*"
    printf '%s\n' csrc/*.c csrc/targets/*.c |
        xargs -P "$(nproc)" -I{} sh -c '"$@" -c "$0" -o "'"$out"'/$(basename "$0" .c).o"' {} "$@" $flags
    "$@" $flags tests/c/engine_check.c "$out"/*.o -lm -o "$out/engine_check"
    "$@" $flags tests/c/door_check.c "$out"/*.o -lm $wrap -o "$out/door_check"
    "$@" $flags tests/c/threads_check.c "$out"/*.o -lm -o "$out/threads_check"
    $runner "$out/door_check"
    $runner "$out/threads_check" ${runner:+unforked} # qemu loses its way where a program with threads forks
    $runner "$out/engine_check" >"$out/engine" 2>"$out/targets" || { cat "$out/targets"; exit 1; }
    cat "$out/targets"
    compare "$out/engine" "$work/engine"
    for bits in 32 64; do
        for simd in $(sed 's/([^)]*)//g; s/targets://; s/;.*//' "$out/targets"); do
            "$@" $flags -DNN_BITS=$bits -DSIMD="\"simd_$simd.h\"" tests/c/vmath_check.c -lm -o "$out/vmath_check"
            $runner "$out/vmath_check" $([ "$name" = native ] || echo hash) >"$out/vmath_$simd$bits" || { cat "$out/vmath_$simd$bits"; exit 1; }
            sed -i '/ differences$/d; s/  error.*//' "$out/vmath_$simd$bits" # in hashes alone nothing depends on libm
            compare "$out/vmath_$simd$bits" "$work/vmath$bits"
            "$@" $flags -Wno-unused-function -DNN_BITS=$bits -DSIMD="\"simd_$simd.h\"" tests/c/panels_check.c -lm -o "$out/panels_check"
            $runner "$out/panels_check"
        done
    done
}

compare() {
    [ -e "$2" ] || cp "$1" "$2"
    diff "$2" "$1" || { echo "FAILED: these hashes differ"; exit 1; }
}

check_threads() {
    echo "== threads: $*"
    "$@" $flags tests/c/threads_check.c csrc/*.c csrc/targets/*.c -lm -o "$work/threads_check"
    TSAN_OPTIONS=halt_on_error=1 "$work/threads_check"
}

# check_if TOOL NAME ...: as check, where the tool is installed.
check_if() {
    local tool=$1
    shift
    if command -v "$tool" >/dev/null; then check "$@"; else missing="$missing $1 (no $tool)"; fi
}

for way in ${*:-native sanitized threads clang arm}; do
    case $way in
    native) check_if "$CC" native "" "$CC" -O3 ;;
    sanitized)
        export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
        check_if "$CC" sanitized "" "$CC" -O0 -g1 -Wno-sign-conversion -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all ;;
    threads)
        if command -v "$CC" >/dev/null; then check_threads "$CC" -O1 -g1 -Wno-sign-conversion -fsanitize=thread; else missing="$missing threads (no $CC)"; fi ;;
    clang) check_if "$CLANG" clang "" "$CLANG" -O2 ;;
    arm)
        if command -v "$QEMU" >/dev/null; then check_if "$ARM_CC" arm "$QEMU" "$ARM_CC" -O2 -static; else missing="$missing arm (no $QEMU)"; fi ;;
    *) echo "unknown way $way: native, sanitized, threads, clang or arm"; exit 2 ;;
    esac
done
echo "passed: all hashes are equal${missing:+; NOT RUN:$missing}"
