#!/bin/sh
# SPDX-License-Identifier: MIT
# folder.sh FOLDER WHO CALL - makes the folder where it is missing and prints its whole path; where it cannot be written, WHO
# says so on standard error, and that CALL takes another.
set -eu
mkdir -p "$1" 2>/dev/null && [ -w "$1" ] || {
    echo "$2: cannot write in $1; another folder will do: $3" >&2
    exit 1
}
CDPATH="" cd -- "$1" && pwd
