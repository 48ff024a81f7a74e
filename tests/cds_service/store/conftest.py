"""Databases for these tests."""

from tests.cds_service.databases import database_url, postgresql, sqlite_store, store

__all__ = ["database_url", "postgresql", "sqlite_store", "store"]
