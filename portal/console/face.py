"""The blueprint of this face; views register themselves on it."""

from ..web.face import Face

console = Face("console", __name__, url_prefix="/console")
