# Kernel and initial file system of the slot, under the names that the boot script loads; read by assemble.sh.

modules=$root/usr/lib/modules/$kernel/kernel
for gone in $(sed 's/#.*//' "$IMAGE/modules.gone"); do
  rm -rf "${modules:?}/$gone"
done
on_trap depmod "$kernel"
rm -f "$root/usr/sbin/update-initramfs"
on_trap dpkg-divert --quiet --local --rename --remove /usr/sbin/update-initramfs
# $INITRD is where one of the same packages and the same hooks is kept, or will be.
if [ ! -f "$INITRD" ]; then
  # The tools' own zstd packs it: the trap's, emulated, takes minutes.
  mkdir "$root/bench"
  mount --bind "$bench" "$root/bench"
  loader=$(cd "$bench" && ls lib*/ld-linux-*.so.* | head -n 1)
  libraries=$(cd "$bench" && ls -d usr/lib/*-linux-gnu | head -n 1)
  printf '#!/bin/sh\nexec "/bench/%s" --library-path "/bench/%s" /bench/usr/bin/zstd "$@"\n' "$loader" "$libraries" \
    >"$WORK/zstd"
  chmod 755 "$WORK/zstd"
  mount --bind "$WORK/zstd" "$root/usr/bin/zstd"
  on_trap mkinitramfs -o /boot/initrd.img.new "$kernel" >"$WORK/initrd.log" 2>&1 || { cat "$WORK/initrd.log"; exit 1; }
  umount "$root/usr/bin/zstd" "$root/bench"
  rmdir "$root/bench"
  cp "$root/boot/initrd.img.new" "$INITRD.new"
  mv "$INITRD.new" "$INITRD"
fi
cp "$INITRD" "$root/boot/initrd.img.new"
mv "$root/boot/vmlinuz-$kernel" "$WORK/vmlinuz"
mv "$root/boot/initrd.img.new" "$WORK/initrd.img"
dtbs=$WORK/dtbs
mkdir "$dtbs"
cp "$root/usr/lib/linux-image-$kernel"/broadcom/bcm27*-rpi-*.dtb "$root/usr/lib/linux-image-$kernel"/broadcom/bcm28*-rpi-*.dtb "$dtbs"
firmware=$WORK/firmware
cp -a "$root/usr/lib/raspi-firmware" "$firmware"
rm -rf "$root/usr/lib/linux-image-$kernel" "$root/usr/lib/raspi-firmware" "$root/boot" "$root/vmlinuz" "$root/initrd.img" \
  "$root/vmlinuz.old" "$root/initrd.img.old"
mkdir -p "$root/boot/firmware"
mv "$WORK/vmlinuz" "$WORK/initrd.img" "$root/boot/"
