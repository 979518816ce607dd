"""What people want no letters about: kinds of news, single cases, and what they have read already. Nobody else learns of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, Table, bindparam, delete, func, insert, select, update

from ..accounts.models import User
from ..accounts.permissions import Permission
from ..accounts.viewer import Viewer
from ..cases.models import Case, Mute, ReadMark
from ..database import kept, queue_up
from ..extensions import db
from ..notices.models import Notice, Reason
from ..refusals import NotAllowed, NotVisible, Refusal
from ..sharing import scope
from ..words import _
from .news import INSIDE, OUTSIDE, News

MOST_SHOWN = 200
_mute, _user = cast("Table", Mute.__table__), cast("Table", User.__table__)
KIND_OF = {Reason.EXTERNAL_REPLY: News.REPLY, Reason.REPORTED: News.REPORTED, Reason.ASSIGNED: News.ASSIGNED}


@dataclass(frozen=True)
class MutedCase:
    """A case somebody wants no letters about."""

    number: int
    title: str


class Wishes:
    """One person's choice of letters. Only they are asked and only they are told; no record is kept of it."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    @property
    def kinds(self) -> tuple[News, ...]:
        """What this person can be written to about."""
        if self.viewer.external:
            return OUTSIDE
        return (*INSIDE, News.PEOPLE) if self.viewer.can(Permission.MANAGE_USER) and not self.viewer.platform else INSIDE

    def wanted(self) -> list[News]:
        """The kinds they get letters about."""
        no = (db.session.scalar(select(User.unwanted).where(User.id == self.viewer.user_id)) or "").split()
        return [kind for kind in self.kinds if kind.value not in no]

    def choose(self, wanted: Collection[str]) -> None:
        """Get letters about these kinds and no others."""
        self._check()
        if not set(wanted) <= set(self.kinds):
            raise Refusal(_("Choose from the letters in the list."))
        no = " ".join(kind.value for kind in self.kinds if kind.value not in wanted)
        db.session.connection().execute(update(_user).where(_user.c.id == self.viewer.user_id).values(unwanted=no))

    def mutes(self, number: int) -> bool:
        """Whether they want no letters about the case, where they see it. Who looks through their eyes does not learn it."""
        if self.viewer.viewed_by_id is not None:
            return False
        wanted = _of_case(scope.visible(self.viewer, Mute, Mute.id), scope.visible(self.viewer, Case, Case.id))
        return db.session.scalar(wanted, {"number": number}) is not None

    def mute(self, number: int, quiet: bool) -> None:
        """Get no more letters about the case, or get them again."""
        self._check()
        case_id = db.session.scalar(scope.visible(self.viewer, Case, Case.id).where(Case.number == number))
        if case_id is None:
            raise NotVisible(f"case {number}")
        connection = db.session.connection()
        if not quiet:
            connection.execute(delete(_mute).where(_mute.c.user_id == self.viewer.user_id, _mute.c.case_id == case_id))
            return
        queue_up(f"mutes of {self.viewer.user_id}")
        if not self.mutes(number):
            connection.execute(insert(_mute).values(user_id=self.viewer.user_id, case_id=case_id))

    def muted(self) -> list[MutedCase]:
        """The cases they want no letters about, of those they see now, the newest first."""
        quiet = scope.visible(self.viewer, Mute, Mute.case_id)
        wanted = scope.visible(self.viewer, Case, Case.number, Case.title).where(Case.id.in_(quiet))
        return [MutedCase(*row) for row in db.session.execute(wanted.order_by(Case.number.desc()).limit(MOST_SHOWN))]

    def _check(self) -> None:
        if self.viewer.viewed_by_id is not None:
            raise NotAllowed(_("Who looks at the portal as somebody else can only read."))


@lru_cache(maxsize=512)
def _of_case(mutes: Select[Any], cases: Select[Any]) -> Select[Any]:
    return kept(mutes.where(Mute.case_id == cases.where(Case.number == bindparam("number")).scalar_subquery()))


class Mark(NamedTuple):
    """How far somebody outside has read a case. The younger of two marks has the higher id."""

    id: int
    seen_at: datetime


def muted_among(user: User, case_ids: Collection[int]) -> set[int]:
    """Those of the cases the person wants no letters about: the sender asks."""
    return set(db.session.scalars(select(Mute.case_id).where(Mute.user_id == user.id, Mute.case_id.in_(case_ids))))


def marks_among(user: User, case_ids: Collection[int]) -> dict[int, Mark]:
    """Up to when somebody outside has read each of the cases, where they ever did."""
    wanted = select(ReadMark.case_id, ReadMark.id, ReadMark.seen_at).where(ReadMark.user_id == user.id, ReadMark.case_id.in_(case_ids))
    return {case_id: Mark(mark, seen_at) for case_id, mark, seen_at in db.session.execute(wanted)}


def notices_among(user: User, case_ids: Collection[int]) -> dict[tuple[int, News], datetime]:
    """When a colleague read the latest notice of each kind about each of the cases, where they did."""
    of_them = select(func.max(Notice.id)).where(Notice.user_id == user.id, Notice.case_id.in_(case_ids))
    latest = of_them.group_by(Notice.case_id, Notice.reason)
    rows = db.session.execute(
        select(Notice.case_id, Notice.reason, Notice.read_at).where(Notice.id.in_(latest), Notice.read_at.is_not(None))
    )
    return {(row.case_id, KIND_OF[row.reason]): row.read_at for row in rows if row.reason in KIND_OF}
