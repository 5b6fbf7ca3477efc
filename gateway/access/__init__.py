"""Who may come in, how much they may use, and what they have used."""
