"""Libraries that the client uses where they are installed, and never imports by itself."""

from __future__ import annotations

import importlib.util
import sys


def require(module: str, purpose: str) -> None:
    """Raises ModuleNotFoundError that says what to install, if `module` is missing."""
    if module not in sys.modules and importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"{purpose} needs {module}: pip install {module}", name=module)
