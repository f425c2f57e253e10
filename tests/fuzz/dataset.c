/* SPDX-License-Identifier: MIT
 * dataset.c - what must hold of a data set that an input made. */
#include "dataset.h"

#include <string.h>

#include "fuzz.h"

/* Labels name classes, texts end, and there is nothing beyond the last item. */
static void go_through(const mopd_dataset *dataset)
{
    mopd_dataset_info info = {.struct_size = sizeof info};
    mopd_item item = {.struct_size = sizeof item};
    FUZZ_MUST(mopd_dataset_get_info(dataset, &info) == MOPD_OK);
    for (size_t i = 0; i < info.n_items; i++) {
        FUZZ_MUST(mopd_dataset_get_item(dataset, i, &item) == MOPD_OK);
        FUZZ_MUST(item.label >= 0 && (uint32_t)item.label < info.n_classes);
        FUZZ_MUST(item.label == mopd_dataset_labels(dataset)[i]);
        FUZZ_MUST(item.split >= MOPD_SPLIT_NONE && item.split <= MOPD_SPLIT_TEST);
        fuzz_touch(item.file, strlen(item.file));
        fuzz_touch(item.path, strlen(item.path));
    }
    for (size_t c = 0; c < info.n_classes; c++) FUZZ_MUST(*mopd_dataset_class_name(dataset, c));
    FUZZ_MUST(!mopd_dataset_class_name(dataset, info.n_classes));
    FUZZ_MUST(mopd_dataset_get_item(dataset, fuzz_size(info.n_items), &item) == MOPD_E_ARG);
}

void fuzz_dataset(const mopd_dataset *dataset)
{
    mopd_dataset *part[4] = {NULL};
    mopd_selection selection;
    const char *first = mopd_dataset_class_name(dataset, 0);
    go_through(dataset);
    FUZZ_MUST(mopd_selection_init(&selection, sizeof selection) == MOPD_OK);
    selection.split = MOPD_SPLIT_TRAIN;
    selection.subset = MOPD_SUBSET_BASE;
    selection.shots = 1;
    (void)FUZZ_READ(mopd_dataset_select(&part[0], dataset, &selection), part[0]);
    (void)FUZZ_READ(mopd_dataset_pick(&part[1], dataset, &(size_t){0}, 1, MOPD_PICK_RELABEL), part[1]);
    (void)FUZZ_READ(mopd_dataset_leave_out(&part[2], dataset, 0), part[2]);
    (void)FUZZ_READ(mopd_dataset_withdraw(&part[3], dataset, NULL, first), part[3]);
    for (int i = 0; i < 4; i++) {
        if (part[i]) go_through(part[i]);
        mopd_dataset_close(part[i]);
    }
}

void fuzz_dataset_open(const char *path)
{
    static const uint32_t flags[] = {0, MOPD_DATASET_MAY_LACK_LABELS, MOPD_DATASET_UNLABELLED};
    for (int i = 0; i < 3; i++) {
        mopd_dataset *dataset = NULL;
        mopd_dataset_options options;
        FUZZ_MUST(mopd_dataset_options_init(&options, sizeof options) == MOPD_OK);
        options.flags = flags[i];
        if (FUZZ_READ(mopd_dataset_open(&dataset, path, &options), dataset)) fuzz_dataset(dataset);
        mopd_dataset_close(dataset);
    }
}
