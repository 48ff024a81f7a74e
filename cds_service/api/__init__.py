"""The endpoints of the service: hook calls, their problems, operations, API description."""
