# Sourced by examples/run.sh and tests/run.sh. Installs, where apt-get is the package manager, those of the named packages
# that are missing, and sets the array `cmake_options` for what cannot be had that way.

# need PACKAGE...
need() {
  cmake_options=()
  local missing=() package
  if command -v apt-get >/dev/null; then
    for package in "$@"; do
      dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    if [ ${#as_root[@]} -eq 0 ] || command -v sudo >/dev/null; then
      echo "installing: ${missing[*]}"
      "${as_root[@]}" apt-get -qq update
      DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
      return
    fi
    echo "missing, and no rights to install: ${missing[*]}" >&2
  else
    echo "this system has no apt-get; needed are: a C++20 compiler (GCC 11, Clang 14 or newer), CMake 3.23 or newer, make," >&2
    echo "and Eigen 3.4, fmt 9, Catch2 2.13, CLI11 2, nlohmann/json 3.9 or newer; with MPI its adapter is tested too" >&2
  fi
  echo "whatever CMake does not find of the libraries is downloaded" >&2
  cmake_options=(-DCOLLAPSE_FETCH_DEPENDENCIES=ON)
}

jobs() {
  getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}
