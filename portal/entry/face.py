"""The blueprint of this face; views register themselves on it."""

from ..web.face import Face

entry = Face("entry", __name__)
