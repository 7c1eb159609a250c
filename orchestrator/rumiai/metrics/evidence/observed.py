"""The data of the services that looked at anything."""

from __future__ import annotations

from collections.abc import Mapping

from rumiai.contracts.observed import Observed
from rumiai.contracts.timeline import Data, UnifiedAnalysis


class Seen:
    """The data of the services of one video that ran and looked at anything.

    Args:
        analysis: Of the video.
        observed: When each service that ran looked, by its name in the weights.
    """

    def __init__(self, analysis: UnifiedAnalysis, observed: Mapping[str, Observed]) -> None:
        self._analysis, self._observed = analysis, observed

    def get(self, model: type[Data]) -> Data | None:
        """The data of a service that looked at anything; one that made nothing out of all that it looked at did look.

        Args:
            model: Of the service's data.

        Returns:
            The data; None when the service failed, did not run, or looked at nothing.
        """
        data = self._analysis.get(model)
        if data is None:
            return None
        return data if self._observed[model.name_in_weights()].seconds or data.unclear else None
