"""From facts and knowledge to the assessment: which data are usable, what happened, what follows."""
