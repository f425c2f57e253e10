/* SPDX-License-Identifier: MIT
 * sha256.h - SHA-256 (FIPS 180-4) for fingerprints and content hashes. */
#ifndef MO_BASE_SHA256_H
#define MO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct mo_sha256 {
    uint32_t h[8];
    uint64_t n_bytes;
    unsigned char block[64];
} mo_sha256;

void mo_sha256_init(mo_sha256 *s);
void mo_sha256_add(mo_sha256 *s, const void *bytes, size_t n);
void mo_sha256_hex(mo_sha256 *s, char hex[65]);               /* ends the hash */
void mo_sha256_of(char hex[65], const void *bytes, size_t n); /* all three */

#endif
