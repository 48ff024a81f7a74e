"""Review of the knowledge: rules, their cases, and who signed what."""
