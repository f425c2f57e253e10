# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# lint.sh - to be read by others: lintian has nothing to say of the packages in $folder.
"$root/scripts/setup.sh" lintian
known=bad-distribution-in-changes-file
if [ -z "${DEBEMAIL:-}" ]; then # a build that nobody signs names this machine
    known=$known,root-in-contact,bogus-mail-host,bogus-mail-host-in-debian-changelog
fi
lintian --allow-root --fail-on error,warning --suppress-tags "$known" "$folder"/*.deb
pass "lintian has neither errors nor warnings"
