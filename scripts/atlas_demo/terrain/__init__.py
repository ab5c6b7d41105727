"""The two real terrain networks and their relatives."""
