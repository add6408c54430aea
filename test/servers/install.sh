#!/usr/bin/env bash
# Puts the FTP servers of Debian that the tests run against beside each other: as packages they exclude each other,
# so all but those that are installed are unpacked into a folder of their own. Nothing is started or configured.
#
#   test/servers/install.sh            the servers of the matrix
#   test/servers/install.sh --bench    also nginx and rclone, for `npm run bench`
set -euo pipefail

if [ "$(id -u)" = 0 ]; then home=/var/cache/fileferry; else home="$HOME/.cache/fileferry"; fi
folder="$home/programs"
mkdir -p "$folder" "$home/packages"

# A program's name, and the packages that bring it.
programs=(
  'vsftpd vsftpd'
  'proftpd proftpd-core proftpd-mod-crypto'
  'pure-ftpd pure-ftpd'
  'pyftpdlib python3-pyftpdlib'
)
if [ "${1:-}" = --bench ]; then programs+=('nginx nginx-light' 'rclone rclone'); fi

present() {
  case "$1" in
    pyftpdlib) [ -d "$folder/usr/lib/python3/dist-packages/pyftpdlib" ] ;;
    *) [ -x "$folder/usr/sbin/$1" ] || [ -x "$folder/usr/bin/$1" ] || PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null ;;
  esac
}

missing=()
for entry in "${programs[@]}"; do
  read -r program packages <<<"$entry"
  present "$program" || missing+=("$packages")
done
if [ ${#missing[@]} = 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "install.sh: no apt-get here; the tests name the servers that they skip" >&2
  exit 0
fi
cd "$home/packages"
# Without lists nothing can be simulated; whoever refreshed them just before need not wait again.
if [ "$(id -u)" = 0 ] && [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mmin -720 -print -quit)" ]; then
  apt-get update -qq
fi
for packages in "${missing[@]}"; do
  # The simulation names the libraries that are missing as well, whatever this release calls them.
  # shellcheck disable=SC2086
  names=$(apt-get install --simulate --no-install-recommends $packages | awk '/^Inst /{print $2}')
  # shellcheck disable=SC2086
  apt-get download -qq -o APT::Sandbox::User=root $names
  for package in *.deb; do
    dpkg -x "$package" "$folder"
    rm "$package"
  done
done
