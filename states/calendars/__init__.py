"""Working calendars of offices: what is recorded beside a pathway's calendar, and the clocks that a change moves."""
