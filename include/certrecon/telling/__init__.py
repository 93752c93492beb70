"""What people are told without asking: what is new in a run, and that nothing succeeds any more."""
