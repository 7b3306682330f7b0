"""The component laws under the name that plugins' tests know; see `core.api.testing`."""

from core.api.testing import FLIPS, ComponentLaws, unfilled

__all__ = ["FLIPS", "ComponentLaws", "unfilled"]
