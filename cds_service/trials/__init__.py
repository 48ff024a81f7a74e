"""Where lists of clinical trials come from, how they are kept fresh, and what a match prints."""
