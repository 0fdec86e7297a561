"""The built-in steps of recipes without code.

They run in the sandbox. What a recipe's steps mean is written as ``process.py``, which calls
:class:`Tables`; this package lies beside it as ``d4c_steps``, so it imports nothing of d4cbuild.
"""

from .tables import Tables

__all__ = ["Tables"]
