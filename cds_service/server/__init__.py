"""The process that serves: gunicorn, its sockets, and bytes that are no request."""
