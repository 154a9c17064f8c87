#!/bin/sh
# Installs, upgrades, removes and purges the packages in a copy of this system that is thrown away: everything is
# written into memory, in a mount namespace of its own. $1 is the folder of the packages, $2 one JPEG or nothing.
set -eu

if [ -z "${TRIAL_ROOT:-}" ]; then
    TRIAL_ROOT=$(mktemp -d)
    export TRIAL_ROOT
    if unshare --mount sh "$0" "$@"; then ended=0; else ended=$?; fi
    rmdir "$TRIAL_ROOT"
    exit "$ended"
fi

if [ "${TRIAL_STAGE:-outside}" = outside ]; then
    mount --make-rprivate /
    mount -t tmpfs none "$TRIAL_ROOT"
    mkdir "$TRIAL_ROOT/up" "$TRIAL_ROOT/work" "$TRIAL_ROOT/root" "$TRIAL_ROOT/debs"
    cp "$1"/*.deb "$TRIAL_ROOT/debs/"
    cp "$0" "$TRIAL_ROOT/debs/trial"
    [ -z "${2:-}" ] || cp "$2" "$TRIAL_ROOT/debs/picture.jpg"
    mount -t overlay none -o "lowerdir=/,upperdir=$TRIAL_ROOT/up,workdir=$TRIAL_ROOT/work" "$TRIAL_ROOT/root"
    for folder in proc sys dev; do mount --rbind "/$folder" "$TRIAL_ROOT/root/$folder"; done
    mount -t tmpfs none "$TRIAL_ROOT/root/run"
    mkdir "$TRIAL_ROOT/root/run/debs"
    mount --bind "$TRIAL_ROOT/debs" "$TRIAL_ROOT/root/run/debs"
    TRIAL_STAGE=inside exec chroot "$TRIAL_ROOT/root" sh /run/debs/trial
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C
cd /run/debs
ok() { echo "ok: $1"; }
must() { what=$1; shift; if "$@"; then ok "$what"; else echo "NOT: $what"; exit 1; fi; }
as() { user=$1; shift; setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; }
quiet() { "$@" >/run/said 2>&1 || { cat /run/said; return 1; }; }

must "packages install" quiet dpkg -i ./*.deb
must "the agent's user is there" quiet id -u trapline
must "the server's user is there" quiet id -u trapline-server
must "the settings are for the trap and root alone" test "$(stat -c '%U:%G %a' /etc/trapline/agent.toml)" = "root:trapline 640"
must "the ledger's folder is the trap's" test "$(stat -c '%U:%G %a' /var/lib/trapline)" = "trapline:trapline 750"
must "the agent starts with the system" systemctl is-enabled --quiet trapline-agent.service
must "the server starts with the system" systemctl is-enabled --quiet trapline-server.service
if trapline-agent config check >/run/said 2>&1; then echo "NOT: settings without a camera pass"; exit 1; fi
ok "settings without a camera are refused, so nothing starts by itself"

mkdir /run/pictures
[ ! -e picture.jpg ] || cp picture.jpg /run/pictures/
chmod -R a+rX /run/pictures
printf '\n[camera]\nkind = "folder"\nfolder = "/run/pictures"\n' >/run/camera.toml
sed -e '/^\[camera\]/d' /etc/trapline/agent.toml >/run/own.toml
cat /run/own.toml /run/camera.toml >/etc/trapline/agent.toml
settings=$(sha256sum </etc/trapline/agent.toml)
must "the agent takes a picture" quiet as trapline trapline-agent once
must "the agent wrote a ledger" test -s /var/lib/trapline/ledger.sqlite
as trapline trapline-agent status --json >/run/before.json
as trapline-server trapline-server trap add meadow-1 --data /var/lib/trapline-server >/run/said

mkdir newer
for deb in ./*.deb; do
    rm -rf /run/unpacked && dpkg-deb -R "$deb" /run/unpacked
    sed -i 's/^\(Version: .*\)$/\1+later/' /run/unpacked/DEBIAN/control
    quiet dpkg-deb --root-owner-group -Znone -b /run/unpacked newer/
done
files() { find /var/lib/trapline /var/lib/trapline-server -type f ! -name '*-shm' | sort | xargs sha256sum; }
files >/run/before
must "a newer version installs over it" quiet dpkg -i newer/*.deb
files >/run/after
must "the upgrade leaves ledger and database as they were" cmp /run/before /run/after
must "the upgrade leaves the changed settings" test "$settings" = "$(sha256sum </etc/trapline/agent.toml)"
as trapline trapline-agent status --json >/run/after.json
must "the older agent counted its captures" grep -o '"captures": *[0-9][0-9]*' /run/before.json
must "the newer agent counts the same" sh -c 'grep -o "\"captures\": *[0-9][0-9]*" /run/after.json | grep -qxF "$(grep -o "\"captures\": *[0-9][0-9]*" /run/before.json)"'
as trapline-server trapline-server trap list --data /var/lib/trapline-server >/run/said
must "the newer server knows its trap" grep -q meadow-1 /run/said

must "packages are removed" quiet dpkg -r trapline-agent trapline-server
must "the ledger stays" test -s /var/lib/trapline/ledger.sqlite
must "packages are purged, with nobody to ask" quiet dpkg -P trapline-agent trapline-server
must "the ledger stays still" test -s /var/lib/trapline/ledger.sqlite
must "the settings are gone" test ! -e /etc/trapline/agent.toml
must "packages install over what was left" quiet dpkg -i ./*.deb
echo "trapline-agent trapline-agent/purge-data boolean true" | debconf-set-selections
must "a purge with the answer yes" quiet dpkg -P trapline-agent trapline-server
must "the ledger is gone" test ! -e /var/lib/trapline
must "the server's data, of which nobody said so, stays" test -d /var/lib/trapline-server
