"""The written record a clinician's case is made of, as tables, and its FHIR resources."""

from __future__ import annotations

from fhir_mappings.records.codes import LOCAL_LABS
from fhir_mappings.records.tables import RecordError, read_table, resolve_date
from fhir_mappings.records.written_record import PatientHeader, build_resources

__all__ = ["LOCAL_LABS", "PatientHeader", "RecordError", "build_resources", "read_table", "resolve_date"]
