#!/bin/sh
# Builds the image `lookalike` with docker, podman or buildah, whichever is there (`make image`).
# The base is a Debian made here of Debian's packages where mmdebstrap is installed, else the one of
# BASE (docker.io/library/debian:bookworm-slim).
set -eu
cd "$(dirname "$0")/.."
IMAGE=${IMAGE:-lookalike}

tool() {
    if command -v docker >/dev/null && docker info >/dev/null 2>&1; then echo docker
    elif command -v podman >/dev/null; then echo podman
    elif command -v buildah >/dev/null; then echo buildah
    fi
}
TOOL=${TOOL:-$(tool)}
if [ -z "$TOOL" ]; then
    echo "Neither a running docker nor podman nor buildah is here. Install one (Debian: apt install buildah)." >&2
    exit 3
fi

if [ -z "${BASE:-}" ] && command -v mmdebstrap >/dev/null; then
    BASE=localhost/lookalike-base
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    echo "Making a Debian of Debian's packages."
    # Without usr-is-merged a package that merges it brings all of Perl along.
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,usr-is-merged \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' ${MMDEBSTRAP:-} bookworm "$folder/base.tar"
    case $TOOL in
        buildah)
            container=$(buildah from scratch)
            buildah add --quiet "$container" "$folder/base.tar" / >/dev/null
            buildah commit --quiet --rm "$container" $BASE >/dev/null ;;
        *) $TOOL import "$folder/base.tar" $BASE >/dev/null ;;
    esac
fi

echo "Building the image $IMAGE with $TOOL."
# Without privileges buildah works in a plain chroot.
set -- -f deploy/Containerfile --build-arg "BASE=${BASE:-docker.io/library/debian:bookworm-slim}" -t "$IMAGE"
if [ "$TOOL" = buildah ]; then
    buildah build --isolation "${BUILDAH_ISOLATION:-chroot}" --format docker "$@" ${BUILD_FLAGS:-} .
else
    "$TOOL" build "$@" ${BUILD_FLAGS:-} .
fi
