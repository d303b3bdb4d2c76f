"""The Pulumi engine: installs it, opens a stack with it, and runs its operations."""
