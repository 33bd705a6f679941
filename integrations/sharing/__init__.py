"""What a partner may see of a case: agreements, its own codes, the projection of events, and the ledger of all that."""
