# Takes out of the root what differs from build to build or that no trap reads; read by assemble.sh.

rm -rf "$root"/var/log/* "$root"/var/cache/* "$root"/var/tmp/* "$root"/tmp/* "$root"/run/* \
  "$root"/var/lib/apt/lists "$root"/var/lib/dpkg/*-old "$root"/var/lib/dpkg/lock* "$root"/var/lib/dpkg/triggers/Lock \
  "$root"/var/lib/systemd/* "$root"/var/lib/ucf/*.[0-9] "$root"/var/lib/NetworkManager/* \
  "$root"/etc/*- "$root"/etc/.pwd.lock "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/root/.[a-z]* "$root"/etc/hostname.new "$root"/var/lib/initramfs-tools \
  "$root"/usr/share/locale "$root"/usr/share/man "$root"/usr/share/info \
  "$root"/usr/lib/python3*/**/__pycache__
mkdir -p "$root"/var/lib/apt/lists
# The list of packages is part of what describes the image.
cp "$root/var/lib/dpkg/status" "$OUT/dpkg-status"
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
