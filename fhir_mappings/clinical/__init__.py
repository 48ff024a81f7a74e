"""Ground floor: frozen clinical values and pure functions. No file, clock, log or JSON."""
