"""The roster and the settings: read, checked, written."""
