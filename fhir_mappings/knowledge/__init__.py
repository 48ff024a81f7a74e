"""What a clinician owns: thresholds, code lists, citations and card words as data, read strictly."""
