"""HTTP and addresses below every endpoint: bodies, problems, strict JSON, rates, FHIR base URLs."""
