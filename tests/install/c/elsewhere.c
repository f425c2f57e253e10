/* SPDX-License-Identifier: MIT
 * elsewhere.c - a program that works in another folder than it was started in, as daemons do, opens the built-in model. */
#define _POSIX_C_SOURCE 200809L
#include <mopd/mopd.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    mopd_encoder *encoder = NULL;
    if (chdir("/") || mopd_encoder_open(&encoder, NULL, NULL) != MOPD_OK) {
        fprintf(stderr, "%s\n", mopd_last_error());
        return 1;
    }
    mopd_encoder_close(encoder);
    return 0;
}
