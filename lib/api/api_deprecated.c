/* SPDX-License-Identifier: MIT
 * api_deprecated.c - former names of public functions, each by its successor; they go with the next SONAME. */
#define MOPD_ALLOW_DEPRECATED
#include "mopd/mopd.h"

void mopd_image_free(mopd_image *image)
{
    mopd_image_close(image);
}

mopd_status mopd_metrics_compute(mopd_metrics *metrics, const uint32_t *confusion, size_t n_classes)
{
    return mopd_confusion_get_metrics(confusion, n_classes, metrics);
}

mopd_status mopd_trainer_prompt(const mopd_trainer *trainer, mopd_prompt **out)
{
    return mopd_prompt_create_trainer(out, trainer);
}

mopd_status mopd_trainer_bank(
    const mopd_trainer *trainer, mopd_bank **out, const char *const *classes, size_t n_classes)
{
    return mopd_bank_create_trainer(out, trainer, classes, n_classes);
}

mopd_status mopd_trainer_choose(const mopd_encoder *encoder, const char *const *classes, size_t n_classes,
    mopd_trainer_options *options, const mopd_run *run, char **report)
{
    return mopd_trainer_options_choose(options, encoder, classes, n_classes, run, report);
}
