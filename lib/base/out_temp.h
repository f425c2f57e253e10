/* SPDX-License-Identifier: MIT
 * out_temp.h - unfinished files: their names, and how those of killed programs go. */
#ifndef MO_BASE_OUT_TEMP_H
#define MO_BASE_OUT_TEMP_H

#include "base/os.h"

#define MO_OUT_TEMP 40 /* bytes of a name, the zero behind it included */

/* Makes an empty file in an open folder that nobody could foresee the name of, locked for as long as it is open, and
 * removes what killed programs have left there.  -1 and errno on failure. */
int mo_out_temp_open(mo_os_dir folder, char name[MO_OUT_TEMP], uint32_t mode);

#endif
