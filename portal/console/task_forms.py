"""Forms of tasks and their logs."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from wtforms import BooleanField, DateField, IntegerField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from ..cases.tasks import LONGEST_GROUP, LONGEST_TITLE, Draft
from ..web import times
from ..web.forms import LONGEST_MESSAGE, Form, stripped
from .forms import choices, sensible_year

TITLE = f"Use at most {LONGEST_TITLE} characters for the title; details belong in the description."


class QuickTaskForm(Form):
    """A task of which only the title is known yet."""

    title = StringField(
        "New task", filters=[stripped], validators=[DataRequired("Give the task a title."), Length(max=LONGEST_TITLE, message=TITLE)]
    )


class TaskForm(Form):
    """A task with all there is to say about it."""

    title = StringField(
        "Title", filters=[stripped], validators=[DataRequired("Give the task a title."), Length(max=LONGEST_TITLE, message=TITLE)]
    )
    group = StringField(
        "Group",
        description="Tasks of one group stand together, such as “Containment”.",
        filters=[stripped],
        validators=[Length(max=LONGEST_GROUP, message=f"Use at most {LONGEST_GROUP} characters for the group.")],
    )
    assignee = SelectField("Assignee", coerce=lambda text: int(text) if text else None, validators=[Optional()])
    due = DateField("Due", description="The task is overdue after this day.", validators=[Optional(), sensible_year])
    description = TextAreaField("Description", description="Markdown. Only colleagues read it.", validators=[Length(max=LONGEST_MESSAGE)])
    mandatory = BooleanField("Mandatory: the case cannot be closed before this task is completed")
    flagged = BooleanField("Flag it, so that it stands out")

    def offer(self, people: list[tuple[int, str]]) -> None:
        """Whom the task can be given to."""
        self.assignee.choices = choices(("", "Nobody"), *((str(key), name) for key, name in people))

    def draft(self, before: datetime | None = None) -> Draft:
        """What the form says. `before`: when the task was due until now; the same day is no change."""
        return Draft(
            title=self.title.data or "",
            group=self.group.data or "",
            description=self.description.data or "",
            assignee_id=self.assignee.data,
            due_at=_end_of(self.due.data, before),
            mandatory=self.mandatory.data,
            flagged=self.flagged.data,
        )


class EditTaskForm(TaskForm):
    """A task that exists."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired("Reload the page and try again.")])


class LogForm(Form):
    """What was done on a task, with the files that came of it."""

    message = TextAreaField(
        "What was done",
        validators=[Length(max=LONGEST_MESSAGE, message=f"This is longer than {LONGEST_MESSAGE:,} characters. Add it in parts.")],
    )
    files = MultipleFileField("Files", description="They stay inside, whoever the case is shared with.")


def _end_of(day: date | None, before: datetime | None) -> datetime | None:
    """The last minute of the day on the reader's clock."""
    if day is None:
        return None
    if before is not None and times.local(before).date() == day:
        return before
    return times.typed(datetime.combine(day, time(23, 59)))


def data_of(task: Any) -> dict[str, Any]:
    """A task, or a record of one, as the form shows it."""
    names = ("title", "group", "description", "mandatory", "flagged", "version")
    due = times.local(task.due_at).date() if task.due_at else None
    return {name: getattr(task, name) for name in names} | {"assignee": str(task.assignee_id or ""), "due": due}
