"""One pure function per service: data of any historical shape in, canonical data (ml_outputs.md) out, a new object."""
