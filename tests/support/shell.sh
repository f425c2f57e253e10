# SPDX-License-Identifier: MIT
# shell.sh - how a shell test begins, by a line of its own after its head comment:
#
#     . "$(dirname "$0")/../support/shell.sh"
#
# From then on a command that fails ends the test.  $here is the test's folder, $root the repository, $work an empty folder
# that goes when the test ends.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0

# pass WORDS - one fact more is shown; all_passed says how many, as the last line.
pass() { passed=$((passed + 1)); echo "ok: $1"; }
all_passed() { echo "$passed passed, 0 failed"; }

# fail WORDS - the test ends here.
fail() { echo "$(basename "$here"): $*" >&2; exit 1; }

# quietly COMMAND... - what it prints is shown when it fails.
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 50 "$work/log" >&2; exit 1; }; }
