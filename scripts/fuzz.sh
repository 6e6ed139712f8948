#!/usr/bin/env bash
# Fuzzes one target under the address and undefined-behaviour sanitizers, from its seeds. What it learns is kept in
# build-fuzz/corpus/NAME for the next run, what it finds in build-fuzz/findings/NAME. docs/formats.md says more.
# Usage: scripts/fuzz.sh NAME [SECONDS]            fuzz
#        scripts/fuzz.sh NAME merge                the smallest set of inputs that reaches the same, into build-fuzz/merged/NAME
# Needs clang++ with its libFuzzer (Debian 12: clang libclang-rt-14-dev; CXX=clang++-16 chooses another).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${1:?usage: scripts/fuzz.sh NAME [SECONDS | merge]}
[ -f build-fuzz/build.ninja ] || cmake --preset fuzz ${CXX:+-DCMAKE_CXX_COMPILER="$CXX"} --log-level=WARNING
[ -n "${FUZZ_NO_BUILD:-}" ] || cmake --build --preset fuzz --target "${name}_fuzz" -- --quiet

corpus=build-fuzz/corpus/$name findings=build-fuzz/findings/$name merged=build-fuzz/merged/$name
mkdir -p "$corpus" "$findings"
if [ "${2:-}" = merge ]; then
  rm -rf "$merged" && mkdir -p "$merged"
  exec "build-fuzz/fuzz/${name}_fuzz" -merge=1 -rss_limit_mb=2048 -max_len=65536 "$merged" "fuzz/seeds/$name" "$corpus"
fi
dictionary=fuzz/dictionaries/$name
[ -f "$dictionary" ] || dictionary=
exec nice -n 19 "build-fuzz/fuzz/${name}_fuzz" -fork=0 -max_total_time="${2:-620}" -timeout="${FUZZ_TIMEOUT:-10}" -report_slow_units="${FUZZ_SLOW:-2}" -rss_limit_mb=2048 \
  -max_len=65536 -print_final_stats=1 -artifact_prefix="$findings/" ${dictionary:+-dict="$dictionary"} "$corpus" "fuzz/seeds/$name"
