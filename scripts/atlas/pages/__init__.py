"""Pages in one file that open from disk, with all that they show inside."""
