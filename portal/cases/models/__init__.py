"""Case and the talk on it."""

from .case import CLOSED, STATUSES, Case, CaseCounter, Impact, Stage
from .talk import Comment

__all__ = ["CLOSED", "STATUSES", "Case", "CaseCounter", "Comment", "Impact", "Stage"]
