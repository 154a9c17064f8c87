# What stands on the FAT partition: the board's firmware and U-Boot, the boot script, and what the technician writes;
# read by assemble.sh.

fat=$WORK/fat
mkdir "$fat"
board=$IMAGE/boards/$BOARD
cp "$IMAGE/boot/boot.cmd" "$WORK/boot.cmd"
at_bench mkimage -q -A arm64 -O linux -T script -C none -n 'Trapline' -d /work/boot.cmd /work/boot.scr
cp "$WORK/boot.scr" "$fat/boot.scr"
cp "$board/board.env" "$fat/board.env"
# With the line ends of old editors, which show a file without them as one line.
sed 's/\r*$/\r/' "$CARD" >"$fat/trapline.toml"
if [ "$BOARD" = virt ]; then
  cp "$BOOT/usr/lib/u-boot/qemu_arm64/u-boot.bin" "$OUT/u-boot.bin"
else
  cp "$firmware"/*.elf "$firmware"/*.dat "$firmware"/bootcode.bin "$fat/" 2>/dev/null || cp "$firmware"/*.elf "$firmware"/*.dat "$fat/"
  cp "$dtbs"/*.dtb "$fat/"
  cp "$BOOT/usr/lib/u-boot/rpi_arm64/u-boot.bin" "$fat/u-boot.bin"
  cp "$board/config.txt" "$fat/config.txt"
  mkdir "$fat/overlays"
  for source in "$IMAGE"/boot/overlays/*.dts; do
    name=$(basename "$source" .dts)
    cp "$source" "$WORK/$name.dts"
    at_bench dtc -q -@ -I dts -O dtb -o "/work/$name.dtbo" "/work/$name.dts"
    cp "$WORK/$name.dtbo" "$fat/overlays/"
  done
fi
find "$fat" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
