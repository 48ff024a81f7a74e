"""Medicine and FHIR: recognises relapsed acute lymphoblastic leukaemia. Has never heard of HTTP.

from fhir_mappings import assess

assessment = assess(bundle, at)
"""

from __future__ import annotations

from fhir_mappings.assess import Assessment, assess, load_knowledge

__all__ = ["Assessment", "assess", "load_knowledge"]
