# SPDX-License-Identifier: MIT
"""A folder served to a browser on this machine; what was asked for is kept."""
import functools
import http.server
import threading


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked = []

    def log_message(self, *_):
        Quiet.asked.append(self.path)


def serve(folder):
    """The server and its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"
