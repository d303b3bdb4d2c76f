"""The foundation: project, network, encryption, identity, registry, backups."""
