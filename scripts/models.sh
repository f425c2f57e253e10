#!/bin/sh
# SPDX-License-Identifier: MIT
# models.sh - prints which files of which well-known CLIP checkpoints go where.  Fetches nothing.
set -eu
page=$(cd "$(dirname "$0")/.." && pwd)/docs/models.md
sed -n '/^<!-- models.sh -->$/,/^<!-- \/models.sh -->$/{/^<!--/d; /^```/d; p}' "$page"
