"""Medicine and FHIR: recognises relapsed acute lymphoblastic leukaemia. Has never heard of HTTP."""
