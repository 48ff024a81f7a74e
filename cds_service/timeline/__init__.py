"""The relapse timeline: a SMART on FHIR app that shows why a card fired (SMART App Launch 2.2)."""
