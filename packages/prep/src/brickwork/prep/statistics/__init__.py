"""What fit learns of a column: small summaries that merge, and that are written and read as plain data.

Each is gathered by `update`, joined by `merge`, written by `to_state` and read by `from_state`. Whatever the rows were
cut into, merged parts tell what the whole tells: exactly for counts, ranges and quantiles, to rounding for moments.
"""

from .base import Statistic, read_statistic
from .counts import Counts
from .moments import Moments
from .nothing import Nothing
from .profile import Profile
from .quantiles import Quantiles

__all__ = ["Counts", "Moments", "Nothing", "Profile", "Quantiles", "Statistic", "read_statistic"]
