# SPDX-License-Identifier: MIT
"""A folder served to a browser on this machine; what was asked for is kept.  An isolated page is one that may share memory, and
is bound with its workers to a policy, if there is one."""
import functools
import http.server
import threading


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked = []  # (method, path)
    made = {}  # path: text, of scripts that no folder has
    instead = {}  # path: bytes that are answered instead, or None for a connection that breaks

    def log_message(self, *_):
        Quiet.asked.append((self.command, self.path))

    def do_GET(self):
        if self.path in Quiet.instead and Quiet.instead[self.path] is None:
            self.close_connection = True
            Quiet.asked.append((self.command, self.path))
        elif self.path in Quiet.instead:
            self.answer("text/html", Quiet.instead[self.path])
        elif self.path in Quiet.made:
            self.answer("text/javascript", Quiet.made[self.path].encode())
        else:
            super().do_GET()

    def do_HEAD(self):
        if self.path in Quiet.instead:
            self.do_GET()
        else:
            super().do_HEAD()

    def answer(self, kind, data):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


class Isolating(Quiet):
    policy = None

    def end_headers(self):
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        if Isolating.policy:
            self.send_header("Content-Security-Policy", Isolating.policy)
        super().end_headers()


def serve(folder, kind=Quiet):
    """The server and its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(kind, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"
