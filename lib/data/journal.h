/* SPDX-License-Identifier: MIT
 * journal.h - a file that keeps features while an encoding runs, for the run that goes on when this one is killed. */
#ifndef MO_DATA_JOURNAL_H
#define MO_DATA_JOURNAL_H

#include "data/features_cache.h"

typedef struct mo_journal mo_journal;

/* What features depend on besides the picture. */
typedef struct mo_journal_run {
    char fingerprint[65];
    bool augmented, fixed, scaled16, upright;
    int32_t precision; /* MOPD_PRECISION_... */
    uint32_t dim, n_views, first_view;
    uint64_t seed;
} mo_journal_run;

/* Opens or makes the file, which nobody else may use meanwhile (STATE).  What another run has left there is given
 * up.  IO: it cannot be read or written; FORMAT: the file is none of ours. */
mopd_status mo_journal_open(mo_journal **out, const char *path, const mo_journal_run *run);

/* Adds what an earlier run has left; texts and numbers are the journal's. */
mopd_status mo_journal_list(const mo_journal *journal, mo_features_cache *cache);

/* Keeps V x D features of a content; they are in the file after the next flush. */
mopd_status mo_journal_add(mo_journal *journal, const char *hash, bool plain, const float *features);

/* IO: cannot be written; what was there before can still be read. */
mopd_status mo_journal_flush(mo_journal *journal);

/* The file stays, unless it holds no record.  Takes NULL. */
void mo_journal_close(mo_journal *journal);

#endif
