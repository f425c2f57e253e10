# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # of $sources
# sources.sh - to be read by others: what libmopd stands on, as the sources of Debian's packages, each with its hash.
archives=$PWD/build/sources

#: zlib          z/zlib/zlib_1.2.13.dfsg.orig.tar.bz2 71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1
#: libpng        libp/libpng1.6/libpng1.6_1.6.39.orig.tar.gz a00e9d2f2f664186e4202db9299397f851aea71b36a35e74910b8820e380d441
#: libjpeg-turbo libj/libjpeg-turbo/libjpeg-turbo_2.1.5.orig.tar.gz 254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c
#: jansson       j/jansson/jansson_2.14.orig.tar.gz c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b
#: utf8proc      u/utf8proc/utf8proc_2.8.0.orig.tar.gz a0a60a79fe6f6d54e7d411facbfcc867a6e198608f2cd992490e46f04b1bcecc
#: libffi        libf/libffi/libffi_3.4.4.orig.tar.gz d66c56ad259a82cf2a9dfc408b32bf5da52371500b84745f7fb8b645712df676
#: python        p/python3.11/python3.11_3.11.2.orig.tar.gz 2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849
#: cmocka        c/cmocka/cmocka_1.1.5.orig.tar.xz f0ccd8242d55e2fd74b16ba518359151f6f8383ff8aef4976e48393f77bba8b6

# unpack NAME - into $sources/NAME, which is $source then.
unpack()
{
    path="" hash=""
    read -r path hash < <(sed -n "s/^#: $1  *//p" scripts/sources.sh)
    archive=$archives/${path##*/}
    mkdir -p "$archives/partial"
    if ! sha256sum --check --status <<<"$hash  $archive" 2>/dev/null; then
        /usr/lib/apt/apt-helper download-file "http://deb.debian.org/debian/pool/main/$path" "$archive" "SHA256:$hash" >&2
    fi
    source=$sources/$1
    mkdir -p "$source"
    tar -xf "$archive" -C "$source" --strip-components=1 --no-same-owner
}
