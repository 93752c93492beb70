"""Linking certificates to an action in 4HSE: look, ask a person, create, read back, have them looked at again.

The one part of the project that writes to 4HSE, and only where the setting `linking.enabled` allows it.
"""
