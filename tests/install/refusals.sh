#!/bin/sh
# SPDX-License-Identifier: MIT
# refusals.sh - what the scripts of the first hour say where something is missing: a folder that can be written, the network,
# a package manager.  Nothing is installed, built or fetched: pip and the system are played.
. "$(dirname "$0")/../support/shell.sh"

# refuses WORDS COMMAND... - fails, and says WORDS in one line
refuses()
{
    words=$1
    shift
    ! "$@" >"$work/out" 2>"$work/err" || fail "$* passed"
    [ "$(wc -l <"$work/err")" = 1 ] && grep -qF -e "$words" "$work/err" || fail "$* says: $(cat "$work/err")"
}

for script in scripts/build.sh scripts/package.sh bindings/python/test.sh bindings/python/wheel.sh; do
    refuses "cannot write in /proc/mopd; another folder will do: $script" "$root/$script" /proc/mopd
done
pass "a folder that cannot be written is named, and the way to another"

mkdir "$work/bin"
cat >"$work/bin/python3" <<'PIP'
#!/bin/sh
for left in 1 0; do
    echo "WARNING: Retrying (Retry(total=$left)) after connection broken by 'NewConnectionError('<pip.Connection object at 0x7f>: \
Temporary failure in name resolution')': /simple/some/" >&2
done
echo "ERROR: No matching distribution found for some==1" >&2
exit 1
PIP
chmod +x "$work/bin/python3"
refuses "pip could not get some==1: NewConnectionError('Temporary failure in name resolution')" \
    env PATH="$work/bin:$PATH" "$root/scripts/fetch.sh" some==1 "$work/folder" member 00
[ ! -e "$work/folder" ]
pass "without network the cause is told, not what pip says last"

for tool in cat dirname grep sh; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
refuses "no apt-get; install these yourself: build-essential cmake" env PATH="$work/bin" "$root/scripts/setup.sh"
pass "without apt-get the packages are named"
all_passed
