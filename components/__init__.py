"""The PULL estate: components of one typed stack graph."""
