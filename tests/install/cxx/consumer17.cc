/* SPDX-License-Identifier: MIT
 * consumer17.cc - the same with mopd.hpp: a wrong path is an exception that says so. */
#include <mopd/mopd.hpp>
#include <cstdio>

int main()
{
    try {
        mopd::Encoder encoder("/nonexistent/model");
    } catch (const mopd::error &e) {
        return e.status() == MOPD_E_IO &&
                       std::string(e.what()).find("/nonexistent/model") != std::string::npos
                   ? 0
                   : 1;
    }
    return 1;
}
