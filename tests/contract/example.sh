#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the plugin API, copy the example away, build it with make and with CMake, and hold each
# module to the contract.  Usage: example.sh <example> <build tree> <test program>
set -eu

example=$1 build=$2 program=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$CMAKE" --install "$build" --component plugin-api --prefix "$work/prefix" >/dev/null
found=$(find "$work/prefix" -name cowgate-plugin.pc)
PKG_CONFIG_PATH=$(dirname "$found")${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH

# An archive built for a sanitizer wants its runtime in the module too.
flags="-Wall -Wextra -Werror"
if [ -n "${SANITIZE:-}" ]; then
	flags="$flags -fsanitize=$SANITIZE"
fi

cp -R "$example" "$work/by-make"
make -s -C "$work/by-make" CC="$CC" CFLAGS="$flags" notes.so
COWGATE_RIG_MODULES="$work/by-make" "$program"

cp -R "$example" "$work/by-cmake"
"$CMAKE" -S "$work/by-cmake" -B "$work/by-cmake/build" -DCMAKE_C_COMPILER="$CC" \
	-DCMAKE_C_FLAGS="$flags" -DCMAKE_MODULE_LINKER_FLAGS="$flags" >/dev/null
"$CMAKE" --build "$work/by-cmake/build" >/dev/null
COWGATE_RIG_MODULES="$work/by-cmake/build" "$program"

# One symbol is all that a module shows.  A sanitizer adds its own.
shown=$(nm -D --defined-only "$work/by-make/notes.so" | awk '{print $3}')
if [ -z "${SANITIZE:-}" ] && [ "$shown" != cg_plugin ]; then
	echo "the module shows more than cg_plugin: $shown" >&2
	exit 1
fi
