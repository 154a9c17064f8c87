#!/bin/sh
# A signed bundle of one root slot. Runs in the namespace.
#
#   WORKBENCH the tools   SLOT the slot's image   CERT and KEY who signs   VERSION   OUT the bundle   SOURCE_DATE_EPOCH
set -eu
export LC_ALL=C TZ=UTC
umask 022
work=$(mktemp -d "$(dirname "$OUT")/bundle.XXXXXX")
trap 'umount -l "$work/bench/dev" "$work/bench/proc" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mkdir -p "$work/bench" "$work/content"
tar -xf "$WORKBENCH" -C "$work/bench" --numeric-owner --exclude='./dev/*'
mount --rbind /dev "$work/bench/dev"
mount -t proc proc "$work/bench/proc"
cp --sparse=always "$SLOT" "$work/content/root.ext4"
cp "$CERT" "$work/bench/cert.pem"
cp "$KEY" "$work/bench/key.pem"
mv "$work/content" "$work/bench/content"
cat >"$work/bench/content/manifest.raucm" <<END
[update]
compatible=trapline-arm64
version=$VERSION
build=$SOURCE_DATE_EPOCH

[bundle]
format=verity

[image.rootfs]
filename=root.ext4
END
chroot "$work/bench" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C TZ=UTC HOME=/ SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
  rauc --cert=/cert.pem --key=/key.pem --mksquashfs-args="-comp zstd -Xcompression-level 15 -processors 2" \
  bundle /content /bundle.raucb
mv "$work/bench/bundle.raucb" "$OUT.new"
mv "$OUT.new" "$OUT"
