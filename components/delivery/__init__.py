"""How Pulumi Cloud runs this program."""
