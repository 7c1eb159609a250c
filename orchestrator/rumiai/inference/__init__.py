"""Asking the model server: send frames and audio, get contracts back."""
