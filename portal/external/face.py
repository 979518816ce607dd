"""The blueprint of this face; views register themselves on it."""

from ..web.face import Face

external = Face("external", __name__, url_prefix="/portal")
