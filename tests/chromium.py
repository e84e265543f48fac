"""A headless Chromium that tests drive through pipes, by its DevTools protocol; needs nothing but Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowDown": (40, ""), "ArrowUp": (38, "")}
LOADED = ("new Promise(done => document.readyState === 'complete' ? done(true)"
          " : addEventListener('load', () => done(true)))")


def executable() -> str:
    """Chromium's path: TARAZU_CHROMIUM, or `chromium` on PATH."""
    found = os.environ.get("TARAZU_CHROMIUM") or shutil.which("chromium")
    assert found, "no Chromium: put it on PATH as `chromium`, or name it by TARAZU_CHROMIUM"
    return found


class Browser:
    """One tab; `open` a page in it, `evaluate` JavaScript there."""

    def __init__(self, process: subprocess.Popen[bytes], writing: int, reading: int) -> None:
        self.process, self.writing, self.reading = process, writing, reading
        self.number, self.rest, self.session = 0, b"", None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; what else arrives meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def receive(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            read = os.read(self.reading, 1 << 16)
            assert read, "Chromium has ended"
            self.rest += read
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, url: str, *, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        """Open a page, and wait until it has loaded."""
        self.events.clear()
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        answer = self.send("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        self.evaluate(LOADED)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press and let go keys of the keyboard, one after the other."""
        for key in keys:
            number, text = KEYS[key]
            event = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": number}
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
            self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def wait_for(self, script: str, *, seconds: float = 10) -> Any:
        """The value of an expression as soon as it is true; fails when it is not in time."""
        return self.evaluate(
            f"new Promise((done, fail) => {{ const end = Date.now() + {seconds * 1000}; const look = () => {{"
            f"const found = {script}; if (found) done(found); else if (Date.now() > end)"
            f" fail(new Error('not in time')); else setTimeout(look, 50); }}; look(); }})")

    def problems(self) -> list[str]:
        """Errors of scripts and of loading since the page was opened, and what it asked of other machines."""
        found = []
        for event in self.events:
            detail = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(detail["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            elif event.get("method") == "Log.entryAdded" and detail["entry"]["level"] == "error":
                found.append(f"{detail['entry']['text']} {detail['entry'].get('url', '')}")
            elif event.get("method") == "Network.requestWillBeSent":
                url = detail["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:", "about:")):
                    found.append(f"asked for {url}")
        return found

    def screenshot(self, path: Path) -> None:
        import base64

        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium that is ended with the block."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [executable(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                   f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        # Chromium reads commands from descriptor 3 and writes to 4.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(theirs_in, theirs_out),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Browser(process, ours_out, ours_in)
        finally:
            process.kill()
            process.wait()
            os.close(ours_out)
            os.close(ours_in)
