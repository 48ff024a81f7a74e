"""The written record a clinician's case is made of, as tables, and its FHIR resources."""
