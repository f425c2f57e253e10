/* SPDX-License-Identifier: MIT
 * api_image.h - what a mopd_image holds, for the other api files. */
#ifndef MO_API_API_IMAGE_H
#define MO_API_API_IMAGE_H

#include "format/image.h"
#include "mopd/image.h"

struct mopd_image {
    mo_image picture;
};

#endif
