"""The canonical data of every service (docs/outputs.md): one file each."""
