/* SPDX-License-Identifier: MIT
 * consumer.cc - the same from C++: the headers say extern "C". */
#include <mopd/mopd.h>
#include <cstdio>
#include <cstring>

int main()
{
    mopd_encoder *encoder = nullptr;
    mopd_status st = mopd_encoder_open(&encoder, "/nonexistent/model", nullptr);
    if (mopd_version_number() != MOPD_VERSION_NUMBER) return 1;
    if (st != MOPD_E_IO || encoder || !std::strstr(mopd_last_error(), "/nonexistent/model")) {
        std::fprintf(stderr, "%s: %s\n", mopd_status_name(st), mopd_last_error());
        return 1;
    }
    return 0;
}
