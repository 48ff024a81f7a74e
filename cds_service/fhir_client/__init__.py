"""The one door through which patient data are read from an EHR's FHIR server."""

from cds_service.fhir_client.deadline import Deadline
from cds_service.fhir_client.problem import RefusedServer
from cds_service.fhir_client.reader import FhirReader, Reading

__all__ = ["Deadline", "FhirReader", "Reading", "RefusedServer"]
