#!/bin/sh
# SPDX-License-Identifier: MIT
# deb_inside.sh FOLDER - run inside another Debian, from the repository's root: its apt installs the packages in FOLDER; the
# command and a C program are used; afterwards nothing is left.  FOLDER/inside.npy gets a picture's features.
set -eu
folder=$1
picture=tests/gold/pixels/420.jpg
files() { find / -xdev \( -path "$PWD" -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \) -prune -o -print | sort; }

files >/tmp/before
apt-get install -y -qq --no-install-recommends "$folder"/*.deb >/tmp/log 2>&1 || { cat /tmp/log >&2; exit 1; }
mopd --version
mopd classify --quiet --classes "cat,dog,bicycle" $picture
mopd encode --quiet --image $picture -o "$folder/inside.npy"
# shellcheck disable=SC2046 # words
gcc -std=c99 -Wall -Wextra -Werror tests/install/c/consumer.c $(pkg-config --cflags --libs mopd) -o /tmp/consumer
/tmp/consumer
dpkg --verify mopd mopd-data libmopd-dev libmopd0
apt-get purge -y -qq mopd mopd-data libmopd-dev libmopd0 >/tmp/log 2>&1 || { cat /tmp/log >&2; exit 1; }
rm /tmp/consumer
files | diff /tmp/before -
