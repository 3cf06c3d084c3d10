"""Whether params are a point of a search space, as those of a ledger from elsewhere must be."""

from collections.abc import Callable

from repro.model.canonical import Json
from repro.model.space import Categorical, Constant, Distribution, Params, Space
from repro.model.spacecheck import value_key
from repro.model.values import is_number


def fits_space(space: Space) -> Callable[[Params], bool]:
    """Give what says whether params have a value for each key of `space`, and for no other.

    A text, a list or a boolean must be one that the space names. Of a number of a range it does
    not matter which one it is: another version may round it otherwise.
    """
    checks = {key: _check_of(one) for key, one in space.items()}

    def fits(params: Params) -> bool:
        return params.keys() == checks.keys() and all(
            check(params[key]) for key, check in checks.items()
        )

    return fits


def _check_of(distribution: Distribution) -> Callable[[Json], bool]:
    match distribution:
        case Constant(value):
            known = {value_key(value)}
        case Categorical(values):
            known = {value_key(one) for one in values}
        case _:
            return is_number
    return lambda value: value_key(value) in known
