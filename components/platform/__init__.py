"""What everything stands on: project, network, encryption, identity, registry, backups."""
