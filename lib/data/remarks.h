/* SPDX-License-Identifier: MIT
 * remarks.h - what a user should be told of data that opened all the same: mopd_dataset_get_remark. */
#ifndef MO_DATA_REMARKS_H
#define MO_DATA_REMARKS_H

#include "base/mem.h"
#include "mopd/dataset.h"

typedef struct mo_remarks_item {
    int32_t kind; /* MOPD_REMARK_... */
    size_t n;     /* files, pictures or classes */
    char *what;   /* MOPD_REMARK_PASSED_OVER: ".txt", or one of the words below */
    char *text;   /* the sentence, or the first path until mo_remarks_finish */
} mo_remarks_item;

/* Start from {0}. */
typedef struct mo_remarks {
    mo_remarks_item *item;
    size_t n;
    bool off; /* nothing is counted */
} mo_remarks;

/* Beside endings. */
#define MO_REMARKS_HIDDEN "hidden"
#define MO_REMARKS_LEFTOVER "leftover" /* of an operating system */
#define MO_REMARKS_EMPTY "empty"       /* folders without a picture */
#define MO_REMARKS_LOOSE "loose"       /* pictures outside of class folders */
#define MO_REMARKS_BESIDE "beside"     /* pictures in folders beside the splits */

/* Why a name is passed over wherever it stands: HIDDEN, LEFTOVER, or NULL for any other name. */
const char *mo_remarks_why(const char *name);

/* Counts n files or folders that are passed over, `path` among them. */
mopd_status mo_remarks_pass(mo_remarks *r, const char *what, const char *path, size_t n);

/* The same for one file of no use, by its ending. */
mopd_status mo_remarks_pass_file(mo_remarks *r, const char *path);

mopd_status mo_remarks_addf(mo_remarks *r, int32_t kind, size_t n, const char *format, ...)
    MO_FAIL_FORMAT(4, 5);

/* Makes sentences of what was counted. */
mopd_status mo_remarks_finish(mo_remarks *r);

/* Appends copies of the remarks of one kind. */
mopd_status mo_remarks_copy(mo_remarks *to, const mo_remarks *from, int32_t kind);
void mo_remarks_free(mo_remarks *r);

#endif
