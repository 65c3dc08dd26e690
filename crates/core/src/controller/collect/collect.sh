# Finds the registry behind a port of this host and collects its garbage. Sent to the host's shell on its standard
# input, after lines that set:
#   port       where the registry listens
#   addresses  an extended regular expression of the addresses that the tunnel leads to
#   mode       plan, or collect
#   untagged   yes, if manifests without a tag are to go as well
#   expected   for collect: the container's id or the unit's name of the plan
# What it finds goes to its standard output, a word and a tab before each value. POSIX sh (IEEE 1003.1) and what Debian,
# Alpine and BusyBox have; `local` and arrays are not used.
#
# Whoever has an account on this host can listen at a port of some loopback address, and call a program of theirs whatever
# they like. So nothing is run before it is certain who runs it anyway: a container of an engine's, or a service of
# systemd's, whose program and account its unit tells. What either of them says of itself is text, and no part of a command.
{
set -u
umask 077
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
LC_ALL=C
export PATH LC_ALL
say() { printf '%s\t%s\n' "$1" "$2"; }
refuse() { say refused "$1"; [ -z "${2:-}" ] || say words "$(printf %s "$2" | tr '\n\t' '  ' | cut -c 1-1500)"; exit 3; }
say dockline collect

as=''
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then as='sudo -n'; fi

# Who listens at all addresses listens at those, too.
here="0\.0\.0\.0|[*]|\[?::\]?|$addresses"
listeners() { $as ss -Hltnp "sport = :$port" 2>/dev/null | grep -E "[[:space:]]($here)(%[^[:space:]]*)?:$port[[:space:]]"; }

# A container whose port is published there, by an engine that this login may use as it is, or with sudo.
engine='' container='' unit='' pid='' may=no
for program in docker podman; do
    command -v "$program" >/dev/null 2>&1 || continue
    for before in '' "$as"; do
        listed=$($before "$program" ps --no-trunc --format '{{.ID}} {{.Ports}}' 2>/dev/null) || continue
        may=yes found=''
        # Ports in a row stand as a range in the list.
        for id in $(printf '%s\n' "$listed" | grep -e '->' | cut -d ' ' -f 1); do
            if $before "$program" port "$id" 2>/dev/null | grep -Eq "[ >]($here|):$port\$"; then found=$id; break; fi
        done
        if [ -n "$found" ]; then engine="$before $program" container=$found; break 2; fi
        [ -n "$before" ] || [ -n "$as" ] || break
    done
done

# Otherwise whoever listens there: a container with the host's network, or a service.
if [ -z "$container" ]; then
    pid=$(listeners | sed -n 's/.*[(,]pid=\([0-9][0-9]*\).*/\1/p' | head -n 1)
    if [ -z "$pid" ]; then
        [ -n "$as" ] || [ "$(id -u)" = 0 ] || refuse no-leave
        refuse nothing
    fi
    # What stands in for a container, as an engine that this login may not ask has started it.
    case $(cat "/proc/$pid/comm") in docker-proxy | rootlessport | conmon | pasta*) refuse no-leave ;; esac
    found=$(sed -n 's/.*\([0-9a-f]\{64\}\).*/\1/p' "/proc/$pid/cgroup" | head -n 1)
    for program in docker podman; do
        [ -n "$found" ] && command -v "$program" >/dev/null 2>&1 || continue
        for before in '' "$as"; do
            first=$($before "$program" inspect --type container --format '{{.State.Pid}}' "$found" 2>/dev/null) || continue
            # A cgroup's name alone proves nothing: people may make their own.
            if [ -n "$first" ] && cmp -s "/proc/$first/cgroup" "/proc/$pid/cgroup"; then
                engine="$before $program" container=$found
                break 2
            fi
        done
    done
    if [ -z "$container" ]; then
        [ -z "$found" ] || refuse no-leave
        unit=$(sed -n 's#^.*/system\.slice/\(.*/\)\{0,1\}\([^/]*\.service\)$#\2#p' "/proc/$pid/cgroup" | head -n 1)
    fi
