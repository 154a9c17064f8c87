#!/bin/sh
# A Debian of the packages named, as an archive. Runs in the namespace.
#
#   bootstrap.sh OUT.tar ARCHITECTURE SUITE SOURCES PREFERENCES PACKAGE[,PACKAGE…]
set -eu
out=$1 architecture=$2 suite=$3 sources=$4 preferences=$5 packages=$6

# No initial file system is made yet: it is made once, when all that goes into it is there.
# The folder makes the Pi's firmware package put its files where they are looked for.
mmdebstrap --mode=root --quiet --format=tar --variant=minbase --architectures="$architecture" \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt="Dir::Etc::Preferences \"$preferences\"" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
  --dpkgopt='path-exclude=/usr/share/bug/*' \
  --include="$packages" \
  --setup-hook='mkdir -p "$1/boot/firmware"' \
  --essential-hook='if [ -d "$1/usr/lib/dpkg" ]; then chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs; ln -sf /bin/true "$1/usr/sbin/update-initramfs"; fi' \
  --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
  "$suite" "$out.new" "$sources"
mv "$out.new" "$out"
