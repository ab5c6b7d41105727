"""The demo's data: third-party networks that come in packages, and relatives of known making."""
