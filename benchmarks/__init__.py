"""What the hot paths reach on this machine, each figure beside its own limit. Run by ``make bench``."""
