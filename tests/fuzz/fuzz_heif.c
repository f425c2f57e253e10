/* SPDX-License-Identifier: MIT
 * fuzz_heif.c - bytes as a HEIF or AVIF picture, which a build without their library refuses.
 *
 * libheif 1.15 forgets a block of dav1d's where the alpha of an AVIF file is damaged; docs/security.md says so. */
#include "picture.h"

#include "format/image_decode.h"

/* The sanitizer asks for it by this name. NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *__lsan_default_suppressions(void);
/* NOLINTNEXTLINE(bugprone-reserved-identifier) */
const char *__lsan_default_suppressions(void)
{
    return "leak:libdav1d\n";
}

void fuzz_one(const uint8_t *data, size_t n)
{
    (void)fuzz_picture(mo_image_decode, data, n, (mo_image_rules){.upright = n % 2});
}
