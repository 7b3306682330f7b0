"""Pages on an app's settings: general, navigation, mobile navigation, option sets."""

from plugins.settings.web import general, mobile, navigation, option_sets
from plugins.settings.web.blueprint import pages

__all__ = ["general", "mobile", "navigation", "option_sets", "pages"]