fi
engine=${engine# }

# A service's program, and whom it runs as: what its unit says, not what the process does.
property() { systemctl show --property "$1" "$unit" 2>/dev/null | sed -n "s/^$1=//p" | head -n 1; }
path='' runs_as=''
if [ -n "$unit" ] && [ "$(property MainPID)" = "$pid" ]; then
    path=$(property ExecStart | sed -n 's/^{ path=\([^ ;]*\) ;.*/\1/p')
    # A script that starts the registry would start another one.
    running=$($as readlink "/proc/$pid/exe")
    # An update may have put another in its place.
    [ "$(readlink -f "$path")" = "${running% (deleted)}" ] || path=''
    account=$(property User)
    case $account in
        '' | *[!0-9]*) ;;
        *) account=$(id -un "$account") ;;
    esac
    # Such an account is gone as soon as the service is stopped.
    [ "$(property DynamicUser)" != yes ] || path=''
    if [ "${account:-root}" = "$(id -un)" ]; then runs_as=''; elif [ -n "$account" ]; then runs_as="$as runuser -u $account --"; else runs_as=$as; fi
fi
# Runs a program where the registry does, as whom the registry runs.
inside() {
    if [ -n "$container" ]; then $engine exec -i "$container" "$@"; else $runs_as "$@"; fi
}
about() { $engine inspect --type container --format "$1" "$container" 2>/dev/null; }

if [ -n "$container" ]; then
    words=$(inside cat /proc/1/cmdline 2>/dev/null </dev/null | tr '\0' '\n')
    variables=$(about '{{range .Config.Env}}{{println .}}{{end}}')
else
    words=$($as cat "/proc/$pid/cmdline" 2>/dev/null | tr '\0' '\n')
    variables=$($as cat "/proc/$pid/environ" 2>/dev/null | tr '\0' '\n' | grep '^REGISTRY_')
fi
# distribution/distribution, `registry/root.go`: PROGRAM serve CONFIG.
program=${path:-$(printf '%s\n' "$words" | head -n 1)}
config=$(printf '%s\n' "$words" | sed -n '/^serve$/{n;p;}' | head -n 1)
variable() { printf '%s\n' "$variables" | sed -n "s/^$1=//p" | head -n 1; }
[ -n "$config" ] || config=$(variable REGISTRY_CONFIGURATION_PATH)
if [ -z "$config" ] || ! printf '%s\n' "$words" | grep -qx serve; then
    refuse kind "$(printf '%s' "$words" | head -n 3)"
fi
[ -n "$container" ] || [ -n "$path" ] || refuse by-hand
case $config in
    /*) ;;
    *)
        if [ -n "$container" ]; then folder=$(about '{{.Config.WorkingDir}}'); else folder=$($as readlink "/proc/$pid/cwd"); fi
        config="${folder%/}/$config"
        ;;
esac
version=$(inside "$program" --version 2>/dev/null </dev/null | sed -n 's/.* v\{0,1\}\([0-9][0-9]*\.[0-9.]*\).*/\1/p' | head -n 1)

root=$(variable REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY)
if [ -z "$root" ]; then
    root=$(inside cat "$config" 2>/dev/null </dev/null | sed -n "s/.*rootdirectory: *['\"]\{0,1\}\([^'\",}]*\).*/\1/p" | head -n 1)
fi
root=${root:-/var/lib/registry}
root=${root%/}

