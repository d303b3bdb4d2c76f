"""A headless Chromium for tests, driven over two pipes by its DevTools protocol: no port."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root in a container cannot have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


@dataclass(slots=True)
class Page:
    """One tab.

    Attributes:
        events: the browser's notifications, such as log entries and requests.
    """

    commands: IO[bytes]
    answers: IO[bytes]
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and wait for its answer."""
        number = next(self._numbers)
        command: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        self.commands.write(json.dumps(command).encode() + b"\0")
        self.commands.flush()
        while True:
            message = self._read()
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                answer: dict[str, Any] = message["result"]
                return answer
            self.events.append(message)

    def open(self, path: Path) -> None:
        """Load a file and wait until it is loaded."""
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """Press a key, as a user does."""
        code = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38}.get(key, 0)
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.ask("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of the first element that matches, with the mouse."""
        x, y = self.run(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            "element.scrollIntoView({block: 'center'});"
            "const box = element.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def texts(self, selector: str) -> list[str]:
        """The texts of all visible elements that match."""
        found: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            # An element that is not drawn yet, because it is out of sight, has no inner text.
            ".filter((found) => found.checkVisibility())"
            ".map((found) => found.innerText || found.textContent)"
        )
        return found

    def picture(self) -> bytes:
        """A PNG of the visible part of the page."""
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])

    def _read(self) -> dict[str, Any]:
        letters = bytearray()
        while (letter := self.answers.read(1)) != b"\0":
            assert letter, "the browser has ended"
            letters += letter
        message: dict[str, Any] = json.loads(letters)
        return message


@contextlib.contextmanager
def browse(chromium: str, folder: Path) -> Iterator[Page]:
    """A browser with one tab; its profile is in ``folder``. It ends with the context."""
    (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
    # The browser expects its pipes as 3 and 4, so ours need other numbers first.
    low = (to_read, from_write)
    high = [fcntl.fcntl(pipe, fcntl.F_DUPFD, 10) for pipe in low]
    for pipe in low:
        os.close(pipe)
    script = f'exec "$@" 3<&{high[0]} 4>&{high[1]}'
    with (
        os.fdopen(to_write, "wb") as commands,
        os.fdopen(from_read, "rb") as answers,
        subprocess.Popen(
            ["bash", "-c", script, "bash", chromium, *FLAGS, f"--user-data-dir={folder}"],
            pass_fds=high,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
        ) as process,
    ):
        for pipe in high:
            os.close(pipe)
        try:
            page = Page(commands, answers)
            target = page.ask("Target.createTarget", url="about:blank")["targetId"]
            attached = page.ask("Target.attachToTarget", targetId=target, flatten=True)
            page.session = attached["sessionId"]
            page.ask(
                "Emulation.setDeviceMetricsOverride",
                width=1500,
                height=950,
                deviceScaleFactor=1,
                mobile=False,
            )
            for domain in ("Page", "Log", "Network", "Runtime"):
                page.ask(f"{domain}.enable")
            yield page
            page.session = ""
            page.ask("Browser.close")
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
