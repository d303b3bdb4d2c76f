"""How long a pack runs: no longer than the engine that started it."""

from __future__ import annotations

import os
import threading
import time


def end_with_the_engine() -> None:
    """Watch over the engine: one that is killed stops none of its plugins."""
    engine = os.getppid()

    def watch() -> None:
        while os.getppid() == engine:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
