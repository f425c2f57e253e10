/* SPDX-License-Identifier: MIT
 * openai_names.h - what OpenAI's code calls the parameters; open_clip has it from there. */
#ifndef MO_MODEL_LAYOUTS_OPENAI_NAMES_H
#define MO_MODEL_LAYOUTS_OPENAI_NAMES_H

#include "clip/naming.h"

extern const mo_naming mo_openai_names;
extern const mo_naming mo_openai_names_text_apart; /* "text." before all names of the text tower */

#endif
