"""The `podium` command. It imports nothing heavy before it is asked to: each command is a module that is imported then.

A command is a module of this package, named in `COMMANDS`. It has `add_arguments(parser)`, and `run(root, arguments)`,
which returns the exit status, or None for 0.
"""

from podium.cli.command_line import COMMANDS, main, make_parser

__all__ = ["COMMANDS", "main", "make_parser"]
