"""Forms for administering the platform: profiles and organisations."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, FileField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import HiddenInput

from ..accounts.permissions import CATALOGUE, ProfileType
from ..web.forms import CheckboxList, Form, stripped
from .forms import choices

# Whose profiles a type is for, as one decides between them.
TYPES: dict[ProfileType, str] = {
    ProfileType.ORGANISATION: "For colleagues who work on cases in an organisation",
    ProfileType.EXTERNAL: "For external users, who use the portal only",
    ProfileType.ADMIN: "For administrators of the whole platform, who see no cases",
}


def name_field(thing: str) -> StringField:
    """The name of a profile or an organisation; whether it is free is the verb's question."""
    checks = [DataRequired(f"Give the {thing} a name."), Length(max=64, message="Use at most 64 characters.")]
    return StringField("Name", filters=[stripped], validators=checks, render_kw={"autocomplete": "off"})


def _permissions(kind: ProfileType) -> CheckboxList:
    return CheckboxList("Permissions", choices=choices(*((p.value, words) for p, words in CATALOGUE[kind].items())))


def _version() -> IntegerField:
    return IntegerField(widget=HiddenInput(), validators=[InputRequired("Reload the page and try again.")])


class ProfileForm(Form):
    """A new profile. Each type has its own list, so that a box hidden with another type says nothing about this one."""

    kind = RadioField(
        "Type",
        description="Decides which permissions there are and who can have the profile. It cannot be changed later.",
        choices=choices(*((kind.value, kind.value) for kind in TYPES)),
        default=ProfileType.ORGANISATION.value,
        validators=[InputRequired("Choose one of the three types.")],
    )
    name = name_field("profile")
    admin_permissions = _permissions(ProfileType.ADMIN)
    organisation_permissions = _permissions(ProfileType.ORGANISATION)
    external_permissions = _permissions(ProfileType.EXTERNAL)

    def permissions_of(self, kind: ProfileType) -> Any:
        """The list that belongs to a type."""
        return self[f"{kind.value.lower()}_permissions"]


class EditProfileForm(ProfileForm):
    """An existing profile; its type is what it is."""

    kind = None
    version = _version()


class OrganisationForm(Form):
    """A new organisation."""

    name = name_field("organisation")
    description = TextAreaField(
        "Description", description="Who they are and what they look after. Only administrators of the platform read it."
    )
    names_analysts = RadioField(
        "How analysts sign towards external users",
        choices=choices(("name", "With their own name"), ("team", "As the team")),
        default="name",
        validators=[InputRequired("Choose one of the two.")],
    )
    titles_in_mail = BooleanField(
        "E-mails may carry the titles of cases",
        description="E-mails pass servers that are not yours. Without the tick they name a case by its number only.",
    )


class EditOrganisationForm(OrganisationForm):
    """An existing organisation."""

    version = _version()


class PictureForm(Form):
    """The logo of an organisation."""

    picture = FileField(
        "New picture",
        description="PNG or JPEG, under 500 kB. Its people and guests see it.",
        render_kw={"accept": "image/png,image/jpeg", "required": True},
    )
