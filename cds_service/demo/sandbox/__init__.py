"""An embedded FHIR R4 server over an in-memory repository of synthetic patients.

It is mounted at ``/demo/fhir`` by ``relapse-cds demo`` only, so that the demonstration goes the
real way: a bearer token, searches, pages and OperationOutcomes over HTTP.
"""
