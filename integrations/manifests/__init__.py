"""Arrival manifests: from the bytes of a spreadsheet to registered cases, rejected rows and duplicates that wait."""
