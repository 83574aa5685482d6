#!/usr/bin/env bash
# Puts sluice on the PATH of a job on GitHub Actions. action.yml runs it.
#
#   SLUICE_VERSION  the release to download
#   SLUICE_REF      what the action is used at: a tag of a release stands for that release
#   SLUICE_SHA256   the checksum of the archive, instead of the release's own list
#   SLUICE_MIRROR   where the releases are, if not on GitHub
#
# Where release_signers lies beside it, checksums.txt has to be signed by a key that it names.
set -euo pipefail

fail() {
    printf '::error::%s\n' "$1"
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
is_release='^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
version=${SLUICE_VERSION:-}
if [[ -z $version && ${SLUICE_REF:-} =~ $is_release ]]; then version=$SLUICE_REF; fi
temp=${RUNNER_TEMP//\\//}
bin=$temp/sluice/bin
mkdir -p "$bin"

build() {
    command -v go >/dev/null || fail "building sluice from source needs Go: run actions/setup-go first, or name a release with version:"
    (cd "$here/.." && CGO_ENABLED=0 GOWORK=off go build -trimpath -o "$bin/" ./cmd/sluice)
}

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

get() { # file, to a file of that name
    curl -fsSL --retry 3 --proto-redir '=https' -o "$temp/sluice/$1" "${SLUICE_MIRROR:-https://github.com/sluice-dev/sluice/releases/download}/$version/$1" ||
        fail "$1 of sluice $version could not be downloaded"
}

listed() { # the checksum that the release's list has for a file
    get checksums.txt
    if [[ -s $here/release_signers ]]; then
        get checksums.txt.sig
        ssh-keygen -Y verify -f "$here/release_signers" -I release -n sluice-release -s "$temp/sluice/checksums.txt.sig" \
            <"$temp/sluice/checksums.txt" >/dev/null || fail "checksums.txt of sluice $version is not signed by a key of the project"
    fi
    awk -v file="$1" '$2 == file { print $1 }' "$temp/sluice/checksums.txt"
}

download() {
    [[ $version =~ $is_release ]] || fail "version: \"$version\" is no release, one is for instance v1.2.3"
    local os arch kind=tar.gz archive want got
    case ${RUNNER_OS:-} in
    Linux) os=linux ;;
    macOS) os=darwin ;;
    Windows) os=windows kind=zip ;;
    *) fail "there is no release for the system \"${RUNNER_OS:-}\"" ;;
    esac
    case ${RUNNER_ARCH:-} in
    X64) arch=amd64 ;;
    ARM64) arch=arm64 ;;
    *) fail "there is no release for the processor \"${RUNNER_ARCH:-}\"" ;;
    esac
    archive=sluice_${version#v}_${os}_$arch.$kind
    want=${SLUICE_SHA256:-}
    if [[ -z $want ]]; then want=$(listed "$archive") || { printf '%s\n' "$want"; exit 1; }; fi
    [[ $want =~ ^[0-9a-fA-F]{64}$ ]] || fail "there is no sha256 for $archive of sluice $version"
    get "$archive"
    got=$(sha256 "$temp/sluice/$archive")
    [[ $got == "$(tr A-F a-f <<<"$want")" ]] || fail "$archive has the sha256 $got, not $want"
    case $kind in
    zip) unzip -qo "$temp/sluice/$archive" sluice.exe -d "$bin" ;;
    *) tar -xzf "$temp/sluice/$archive" -C "$bin" sluice ;;
    esac
}

if [[ -n $version ]]; then download; else build; fi
"$bin/sluice" version
echo "$bin" >>"$GITHUB_PATH"
echo "path=$bin" >>"$GITHUB_OUTPUT"
