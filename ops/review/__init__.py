"""What an operation would do, told to whoever reviews it, and what forbids it."""
