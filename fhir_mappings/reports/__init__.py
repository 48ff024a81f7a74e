"""Written reports: text in, described results out. Reads no file, no clock and no network."""
