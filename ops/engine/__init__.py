"""The Pulumi engine: how it is installed, and how one stack is opened and changed with it."""
