#!/bin/sh
# Two foreign tus clients against the real program.
# Call: run.sh PATH/TO/trapline-server
# Needs python3 with venv, node and npm; installs the clients into a temporary folder.
set -eu
program=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
children=
stop() {
    for child in $children; do kill "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap stop EXIT INT TERM

# The first line of a file that a child is about to write.
first_line() {
    tries=0
    while ! grep -q . "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { echo "no answer in $1" >&2; exit 1; }
        sleep 0.1
    done
    head -n 1 "$1"
}

cutting() {
    python3 "$here/cutting_proxy.py" "$address" 300000 >"$work/proxy-$1" &
    children="$children $!"
    echo "http://$(first_line "$work/proxy-$1")/api/v1/uploads" >"$work/url-$1"
}

python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet install tuspy==1.1.0
mkdir "$work/js"
(cd "$work/js" && npm init --yes >/dev/null && npm install --silent tus-js-client@4.3.1)

key=$("$program" trap add clients --data "$work/data" 2>/dev/null)
"$program" serve --data "$work/data" --listen 127.0.0.1:0 >"$work/serve" 2>"$work/log" &
children="$children $!"
address=$(first_line "$work/serve" | sed 's,.*//,,')
head -c 3000000 /dev/urandom >"$work/picture"
sha256=$(sha256sum "$work/picture" | cut -d' ' -f1)
direct="http://$address/api/v1/uploads"

cutting py
"$work/venv/bin/python" "$here/with_tuspy.py" "$direct" "$(cat "$work/url-py")" "$key" "$work/picture"
cutting js
node "$here/with_tus_js_client.mjs" "$direct" "$(cat "$work/url-js")" "$key" "$work/picture" "$work/js"

shelf=$(printf %.2s "$sha256")
cmp "$work/picture" "$work/data/blobs/$shelf/$sha256"
[ "$(find "$work/data/blobs" -type f | wc -l)" = 1 ]
echo "clients: all uploads are one stored picture, byte for byte"
