#!/usr/bin/env bash
# Installs the build into a scratch folder, builds examples/ against it as another project would, and runs the example.
# Usage: installed.sh SOURCE BUILD
set -euo pipefail
source=$1 build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
cmake -S "$source/examples" -B "$scratch/build" -G Ninja -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE=Release --log-level=WARNING
cmake --build "$scratch/build" -- --quiet
"$scratch/build/entities" "$source/tests/golden/pipelines/ner-bert-cased" "Ada met Charles in London." | tee "$scratch/out"
grep -q ' [A-Z]' "$scratch/out"
# A folder that is not a checkpoint is one line and exit 1.
if "$scratch/build/entities" "$scratch" "x" 2>"$scratch/err"; then exit 1; fi
[ "$(wc -l <"$scratch/err")" -eq 1 ]
