"""The only place where the field names of CDS Hooks appear: requests in, discovery and responses out."""
