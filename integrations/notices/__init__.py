"""What partners without a system of their own get once a night: a message with a table, or files in a folder."""
