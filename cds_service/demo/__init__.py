"""The synthetic side: demonstration patients, an embedded FHIR sandbox and a demo EHR page."""
