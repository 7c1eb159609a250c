"""One pure function per service: data of any historical shape in, canonical data out, a new object."""
