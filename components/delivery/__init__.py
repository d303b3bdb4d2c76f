"""How the program itself is delivered, where Pulumi Cloud does so."""
