/* SPDX-License-Identifier: MIT
 * api_image.h - what a mopd_image holds, for the other api files. */
#ifndef MO_API_API_IMAGE_H
#define MO_API_API_IMAGE_H

#include <stdatomic.h>

#include "format/image.h"
#include "mopd/image.h"

struct mopd_image {
    mo_image picture;
    _Atomic(uint8_t *)
        *packed; /* of borrowed rows that are not: what mopd_image_samples has made, or NULL so far */
};

/* The caller's options as rules; NULL: the defaults. */
mopd_status mo_api_image_rules(
    const char *function, mo_image_rules *rules, const mopd_image_options *options);

/* Moves the picture into a new handle, or frees it. */
mopd_status mo_api_image_wrap(mopd_image **out, mo_image *picture);

#endif
