/* SPDX-License-Identifier: MIT
 * pictures.h - the pictures that classify and encode answer for: files and folders, or a data set whose features may
 * be there already. */
#ifndef MOPD_CLI_PICTURES_H
#define MOPD_CLI_PICTURES_H

#include "data.h"

typedef struct cli_pictures {
    cli_list files;     /* of each picture, where it lies */
    mopd_dataset *data; /* NULL: files were named */
} cli_pictures;

/* The data set of -d, a single feature store among the arguments, or all that they name.  -1 to go on, else the exit
 * status after reporting. */
int cli_pictures_open(
    cli_pictures *pictures, cli_data *data, char **arguments, size_t n_arguments, const char *command);

/* A data set's features: those of a store, whose model must be this one, or encoded now.  -1 as above. */
int cli_pictures_ready(
    cli_pictures *pictures, cli_data *data, const mopd_encoder *encoder, const cli_common *common);

/* Each picture's feature, in order, as mopd_encoder_encode_files gives it. */
mopd_status cli_pictures_each(
    const cli_pictures *pictures, const mopd_encoder *encoder, mopd_encoded_fn fn, void *context);

void cli_pictures_close(cli_pictures *pictures);

#endif