if [ -n "$container" ]; then
    name=$(about '{{.Name}}')
    say container "$container"
    say engine "${engine##* }"
    say name "${name#/}"
    say image "$(about '{{.Config.Image}}')"
    [ "$(about '{{.HostConfig.AutoRemove}}')" != true ] || refuse vanishes
    labels=$(about '{{range $key, $value := .Config.Labels}}{{println $key}}{{end}}')
    if printf '%s\n' "$labels" | grep -Eq '^(com\.docker\.swarm\.|io\.kubernetes\.)'; then refuse orchestrated; fi
    kept=no
    for place in $(about '{{range .Mounts}}{{println .Destination}}{{end}}'); do
        case "$root/" in "${place%/}"/*) kept=yes ;; esac
    done
    if [ "$kept" = no ] && inside test -d "$root/docker/registry/v2" </dev/null 2>/dev/null; then refuse no-volume; fi
    [ -z "$expected" ] || [ "$expected" = "$container" ] || refuse changed
else
    say unit "$unit"
    [ -z "$expected" ] || [ "$expected" = "$unit" ] || refuse changed
fi
say version "$version"
say configuration "$config"

option=''
if [ "$untagged" = yes ]; then
    # Before 3.0 the platforms of an index that has a tag counted as untagged, and were deleted with it.
    case $version in
        [012].* | '') refuse old-untagged "$version" ;;
    esac
    option=--delete-untagged
fi

# Runs the registry's own collector on the registry's storage, with the registry's environment.
collector() {
    if [ -n "$container" ]; then
        $engine exec "$container" "$program" garbage-collect "$@"
        return
    fi
    (
        set -f
        IFS='
'
        # One variable a line: unquoted, so that each is a word.
        if [ -n "$runs_as" ]; then
            set -- env $variables "$program" garbage-collect "$@"
            unset IFS
            $runs_as "$@"
        else
            env $variables "$program" garbage-collect "$@"
        fi
    )
}

dry=$(collector --dry-run $option "$config" 2>&1 </dev/null)
result=$?
if [ $result != 0 ]; then
    # A registry that nothing was ever pushed to has no such folder.
    case $dry in
        *'Path not found: /docker/registry/v2'*) dry='0 blobs marked, 0 blobs and 0 manifests eligible for deletion' ;;
        *) refuse failed "$dry" ;;
    esac
fi
counts=$(printf '%s\n' "$dry" | sed -n 's/.*marked, \([0-9]*\) blobs and \([0-9]*\) manifests eligible.*/\1 \2/p' | tail -n 1)
[ -n "$counts" ] || refuse failed "$dry"
digests=$(printf '%s\n' "$dry" | sed -n 's#.*blob eligible for deletion: sha256:\([0-9a-f][0-9a-f]\)\([0-9a-f]*\)$#\1/\1\2#p' | sort -u)
files() { for digest in $digests; do printf '%s/docker/registry/v2/blobs/sha256/%s/data\n' "$root" "$digest"; done; }
sizes() { case $root in *[!A-Za-z0-9/._-]*) ;; *) files | grep . | inside xargs stat -c '%s %n' 2>/dev/null ;; esac; }
sizes=$(sizes)
total() { awk '{ sum += $1 } END { printf "%.0f", sum }'; }
say blobs "${counts% *}"
say manifests "${counts#* }"
if [ -z "$digests" ] || [ -n "$sizes" ]; then say bytes "$(printf '%s\n' "$sizes" | total)"; fi
[ "$mode" = collect ] || exit 0

# From here on the registry must be started again, whatever happens on this side or on the way to it.
image=$([ -z "$container" ] || about '{{.Image}}')
user=$([ -z "$container" ] || about '{{.Config.User}}')
start() {
    trap - EXIT
    if [ -n "$container" ]; then $engine start "$container" >/dev/null; else $as systemctl start "$unit"; fi
}
trap start EXIT
trap '' HUP PIPE
trap 'exit 143' TERM INT
stopped=$(date +%s)
if [ -n "$container" ]; then
    words=$($engine stop -t 30 "$container" 2>&1 </dev/null) || refuse stop "$words"
    words=$(printf '%s\n' "$variables" | $engine run --rm --network none --volumes-from "$container" \
        --env-file /dev/stdin ${user:+--user "$user"} --entrypoint "$program" "$image" garbage-collect $option "$config" 2>&1)
else
    words=$($as systemctl stop "$unit" 2>&1 </dev/null) || refuse stop "$words"
    words=$(collector $option "$config" 2>&1 </dev/null)
fi
result=$?
again=$(start 2>&1 </dev/null) || refuse start "$again"
trap - EXIT
waited=0
while command -v ss >/dev/null 2>&1 && [ -z "$(listeners)" ] && [ $waited -lt 30 ]; do
    sleep 1
    waited=$((waited + 1))
done
[ $waited -lt 30 ] || refuse start "nothing listens at port $port"
say stopped "$(($(date +%s) - stopped))"
[ $result = 0 ] || refuse failed "$words"
counts=$(printf '%s\n' "$words" | sed -n 's/.*marked, \([0-9]*\) blobs and \([0-9]*\) manifests eligible.*/\1 \2/p' | tail -n 1)
say gone-blobs "${counts% *}"
say gone-manifests "${counts#* }"
if [ -z "$digests" ] || [ -n "$sizes" ]; then
    say freed "$(($(printf '%s\n' "$sizes" | total) - $(sizes | total)))"
fi
say done yes
exit 0
} </dev/null
