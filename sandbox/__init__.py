"""A local stand-in for the clouds: Pulumi providers in one process, on top of a SQLite file.

The real engine attaches to them, so that a preview, an update or a refresh runs without a cloud
account. The sandbox does not emulate the products: it stores what the program asks for, answers as
the providers do, and rejects what the clouds reject.
"""
