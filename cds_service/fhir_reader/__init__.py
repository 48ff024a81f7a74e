"""The one door through which patient data are read from an EHR's FHIR server."""

from cds_service.fhir_reader.deadline import Deadline
from cds_service.fhir_reader.reader import FetchedNeed, FhirReader, Reading
from cds_service.fhir_reader.refusals import RefusedServer

__all__ = ["Deadline", "FetchedNeed", "FhirReader", "Reading", "RefusedServer"]
