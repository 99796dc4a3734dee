"""Django's STORAGES: folders below the data folder, or prefixes of one S3 bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lookalike.environ import BadSetting, read_switch, read_text


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket, as LOOKALIKE_S3_* describe it. Empty values mean the service's default."""

    name: str = ""
    endpoint: str = ""
    access_key: str = ""
    secret_key: str = ""
    region: str = ""
    addressing: str = "auto"
    public_url: str = ""
    acls: bool = True
    checksums: str = "when_required"

    def options(self, place: str, *, public: bool) -> dict[str, Any]:
        """Options for django-storages. URLs are signed unless ``public``."""
        options: dict[str, Any] = {
            "bucket_name": self.name,
            "endpoint_url": self.endpoint or None,
            "access_key": self.access_key or None,
            "secret_key": self.secret_key or None,
            "region_name": self.region or None,
            "location": place,
            "file_overwrite": False,
            "client_config": self.client_config(),
            "default_acl": "public-read" if public and self.acls else None,
            "querystring_auth": not public,
        }
        if public:
            options["object_parameters"] = {"CacheControl": "public, max-age=86400"}
        if public and self.public_url:
            address = urlsplit(self.public_url)
            options["custom_domain"] = address.netloc + address.path
            options["url_protocol"] = f"{address.scheme}:"
        return options

    def client_config(self) -> Any:
        """Limits to every wait, and no chunked bodies for services that do not know them."""
        from botocore.config import Config  # noqa: PLC0415 - only a site with a bucket needs it.

        return Config(
            s3={"addressing_style": self.addressing},
            connect_timeout=3,
            read_timeout=10,
            retries={"total_max_attempts": 2, "mode": "standard"},
            request_checksum_calculation=self.checksums,
            response_checksum_validation=self.checksums,
        )

    def origins(self) -> list[str]:
        """The origins that serve the bucket's public files."""
        if address := self.public_url or self.endpoint:
            parts = urlsplit(address)
            origins = [f"{parts.scheme}://{parts.netloc}"]
            if not self.public_url and self.addressing != "path":
                origins.append(f"{parts.scheme}://{self.name}.{parts.netloc}")
            return origins
        services = ["s3", f"s3.{self.region}"] if self.region else ["s3"]
        return [f"https://{self.name}.{service}.amazonaws.com" for service in services]


def read_bucket() -> Bucket:
    return Bucket(
        name=read_text("LOOKALIKE_S3_BUCKET"),
        endpoint=read_text("LOOKALIKE_S3_ENDPOINT"),
        access_key=read_text("LOOKALIKE_S3_ACCESS_KEY"),
        secret_key=read_text("LOOKALIKE_S3_SECRET_KEY"),
        region=read_text("LOOKALIKE_S3_REGION"),
        addressing=read_text("LOOKALIKE_S3_ADDRESSING", "auto"),
        public_url=read_text("LOOKALIKE_S3_PUBLIC_URL").rstrip("/"),
        acls=read_switch("LOOKALIKE_S3_ACLS", default=True),
        checksums=read_checksums(),
    )


def read_checksums() -> str:
    """When bodies carry a checksum, for which they are sent in chunks. Only Amazon's own service
    is sure to know that. Raises BadSetting."""
    default = "when_required" if read_text("LOOKALIKE_S3_ENDPOINT") else "when_supported"
    value = read_text("LOOKALIKE_S3_CHECKSUMS", default)
    if value not in {"when_required", "when_supported"}:
        raise BadSetting(
            f"LOOKALIKE_S3_CHECKSUMS is {value!r}, but must be when_required or when_supported."
        )
    return value


def storage_for(
    place: str, media_root: Path, bucket: Bucket | None, *, public: bool = False
) -> dict[str, Any]:
    """The entry of STORAGES for one place. Private files are readable by their owner only."""
    if bucket is not None:
        return {
            "BACKEND": "lookalike.s3.SharedS3Storage",
            "OPTIONS": bucket.options(place, public=public),
        }
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": media_root / place,
            "base_url": f"/media/{place}/",
            "file_permissions_mode": 0o644 if public else 0o600,
            "directory_permissions_mode": 0o755 if public else 0o700,
        },
    }
