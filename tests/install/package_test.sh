#!/bin/sh
# package_test.sh BUILD SCRATCH VERSION: installs, then builds and runs strangers' programs on it.
. "$(dirname "$0")/lib.sh"
build=$1 scratch=$2 version=$3
prefix=$scratch/prefix

rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$build" --prefix "$prefix" >"$scratch/install.log"

# ---- what is there

lib=$(dirname "$(find "$prefix" -name libthespis.a)")
[ -f "$lib/libthespis.a" ] || fail "no libthespis.a"
[ -f "$prefix/include/thespis/thespis.h" ] || fail "no headers"
[ -f "$lib/pkgconfig/thespis.pc" ] || fail "no thespis.pc"
[ -f "$lib/cmake/thespis/thespisConfig.cmake" ] || fail "no thespisConfig.cmake"
[ -f "$lib/cmake/thespis/thespisConfigVersion.cmake" ] || fail "no thespisConfigVersion.cmake"
readelf -d "$lib/libthespis.so" | grep -q 'SONAME.*\[libthespis\.so\.0\]' || fail "SONAME"
[ -f "$prefix/include/thespis/thespis.hpp" ] || fail "no header for C++"
[ -x "$prefix/bin/thespis-cert" ] || fail "no thespis-cert"
others=$(find "$prefix/include" -type f -not -path '*/include/thespis/*.h' \
    -not -path '*/include/thespis/thespis.hpp')
[ -z "$others" ] || fail "more than headers: $others"

# ---- by find_package

mkdir "$scratch/stranger"
cp "$here/stranger.cmake" "$scratch/stranger/CMakeLists.txt"
cp "$here/consumer.c" "$here/consumer.cpp" "$scratch/stranger"
cmake -S "$scratch/stranger" -B "$scratch/find_package" -G Ninja \
    -DCMAKE_PREFIX_PATH="$prefix" >"$scratch/configure.log" 2>&1 ||
    { cat "$scratch/configure.log"; fail "find_package"; }
cmake --build "$scratch/find_package" >"$scratch/build.log" 2>&1 ||
    { cat "$scratch/build.log"; fail "building on find_package"; }
for program in "$scratch"/find_package/consumer_*; do
    [ -x "$program" ] || fail "no programs were built"
    "$program" || fail "$program gives $?"
done
! ldd "$scratch/find_package/consumer_c_static" | grep -q libthespis ||
    fail "thespis::static links the shared library"
ldd "$scratch/find_package/consumer_c_thespis" | grep -q "$lib/libthespis.so.0" ||
    fail "thespis::thespis does not link the installed shared library"

# ---- by pkg-config, as C and as C++, shared and static

export PKG_CONFIG_PATH="$lib/pkgconfig"
[ "$(pkg-config --modversion thespis)" = "$version" ] || fail "version in thespis.pc"
define="-DEXPECTED_VERSION=\"$version\""
shared=$(pkg-config --cflags --libs thespis)
# The archive by name: -lthespis would prefer the shared library beside it.
static="$(pkg-config --cflags thespis) $lib/libthespis.a $(pkg-config --static --libs thespis |
    sed 's/-lthespis//')"
# The flags are lists of words on purpose.
# shellcheck disable=SC2086
{
    gcc -std=c11 "$define" "$here/consumer.c" $shared -o "$scratch/c_shared"
    gcc -std=c11 "$define" "$here/consumer.c" $static -o "$scratch/c_static"
    g++ -std=c++17 "$define" "$here/consumer.cpp" $shared -o "$scratch/cpp_shared"
    g++ -std=c++17 "$define" "$here/consumer.cpp" $static -o "$scratch/cpp_static"
}
for program in c_shared c_static cpp_shared cpp_static; do
    LD_LIBRARY_PATH=$lib "$scratch/$program" || fail "$program gives $?"
done
! ldd "$scratch/c_static" | grep -q libthespis || fail "the static program is not"

# ---- a moved installation still works: nothing in it knows the prefix

mv "$prefix" "$scratch/moved"
! grep -rl "$prefix" "$scratch/moved" --include='*.pc' --include='*.cmake' ||
    fail "the prefix is written into the package"
echo "installed, found, built and run"
