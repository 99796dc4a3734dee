"""What curators send to the desk to be imported: files, and people found on Wikidata."""
