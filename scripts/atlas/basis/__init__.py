"""The ground floor: files written whole, errors, pages, how a script is started."""
