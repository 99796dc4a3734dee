"""Where people come from: folders, flat folders with a manifest, archives of either."""
