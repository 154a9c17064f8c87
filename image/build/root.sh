# Lays the room's files over the root and installs the agent's package; read by assemble.sh.

# The package first: what the room lays over it, a link to the settings among it, stays.
case $AGENT in
*.deb)
  cp "$AGENT" "$root/agent.deb"
  on_trap dpkg --force-confnew --install /agent.deb >"$WORK/agent.log" 2>&1 || { cat "$WORK/agent.log"; exit 1; }
  rm "$root/agent.deb"
  ;;
esac

# Who may write these files in the workshop says nothing about the trap.
(cd "$IMAGE/root" && tar -cf - --owner=0 --group=0 --mode=u+rwX,go+rX,go-w .) | tar -xf - -C "$root" --no-same-owner
mkdir -p "$root/data" "$root/boot/firmware" "$root/var/lib/trapline" "$root/var/lib/NetworkManager"
ln -sf /run/NetworkManager/resolv.conf "$root/etc/resolv.conf"
# Empty: the initial file system lays the trap's own over it.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root"/etc/ssh/ssh_host_*
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id" 2>/dev/null || true

# Services: what the trap needs, and nothing that wants to write where nothing can be written.
on_trap systemctl --quiet enable trapline-firstboot.service trapline-log-tail.timer trapline-log-last.service \
  NetworkManager.service systemd-timesyncd.service ssh.service rauc.service
for unit in trapline-card.service trapline-status.timer trapline-hotspot.timer trapline-trial.service trapline-update.path \
  trapline-agent.service; do
  if [ -f "$root/usr/lib/systemd/system/$unit" ] || [ -f "$root/etc/systemd/system/$unit" ]; then
    on_trap systemctl --quiet enable "$unit"
  fi
done
on_trap systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service \
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  NetworkManager-wait-online.service systemd-machine-id-commit.service systemd-firstboot.service \
  systemd-update-done.service rpi-reconfigure-raspi-firmware.service rpi-set-sysconf.service \
  getty@.service serial-getty@.service autovt@.service ssh.socket

# Nobody has a password, so nobody logs in with one; root's key is what the card brings.
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"

if [ -n "$CERT" ]; then
  cp "$CERT" "$root/etc/rauc/keyring.pem"
  chmod 644 "$root/etc/rauc/keyring.pem"
else
  say "no certificate was given: this image takes no updates"
  rm -f "$root/etc/rauc/system.conf"
  on_trap systemctl --quiet disable rauc.service
fi
cat >"$root/etc/trapline-image" <<END
VERSION=$VERSION
BUILT=$SOURCE_DATE_EPOCH
END
# A Pi without a battery-backed clock begins no earlier than this.
: >"$root/usr/lib/clock-epoch"
