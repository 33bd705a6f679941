"""What staff record about a case, each record with the move that it allows."""
