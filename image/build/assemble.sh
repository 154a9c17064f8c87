#!/bin/sh
# Puts the image together from its parts. Runs in the namespace; all that decides the bytes comes in by these names:
#
#   WORK        an empty folder            BASE       the root file system's packages, an archive
#   OUT         where the parts go         WORKBENCH  the tools, an archive
#   IMAGE       the room `image`           AGENT      the agent's package
#   BOARD       one of image/boards        CERT       who signs updates; may be empty
#   CARD        trapline.toml              BOOT       folder with U-Boot's files, unpacked
#   VERSION     what the image calls itself
#   SOURCE_DATE_EPOCH
set -eu
export LC_ALL=C TZ=UTC
umask 022
root=$WORK/root bench=$WORK/bench
mkdir "$root" "$bench"

say() { echo "   $*"; }
at_bench() { chroot "$bench" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C TZ=UTC HOME=/ SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@"; }
on_trap() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC HOME=/ DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@"; }

say "unpacking packages and tools"
tar -xf "$BASE" -C "$root" --numeric-owner --exclude='./dev/*'
tar -xf "$WORKBENCH" -C "$bench" --numeric-owner --exclude='./dev/*'
for place in "$root" "$bench"; do
  mount --rbind /dev "$place/dev"
  mount -t proc proc "$place/proc"
done
mkdir "$bench/work"
mount --bind "$WORK" "$bench/work"

say "the trap's own files and the agent"
. "$IMAGE/build/root.sh"

say "the initial file system"
kernel=$(ls "$root/usr/lib/modules")
. "$IMAGE/build/kernel.sh"

say "the technician's partition"
. "$IMAGE/build/firmware.sh"

say "the slot"
umount -l "$root/dev" "$root/proc"
. "$IMAGE/build/leave-no-trace.sh"
tar --sort=name --numeric-owner --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime -C "$root" -cf "$WORK/root.tar" .
. "$IMAGE/build/disk.sh"
