"""``python -m rumiai_server``: the same as the console script ``rumiai-triton``."""

from rumiai_server.cli import main

if __name__ == "__main__":
    main()
