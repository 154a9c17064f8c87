# File systems and the disk with its partitions, all of them files; read by assemble.sh.
#
#   sectors of 512 bytes     1 MiB and 2 MiB: the boot script's variables, twice
#   4 MiB    128 MiB  FAT    firmware, boot script, trapline.toml
#   132 MiB  1152 MiB ext4   slot A
#   1284 MiB 1152 MiB ext4   slot B, empty until the first update
#   2436 MiB 128 MiB  ext4   /data, which grows

slot_mb=1152 fat_mb=128 data_mb=128

cat >"$WORK/mke2fs.conf" <<'END'
[defaults]
	base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
	default_mntopts = acl,user_xattr
	enable_periodic_fsck = 0
	blocksize = 4096
	inode_size = 256
	inode_ratio = 16384
[fs_types]
	ext4 = {
		features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
	}
	small = {
		blocksize = 4096
	}
END
ext4() { # FILE SIZE_MB LABEL NUMBER and more options
  file=$1 size_mb=$2 label=$3 number=$4
  shift 4
  rm -f "$WORK/$file"
  truncate -s "${size_mb}M" "$WORK/$file"
  chroot "$bench" env -i PATH=/usr/sbin:/usr/bin LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
    MKE2FS_CONFIG=/work/mke2fs.conf mke2fs -q -t ext4 -L "$label" -U "54524150-0000-4000-8000-00000000000$number" \
    -E "hash_seed=54524150-0000-4000-8000-0000000000f$number,lazy_itable_init=0,nodiscard" "$@" "/work/$file" "${size_mb}M"
}
# A slot is never written while it is mounted, so it needs no journal.
ext4 slot.img $slot_mb trapline-root 2 -m 0 -O ^has_journal -d /work/root.tar
mkdir "$WORK/data"
ext4 data.img $data_mb trapline-data 4 -m 1 -J size=16

truncate -s ${fat_mb}M "$WORK/fat.img"
at_bench mkfs.vfat -F 32 -s 2 -n TRAPLINE -i 54524150 --invariant /work/fat.img >/dev/null
(cd "$fat" && find . -mindepth 1 -type d | sort) | while read -r name; do
  at_bench mmd -i /work/fat.img "::${name#.}"
done
(cd "$fat" && find . -type f | sort) | while read -r name; do
  at_bench mcopy -m -i /work/fat.img "/work/fat/${name#./}" "::${name#.}"
done

cp "$IMAGE/boot/slots.env" "$WORK/slots.txt"
at_bench mkenvimage -s 4096 -o /work/slots.bin /work/slots.txt

disk=$WORK/disk.img
truncate -s $((4 + fat_mb + 2 * slot_mb + data_mb))M "$disk"
at_bench sfdisk --quiet /work/disk.img <<END
label: dos
label-id: 0x54524150
unit: sectors
start=$((4 * 2048)), size=$((fat_mb * 2048)), type=c, bootable
start=$(((4 + fat_mb) * 2048)), size=$((slot_mb * 2048)), type=83
start=$(((4 + fat_mb + slot_mb) * 2048)), size=$((slot_mb * 2048)), type=83
start=$(((4 + fat_mb + 2 * slot_mb) * 2048)), size=$((data_mb * 2048)), type=83
END
put() { dd if="$WORK/$1" of="$disk" bs=1M seek="$2" conv=notrunc,sparse status=none; }
put slots.bin 1
put slots.bin 2
put fat.img 4
put slot.img $((4 + fat_mb))
put data.img $((4 + fat_mb + 2 * slot_mb))
du -sm "$root" | cut -f1 >"$OUT/root-mb"
echo "$kernel" >"$OUT/kernel"
mv "$disk" "$WORK/slot.img" "$OUT/"
