"""Many charts: what the service would have said about every patient of an export."""
