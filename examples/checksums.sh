#!/usr/bin/env bash
# Checksums of all files under a folder: a command job, one task per file, in the order of the names.
#
#   bash examples/checksums.sh /usr/share/common-licenses > checksums.txt
#
# prints what `sha256sum` prints for each file, so `sha256sum -c checksums.txt` can check it. Names may
# hold spaces, quotes or line breaks: they are separated by NUL and given to the command as they are.
set -euo pipefail

folder=$(cd "${1:-.}" && pwd)
find "$folder" -type f -print0 | LC_ALL=C sort -z |
  "${CC_PROGRAM:-cc}" submit --name checksums -0 --each-line - -- sha256sum {}
