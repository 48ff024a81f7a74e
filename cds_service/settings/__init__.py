"""The configuration: its model, how it is loaded, and what is wrong with it."""
