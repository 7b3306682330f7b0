"""What a plugin's tests use: the laws of components and of data, and fixtures; see docs/writing-a-plugin.md."""

from core.api.testing import FLIPS, ComponentLaws, unfilled
from core.testing.data_laws import DataLaws
from core.testing.store_laws import StoreLaws

__all__ = ["FLIPS", "ComponentLaws", "DataLaws", "StoreLaws", "unfilled"]
