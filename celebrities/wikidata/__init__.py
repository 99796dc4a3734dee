"""People from Wikidata, with their pictures from Wikimedia Commons."""
