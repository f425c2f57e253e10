/* SPDX-License-Identifier: MIT
 * fuzz_names.c - bytes as a file of names, for labels that are numbers and for some that are ids. */
#include "dataset.h"
#include "files.h"
#include "fuzz.h"

#include <stdio.h>

static void open_named(const char *list, const char *names)
{
    mopd_dataset *dataset = NULL;
    mopd_dataset_options options;
    FUZZ_MUST(mopd_dataset_options_init(&options, sizeof options) == MOPD_OK);
    options.names = names;
    if (FUZZ_READ(mopd_dataset_open(&dataset, list, &options), dataset)) {
        for (size_t c = 0; mopd_dataset_label_name(dataset, c); c++)
            FUZZ_MUST(*mopd_dataset_label_name(dataset, c) && *mopd_dataset_class_name(dataset, c));
        fuzz_dataset(dataset);
    }
    mopd_dataset_close(dataset);
}

/* A list of pictures beside the file of names. */
static void write_list(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    FUZZ_MUST(f && fputs(text, f) >= 0 && !fclose(f));
}

void fuzz_one(const uint8_t *data, size_t n)
{
    static const char *const lists[] = {"path,label\n1,0\n2,10\n3,9\n", "path,label\n1,n01\n2,n02\n"};
    char list[600];
    const char *names = fuzz_file(data, n);
    for (int i = 0; i < 2; i++) {
        snprintf(list, sizeof list, "%s.list", names);
        write_list(list, lists[i]);
        open_named(list, names);
    }
}
