"""The errors that Townlet raises on purpose: each carries one line for the person who must act."""


class TownletError(Exception):
    """Base of every error that Townlet raises on purpose; the command line prints it without a traceback."""

    exit_code = 1


class InputError(TownletError):
    """Something that was handed in is wrong: a file, a key, a value or an option. Exit code 2."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration file, map or affordance manifest that cannot be used."""


class DataError(InputError):
    """A shard, manifest or record that is damaged, missing or not what its digest says."""


class CheckpointError(InputError):
    """A checkpoint that cannot act here: damaged, or made for another observation layout."""


class RefusedError(TownletError):
    """A gate or a release that refuses to go on, with its reasons; the input was well-formed. Exit code 1."""
