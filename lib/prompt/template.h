/* SPDX-License-Identifier: MIT
 * template.h - hard prompts: "a photo of a {}." with a class name put in, and the method's eleven task pools. */
#ifndef MO_PROMPT_TEMPLATE_H
#define MO_PROMPT_TEMPLATE_H

#include "base/buf.h"

#define MO_TEMPLATE_DEFAULT "a photo of a {}."
#define MO_POOL_SIZE 12

/* ARG naming the template (and its index in its list) when it has no "{}" or is NULL. */
mopd_status mo_template_check(const char *template, size_t index);

/* Appends the template with every "{}" replaced by the class name ("_" becomes " "). */
mopd_status mo_template_fill(const char *template, const char *class_name, mo_buf *out);

/* The task pool of a dataset, docs/method.md 6.1: MO_POOL_SIZE templates in a static list.  Upper and
 * lower case are the same.  ARG for an unknown name; the message lists the known ones. */
mopd_status mo_template_pool(const char *name, const char *const **templates, size_t *n);

#endif
