/* SPDX-License-Identifier: MIT
 * consumer.c - the smallest program of a user: versions agree, a wrong path is a clean error. */
#include <mopd/mopd.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    mopd_encoder *encoder = NULL;
    mopd_status st = mopd_encoder_open(&encoder, "/nonexistent/model", NULL);
    if (mopd_version_number() != MOPD_VERSION_NUMBER) return 1;
    if (st != MOPD_E_IO || encoder || !strstr(mopd_last_error(), "/nonexistent/model")) {
        fprintf(stderr, "%s: %s\n", mopd_status_name(st), mopd_last_error());
        return 1;
    }
    return 0;
}
