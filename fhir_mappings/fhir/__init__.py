"""FHIR R4 JSON to clinical facts, and what was left out and why. Handed its vocabulary."""
