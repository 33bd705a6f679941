"""A pathway that changes while cases are on it: what differs, what follows for the caseload, and moving cases over."""
