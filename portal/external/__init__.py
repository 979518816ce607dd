"""The portal: what invited people use. It holds a window, nothing else; see the import contracts."""

from . import cases, files, messages
from .face import external

__all__ = ["cases", "external", "files", "messages"]
