"""A local stand-in for the clouds: five Pulumi providers in one process, with a memory.

The real engine attaches to it, so that a preview, an update or a refresh runs where no cloud
account is. It is no emulator of the products: it keeps what was asked for, answers as the
providers do, and refuses what the clouds refuse.
"""
