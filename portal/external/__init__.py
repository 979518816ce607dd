"""The portal: what invited people use. It holds a window, nothing else; see the import contracts."""

from . import cases, download, evidence, files, messages, mute, organisation, organisation_people, report
from .face import external

__all__ = ["cases", "download", "evidence", "external", "files", "messages", "mute", "organisation", "organisation_people", "report"]
