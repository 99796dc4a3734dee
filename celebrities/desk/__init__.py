"""What curators do with the gallery: change, decide, merge, and take back."""
