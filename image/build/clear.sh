#!/bin/sh
# Removes a folder of the namespace, whose files may have any owner. Runs in the namespace.
set -eu
rm -rf "$1"
