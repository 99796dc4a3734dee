"""The files on Commons that a run has asked about."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from celebrities.wikidata.client import Client
from celebrities.wikidata.commons import CommonsFile, fetch_files, list_category, load_picture
from celebrities.wikidata.errors import ApiError
from celebrities.wikidata.licences import Credit, NotFree, read_credit

logger = logging.getLogger(__name__)


class Files:
    """Files by name. Methods raise what Client raises."""

    def __init__(self, client: Client, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint
        self._files: dict[str, CommonsFile | None] = {}

    def fetch(self, names: Iterable[str]) -> None:
        """Fetch facts about these files, 50 per request."""
        self._files |= fetch_files(self._client, self._endpoint, names)

    def fetch_category(self, category: str) -> list[str]:
        """Fetch facts about a category's files, and return their names."""
        try:
            names = list_category(self._client, self._endpoint, category)
        except ApiError as error:
            logger.warning("Category %s: %s", category, error)
            return []
        self.fetch(names)
        return names

    def get(self, name: str) -> CommonsFile | None:
        return self._files.get(name)

    def check(self, name: str) -> tuple[CommonsFile, Credit]:
        """A file and its credit. Raises NotFree if it may not be used, and KeyError if Commons'
        answer was incomplete."""
        file = self._files[name]
        if file is None:
            raise NotFree("it is gone from Commons")
        if not file.mime.startswith("image/"):
            raise NotFree("it is no picture")
        return file, read_credit(file.metadata)

    def load(self, file: CommonsFile) -> bytes:
        """The picture's bytes. Raises BadPicture."""
        return load_picture(self._client, file)
