#!/bin/sh
# sysroot.sh ARCH DIR PACKAGE...: headers and libraries of another architecture, unpacked into DIR
# with all that they need, from the distribution that this machine is installed from.
#
# Nothing is installed and nothing of it is run, no root is needed: apt resolves for ARCH alone, with
# a state of its own below DIR, so that the machine's packages and architectures stay as they are.
# DIR/dpkg is a package database that names the unpacked files, for dpkg-query and dpkg-shlibdeps.
set -eu
arch=$1
[ $# -gt 2 ] || { echo "usage: sysroot.sh ARCH DIR PACKAGE..." >&2; exit 2; }
mkdir -p "$2"
sys=$(cd "$2" && pwd)
shift 2

state=$sys/apt
mkdir -p "$state/lists/partial" "$state/archives/partial"
: >"$state/status"
cat >"$state/apt.conf" <<END
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Install-Recommends "false";
Acquire::Languages "none";
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "$state/status";
Dir::Cache "$state";
Dir::Cache::archives "$state/archives";
Dir::Log "$state";
Debug::NoLocking "true";
END
[ "$(id -u)" -ne 0 ] || echo 'APT::Sandbox::User "root";' >>"$state/apt.conf"
export APT_CONFIG="$state/apt.conf"
# A mirror whose security index lags behind still has the release that it amends.
apt-get -q update || echo "sysroot: going on without the indexes that failed"
apt-get -q -y --download-only install "$@"

dpkg=$sys/dpkg
rm -rf "$dpkg"
mkdir -p "$dpkg/info" "$dpkg/updates"
echo 1 >"$dpkg/info/format"
{ dpkg --print-architecture; echo "$arch"; } >"$dpkg/arch"
field() {
	dpkg-deb -f "$deb" "$@"
}
for deb in "$state"/archives/*.deb; do
	dpkg-deb -x "$deb" "$sys"
	name=$(field Package)
	[ "$(field Multi-Arch)" != same ] || name=$name:$arch
	{ field | sed '1a Status: install ok installed'; echo; } >>"$dpkg/status"
	dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n "s|^\.\(/.*[^/]\)\$|$sys\1|p" \
		>"$dpkg/info/$name.list"
	for about in symbols shlibs; do
		dpkg-deb -I "$deb" "$about" >"$dpkg/info/$name.$about" 2>/dev/null ||
			rm -f "$dpkg/info/$name.$about"
	done
done
# What links to a place on the machine means that place in here.
find "$sys/lib" "$sys/usr" -type l -lname '/*' | while read -r link; do
	ln -sfn "$sys$(readlink "$link")" "$link"
done
rm -f "$state"/archives/*.deb
