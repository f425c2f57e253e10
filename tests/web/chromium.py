# SPDX-License-Identifier: MIT
"""A Chromium without a window, driven over the DevTools protocol: a page opened, asked, photographed."""
import base64
import json
import os
import socket
import struct
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request


class Socket:
    """Messages of text over a WebSocket (RFC 6455): all that the protocol needs."""

    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.stream = socket.create_connection((where.hostname, where.port), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall((f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while not self.line().strip() == b"":
            pass

    def line(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self.stream.recv(1)
        return line

    def take(self, n):
        data = b""
        while len(data) < n:
            some = self.stream.recv(n - len(data))
            if not some:
                raise ConnectionError("Chromium has closed the connection")
            data += some
        return data

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        n = len(data)
        head = bytes([0x81]) + (bytes([0x80 | n]) if n < 126 else bytes([0xfe]) + struct.pack(">H", n) if n < 65536
                                else bytes([0xff]) + struct.pack(">Q", n))
        self.stream.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def receive(self):
        text = b""
        while True:
            first, n = self.take(2)
            if n == 126:
                n, = struct.unpack(">H", self.take(2))
            elif n == 127:
                n, = struct.unpack(">Q", self.take(8))
            part = self.take(n)
            if first & 15 in (0, 1):
                text += part
                if first & 0x80:
                    return text.decode()


class Chromium:
    """One page.  Leaving the block ends the browser."""

    def __init__(self, program="chromium"):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen([program, "--headless=new", *root, "--remote-debugging-port=0", "--disable-gpu", "--hide-scrollbars",
                                         "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
                                         f"--user-data-dir={self.folder.name}/profile", "about:blank"],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.n, self.errors = 0, []
        port = self.find_port()
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=60))
        self.socket = Socket(next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"])
        for domain in "Page", "Runtime", "Log":
            self.call(f"{domain}.enable")

    def find_port(self):
        path = os.path.join(self.folder.name, "profile", "DevToolsActivePort")
        for _ in range(600):
            if os.path.exists(path) and (lines := open(path).read().split()):
                return int(lines[0])
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError("Chromium does not start: " + self.log.read().decode(errors="replace")[-800:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()

    def call(self, method, **params):
        self.n += 1
        self.socket.send(json.dumps({"id": self.n, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("method") == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(message["params"]["entry"]["text"])
            if message.get("id") == self.n:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def run(self, script):
        """The value of an expression, or of what it promises."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, script, seconds=120):
        """Until the expression is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            if time.monotonic() > end:
                raise RuntimeError(f"after {seconds} s not: {script}; {self.errors}")
            time.sleep(0.05)
        return value

    def open(self, url, width=1280, height=900):
        self.size(width, height)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState == 'complete'")

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def photograph(self, path):
        """The whole page, however long."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
