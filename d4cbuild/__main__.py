"""``python -m d4cbuild`` is the same as ``d4cbuild``."""

from d4cbuild.cli.main import main

if __name__ == "__main__":
    main()
