#!/bin/sh
# thespis-cert.sh: an authority of one's own, and certificates for the systems that are to talk.
#
#     thespis-cert FOLDER NAME...          makes FOLDER/NAME.pem and NAME.key for each name
#     thespis-cert --revoke FOLDER NAME... takes them back: FOLDER/revoked.pem says so
#
# The first call makes the authority, too: FOLDER/authority.pem and authority.key. Whoever has that
# key can make himself a member: keep it where no system runs. DAYS (825) is how long certificates
# are valid; the authority is for ten times as long.
set -eu
umask 077

usage() {
    sed -n 's/^#     //p' "$0" >&2
    exit 2
}

revoke=no
[ "${1:-}" = --revoke ] && { revoke=yes; shift; }
[ $# -ge 2 ] || usage
folder=$1
shift
days=${DAYS:-825}
mkdir -p "$folder"
cd "$folder"

# What openssl says is of interest only if it fails.
quietly() {
    "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; exit 1; }
}

for name in "$@"; do
    case $name in
    authority | revoked | *[!A-Za-z0-9._-]* | '' | -* | .*)
        echo "thespis-cert: '$name': a name has letters, digits, points and dashes" >&2
        exit 2
        ;;
    esac
done

scratch=$(mktemp -d) # openssl keeps a copy of each certificate by its number, which nobody needs
trap 'rm -rf "$scratch"' EXIT
settings=$scratch/settings
cat >"$settings" <<END
[ca]
default_ca = authority
[authority]
database = $PWD/issued.txt
new_certs_dir = $scratch
certificate = $PWD/authority.pem
private_key = $PWD/authority.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = $days
default_crl_days = $((days * 10))
policy = any
x509_extensions = member
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = \$ENV::THESPIS_NAME
[authority_itself]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[member]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:\$ENV::THESPIS_NAME
authorityKeyIdentifier = keyid
END

if [ ! -e authority.pem ]; then
    THESPIS_NAME="thespis authority"
    export THESPIS_NAME
    : >issued.txt
    quietly openssl req -x509 -new -config "$settings" -extensions authority_itself -nodes \
        -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days $((days * 10)) \
        -keyout authority.key -out authority.pem
fi

for name in "$@"; do
    THESPIS_NAME=$name
    export THESPIS_NAME
    if [ $revoke = yes ]; then
        quietly openssl ca -config "$settings" -revoke "$name.pem"
        continue
    fi
    quietly openssl req -new -config "$settings" -nodes -newkey ec \
        -pkeyopt ec_paramgen_curve:P-256 -keyout "$name.key" -out "$name.csr"
    quietly openssl ca -batch -notext -config "$settings" -in "$name.csr" -out "$name.pem"
    rm -f "$name.csr"
done

if [ $revoke = yes ]; then
    THESPIS_NAME=none quietly openssl ca -config "$settings" -gencrl -out revoked.pem
fi
rm -f issued.txt.old issued.txt.attr.old
