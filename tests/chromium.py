"""Chromium without a window, steered through a pipe (its DevTools protocol), for tests behind the marker `browser`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowDown": (40, ""), "ArrowUp": (38, "")}


class Page:
    """A page in a browser: scripts and keys go in, values come out."""

    def __init__(self, into: int, out: int) -> None:
        self._into, self._out, self._number, self._session, self._rest = into, out, 0, "", b""

    def open(self, address: str) -> None:
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._send("Page.navigate", url=address)
        limit = time.monotonic() + 30
        while not self.value("location.href != 'about:blank' && document.readyState == 'complete'"):
            assert time.monotonic() < limit, f"{address} does not load"

    def value(self, script: str) -> Any:
        """What a JavaScript expression gives."""
        found = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press and let go keys of the keyboard, one after the other."""
        for key in keys:
            number, text = KEYS[key]
            event = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": number}
            self._send("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
            self._send("Input.dispatchKeyEvent", type="keyUp", **event)

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._into, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._out, 65536)
            assert part, "Chromium has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextlib.contextmanager
def opened(path: Path, folder: Path, *options: str) -> Iterator[Page]:
    """The page of a file in a browser of its own, whose profile lies in `folder`.

    Chromium reads from descriptor 3 and writes to 4.
    """
    program = os.environ.get("TARAZU_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "these tests need Chromium: on PATH as `chromium`, or where TARAZU_CHROMIUM says"
    (own_in, browser_out), (browser_in, own_out) = _pipe(), _pipe()
    running = subprocess.Popen([program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
                                f"--user-data-dir={folder / 'profile'}", *options],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(3, 4),
                               preexec_fn=lambda: (os.dup2(browser_in, 3), os.dup2(browser_out, 4)))
    os.close(browser_in)
    os.close(browser_out)
    try:
        page = Page(own_out, own_in)
        page.open(path.as_uri())
        yield page
    finally:
        running.kill()
        running.wait()
        os.close(own_in)
        os.close(own_out)


def _pipe() -> tuple[int, int]:
    """A pipe whose descriptors are none of those that Chromium wants."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved
