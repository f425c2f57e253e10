/* SPDX-License-Identifier: MIT
 * api.h - the manners of every public function, written once.
 *
 *     an argument that must be there and is NULL     ARG, "mopd_bank_create: encoder is NULL"
 *     a struct smaller than in the first release     ARG, "mopd_trainer_run: struct_size of mopd_run is 4, ..."
 *     a field or a flag that is newer than we are    VERSION
 *
 * A struct that callers share with us begins with uint32_t struct_size and grows at its end.  A program
 * compiled with an older header has a shorter one: what it lacks is the default when we read, and is left out
 * when we fill.  One compiled with a newer header has a longer one: we read it as long as what we do not know
 * is zero, and fill what we do not know with zeroes. */
#ifndef MO_API_API_H
#define MO_API_API_H

#include "base/fail.h"
#include "base/floats.h"
#include "base/stop.h"

/* OK, or ARG that names the calling function and the argument. */
#define MO_API_HAS(argument) ((argument) ? MOPD_OK : mo_api_refuse(__func__, #argument, "NULL"))

/* Returns that ARG from the calling function. */
#define MO_API_NEED(argument)                                                                                \
    do {                                                                                                     \
        if (!(argument)) return mo_api_refuse(__func__, #argument, "NULL");                                  \
    } while (0)

/* The same for a list of n, and for one of n rows, which may be NULL when it is empty.  ARG, too, for more than
 * memory can have: before a size is computed from it, and before anything is read. */
#define MO_API_NEED_LIST(list, n) MO_API_NEED_ROWS(list, n, 1)
#define MO_API_NEED_ROWS(list, n, width)                                                                     \
    do {                                                                                                     \
        mopd_status st_ =                                                                                    \
            mo_api_check_list(__func__, #list, list, (const size_t[3]){n, width, sizeof *(list)});           \
        if (st_ != MOPD_OK) return st_;                                                                      \
    } while (0)

/* The same for the features of n pictures, whose numbers must be such that logits come of them: NUMERIC. */
#define MO_API_NEED_FEATURES(features, n, width)                                                             \
    do {                                                                                                     \
        MO_API_NEED_ROWS(features, n, width);                                                                \
        mopd_status st_ = mo_floats_check_rows("feature", features, n, width);                               \
        if (st_ != MOPD_OK) return st_;                                                                      \
    } while (0)

/* The same for a number that must not be 0. */
#define MO_API_NEED_SOME(number)                                                                             \
    do {                                                                                                     \
        if (!(number)) return mo_api_refuse(__func__, #number, "0");                                         \
    } while (0)

/* The same for the place of a result, which is NULL from here on until there is one. */
#define MO_API_NEED_OUT(out)                                                                                 \
    do {                                                                                                     \
        MO_API_NEED(out);                                                                                    \
        *(out) = NULL;                                                                                       \
    } while (0)

/* What an opening gives, which the thread's callback may stop (mopd_runtime_set_stop). */
#define MO_API_OPENING(opening) (mo_stop_begin(), mo_stop_end(opening))

/* Every public struct with struct_size that callers hand in: its bytes in the first release where pointers have
 * 64 bits, how many pointers are among them, and the flags known today in its second field.  These are numbers
 * and never sizeof: today's size grows, that of the first release does not.  MO_API_NO_FLAGS: the second field
 * holds no flags that we read. */
#define MO_API_NO_FLAGS UINT32_MAX
#define MO_API_STRUCTS(X)                                                                                    \
    X(mopd_limits, 64, 0, 0)                                                                                 \
    X(mopd_image_options, 16, 0, MOPD_IMAGE_SCALE_GREY16 | MOPD_IMAGE_UPRIGHT)                               \
    X(mopd_frame, 120, 12,                                                                                   \
        MOPD_FRAME_SCALE_GREY16 | MOPD_FRAME_NO_ALPHA | MOPD_FRAME_BORROW | MOPD_FRAME_BT709 |               \
            MOPD_FRAME_FULL_RANGE)                                                                           \
    X(mopd_encoder_options, 16, 0,                                                                           \
        MOPD_OPEN_READ | MOPD_TEXT_TRUNCATE | MOPD_OPEN_SCALE_GREY16 | MOPD_OPEN_UPRIGHT | MOPD_TEXT_CLEAN | \
            MOPD_TEXT_AS_IS)                                                                                 \
    X(mopd_share_options, 24, 2, MO_API_NO_FLAGS)                                                            \
    X(mopd_encoder_info, 56, 0, MO_API_NO_FLAGS)                                                             \
    X(mopd_prompt_info, 56, 0, MO_API_NO_FLAGS)                                                              \
    X(mopd_trainer_options, 104, 2, MOPD_TRAIN_CLASS_CONTEXT | MOPD_TRAIN_NO_SHUFFLE)                        \
    X(mopd_setting, 72, 5, MO_API_NO_FLAGS)                                                                  \
    X(mopd_run, 96, 9, 0)                                                                                    \
    X(mopd_step, 64, 0, MO_API_NO_FLAGS)                                                                     \
    X(mopd_dataset_options, 16, 1,                                                                           \
        MOPD_DATASET_READ | MOPD_DATASET_UNLABELLED | MOPD_DATASET_MAY_LACK_LABELS)                          \
    X(mopd_dataset_info, 48, 0, MO_API_NO_FLAGS)                                                             \
    X(mopd_remark, 24, 1, MO_API_NO_FLAGS)                                                                   \
    X(mopd_item, 40, 3, MO_API_NO_FLAGS)                                                                     \
    X(mopd_selection, 24, 0, MO_API_NO_FLAGS)                                                                \
    X(mopd_encode_options, 40, 2, MOPD_ENCODE_SKIP_BAD | MOPD_ENCODE_SYNC | MOPD_ENCODE_FIXED)               \
    X(mopd_encode_counts, 64, 0, MO_API_NO_FLAGS)                                                            \
    X(mopd_metrics, 40, 0, MO_API_NO_FLAGS)                                                                  \
    X(mopd_recognizer_options, 72, 2, 0)                                                                     \
    X(mopd_recognizer_info, 104, 0, MO_API_NO_FLAGS)

#define MO_API_ENUM(type, first, n_pointers, flags) MO_API_##type,
typedef enum mo_api_struct { MO_API_STRUCTS(MO_API_ENUM) MO_API_N_STRUCTS } mo_api_struct;
#undef MO_API_ENUM

/* ARG: "<function>: <argument> is <what>". */
mopd_status mo_api_refuse(const char *function, const char *argument, const char *what);

/* ARG: NULL for a list that is not empty; more bytes than memory can have.  size: entries, numbers of one, bytes of one. */
mopd_status mo_api_check_list(
    const char *function, const char *argument, const void *list, const size_t size[3]);

/* VERSION when `flags` has a bit that is not known; `where` is the function or struct that they were given to. */
mopd_status mo_api_check_flags(const char *where, uint32_t flags, uint32_t known);

/* ARG when struct_size cannot be that of such a struct: smaller than in the first release, or memory that was
 * never set.  The message names the public function and the struct. */
mopd_status mo_api_check_size(const char *function, mo_api_struct type, size_t struct_size);

/* mopd_x_init: as much of the defaults as the caller has room for, zeroes behind, struct_size set. */
mopd_status mo_api_init(
    const char *function, mo_api_struct type, void *options, size_t struct_size, const void *defaults);

/* out = what the caller's options say, NULL: the defaults.  ARG as above; VERSION for a field or a flag that we
 * do not know: out then holds what we do. */
mopd_status mo_api_read(
    const char *function, mo_api_struct type, void *out, const void *options, const void *defaults);

/* Fills the caller's struct, whose struct_size he has set, from ours. */
mopd_status mo_api_give(const char *function, mo_api_struct type, void *to, const void *from);

#endif
