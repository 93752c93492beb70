"""The settings file: one YAML document, checked before any request is sent."""

from certrecon.settings.crosswalk import Crosswalk
from certrecon.settings.loader import LoadedSettings, load_settings, parse_settings
from certrecon.settings.model import Settings, TypeRule

__all__ = ["Crosswalk", "LoadedSettings", "Settings", "TypeRule", "load_settings", "parse_settings"]
