"""Clinical trials as values: what a study asks for, what is known of a patient, and how the two compare."""
