"""How densely, and in which rhythm, creative elements are used."""
