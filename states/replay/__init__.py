"""What another policy would have made of the real past: the journal, folded through it. Nothing is written."""
