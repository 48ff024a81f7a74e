"""CDS Hooks service for relapsed acute lymphoblastic leukaemia: HTTP, cards, configuration. No medicine."""
