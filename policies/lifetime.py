"""Ends the pack together with the engine that started it."""

from __future__ import annotations

import os
import threading
import time


def end_with_the_engine() -> None:
    """Exit when the engine is gone: an engine that is killed does not stop its plugins."""
    engine = os.getppid()

    def watch() -> None:
        while os.getppid() == engine:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
