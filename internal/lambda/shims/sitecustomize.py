"""Imported by every Python that a function starts; see plumb_endpoint."""
import plumb_endpoint

plumb_endpoint.install()
